use serde::{Deserialize, Serialize};

use crate::compute::window::Sliding;

/// The zeros around the input of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "[usize; D]: Serialize", deserialize = "[usize; D]: Deserialize<'de>"))]
pub enum Padding<const D: usize> {
    /// So many on both sides of each axis.
    Zeros([usize; D]),
    /// So many that each axis of the output is as long as the input's divided by the stride, rounded up; the odd one
    /// is behind.
    Same,
}

/// How a convolution moves its window along `D` axes. The default is stride 1, no padding, no dilation, one group.
///
/// ```
/// use wengert_autodiff::{ConvOptions, Padding};
///
/// let halving: ConvOptions<2> =
///     ConvOptions { stride: [2, 2], padding: Padding::Zeros([1, 1]), ..ConvOptions::default() };
/// assert_eq!(halving.dilation, [1, 1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "[usize; D]: Serialize", deserialize = "[usize; D]: Deserialize<'de>"))]
pub struct ConvOptions<const D: usize> {
    /// From one place of the window to the next.
    pub stride: [usize; D],
    /// The zeros around the input.
    pub padding: Padding<D>,
    /// From one element of the window to the next.
    #[doc(alias = "atrous")]
    pub dilation: [usize; D],
    /// Into how many equal parts the channels are divided, each with filters of its own; as many as channels is a
    /// depthwise convolution.
    #[doc(alias("depthwise", "feature_group_count"))]
    pub groups: usize,
}

impl<const D: usize> Default for ConvOptions<D> {
    fn default() -> Self {
        Self { stride: [1; D], padding: Padding::Zeros([0; D]), dilation: [1; D], groups: 1 }
    }
}

impl<const D: usize> ConvOptions<D> {
    /// The zeros before and behind an axis of the input.
    fn zeros(&self, axis: usize, input: usize, kernel: usize) -> (usize, usize) {
        match self.padding {
            Padding::Zeros(zeros) => (zeros[axis], zeros[axis]),
            Padding::Same => {
                let last = (input.div_ceil(self.stride[axis]).max(1) - 1) * self.stride[axis];
                let zeros = (last + extent(kernel, self.dilation[axis])).saturating_sub(input);
                (zeros / 2, zeros - zeros / 2)
            }
        }
    }

    /// How long the output is for an input of these lengths.
    ///
    /// # Panics
    ///
    /// If a stride, a dilation or a length of the kernel is 0, or the input with its padding is smaller than the
    /// window.
    #[track_caller]
    pub fn output(&self, input: [usize; D], kernel: [usize; D]) -> [usize; D] {
        let mut output = [0; D];
        for axis in 0..D {
            let (before, after) = self.zeros(axis, input[axis], kernel[axis]);
            let padded = before + input[axis] + after;
            output[axis] =
                places("convolution", padded, kernel[axis], self.stride[axis], self.dilation[axis]);
        }
        output
    }
}

impl ConvOptions<1> {
    /// The same for an image of height 1.
    pub(super) fn with_height(self) -> ConvOptions<2> {
        let padding = match self.padding {
            Padding::Zeros([zeros]) => Padding::Zeros([0, zeros]),
            Padding::Same => Padding::Same,
        };
        let (stride, dilation) = ([1, self.stride[0]], [1, self.dilation[0]]);
        ConvOptions { stride, padding, dilation, groups: self.groups }
    }
}

impl ConvOptions<2> {
    #[track_caller]
    pub(super) fn sliding(&self, input: [usize; 2], kernel: [usize; 2]) -> Sliding {
        let output = self.output(input, kernel);
        let before = [0, 1].map(|axis| self.zeros(axis, input[axis], kernel[axis]).0);
        Sliding { input, kernel, output, stride: self.stride, dilation: self.dilation, before }
    }
}

/// The windows of a pooling along `D` axes, of size `kernel`. From a number or an array of them, windows beside each
/// other:
///
/// ```
/// use wengert_autodiff::PoolOptions;
///
/// assert_eq!(PoolOptions::<2>::from(3).stride, [3, 3]);
/// let overlapping = PoolOptions::<2> { stride: [2, 2], padding: [1, 1], ..PoolOptions::from(3) };
/// assert_eq!(overlapping.kernel, [3, 3]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "[usize; D]: Serialize", deserialize = "[usize; D]: Deserialize<'de>"))]
pub struct PoolOptions<const D: usize> {
    /// The window's lengths.
    pub kernel: [usize; D],
    /// From one window to the next.
    pub stride: [usize; D],
    /// So many more on both sides of each axis, at most half a window: for a maximum nothing, for a mean zeros.
    pub padding: [usize; D],
    /// From one element of the window to the next.
    pub dilation: [usize; D],
    /// Whether a last window that is not whole counts.
    pub ceil_mode: bool,
    /// Whether a mean counts the zeros.
    pub count_include_pad: bool,
}

impl<const D: usize> From<[usize; D]> for PoolOptions<D> {
    fn from(kernel: [usize; D]) -> Self {
        Self {
            kernel,
            stride: kernel,
            padding: [0; D],
            dilation: [1; D],
            ceil_mode: false,
            count_include_pad: true,
        }
    }
}

impl<const D: usize> From<usize> for PoolOptions<D> {
    fn from(kernel: usize) -> Self {
        Self::from([kernel; D])
    }
}

impl PoolOptions<1> {
    /// The same for an image of height 1.
    pub(super) fn with_height(self) -> PoolOptions<2> {
        PoolOptions {
            kernel: [1, self.kernel[0]],
            stride: [1, self.stride[0]],
            padding: [0, self.padding[0]],
            dilation: [1, self.dilation[0]],
            ceil_mode: self.ceil_mode,
            count_include_pad: self.count_include_pad,
        }
    }
}

impl PoolOptions<2> {
    #[track_caller]
    pub(super) fn sliding(&self, op: &str, input: [usize; 2]) -> Sliding {
        let Self { kernel, stride, padding, dilation, ceil_mode, .. } = *self;
        let output = [0, 1].map(|axis| {
            let (zeros, padded) = (padding[axis], input[axis] + 2 * padding[axis]);
            assert!(
                zeros <= kernel[axis] / 2,
                "`{op}`: a padding of {zeros} is more than half a window of {}",
                kernel[axis]
            );
            let whole = places(op, padded, kernel[axis], stride[axis], dilation[axis]);
            let rest = (padded - extent(kernel[axis], dilation[axis])) % stride[axis];
            // A window that begins in the padding behind the input would see nothing.
            let one_more = ceil_mode && rest > 0 && whole * stride[axis] < input[axis] + zeros;
            whole + usize::from(one_more)
        });
        Sliding { input, kernel, output, stride, dilation, before: padding }
    }
}

/// From the first to the last element of a window.
fn extent(kernel: usize, dilation: usize) -> usize {
    dilation * kernel.max(1).saturating_sub(1) + 1
}

/// How many whole windows there are.
#[track_caller]
fn places(op: &str, padded: usize, kernel: usize, stride: usize, dilation: usize) -> usize {
    assert!(
        kernel > 0 && stride > 0 && dilation > 0,
        "`{op}`: window {kernel}, stride {stride} and dilation {dilation} must be at least 1"
    );
    let extent = extent(kernel, dilation);
    assert!(
        extent <= padded,
        "`{op}`: a window of {extent} does not fit into an input of {padded}, padding included"
    );
    (padded - extent) / stride + 1
}
