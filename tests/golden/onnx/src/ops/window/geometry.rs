//! ONNX's attributes of windows.

use wengert_autodiff::{Real, Var};

use crate::graph::Call;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AutoPad {
    No,
    SameUpper,
    SameLower,
}

/// Sizes along the axes of an image.
#[derive(Clone)]
pub struct Window {
    pub kernel: Vec<usize>,
    pub stride: Vec<usize>,
    pub dilation: Vec<usize>,
    pub before: Vec<usize>,
    pub after: Vec<usize>,
    pub auto: AutoPad,
}

fn auto<F: Real>(call: &Call<'_, '_, F>) -> AutoPad {
    match call.text("auto_pad", "NOTSET") {
        "SAME_UPPER" => AutoPad::SameUpper,
        "SAME_LOWER" => AutoPad::SameLower,
        _ => AutoPad::No,
    }
}

/// The smaller half of `zeros` before and the larger one behind, or the other way round.
fn halves(zeros: usize, auto: AutoPad) -> (usize, usize) {
    let small = zeros / 2;
    if auto == AutoPad::SameLower { (zeros - small, small) } else { (small, zeros - small) }
}

impl Window {
    /// Of a node with this kernel for an image.
    pub fn of<F: Real>(call: &Call<'_, '_, F>, kernel: &[usize], image: &[usize]) -> Self {
        let rank = kernel.len();
        let stride = call.sizes("strides", vec![1; rank]);
        let dilation = call.sizes("dilations", vec![1; rank]);
        let pads = call.sizes("pads", vec![0; 2 * rank]);
        let auto = auto(call);
        let mut window = Self {
            kernel: kernel.to_vec(),
            stride,
            dilation,
            before: pads[..rank].to_vec(),
            after: pads[rank..].to_vec(),
            auto,
        };
        if auto != AutoPad::No {
            for (axis, &size) in image.iter().enumerate() {
                let last = (size.div_ceil(window.stride[axis]) - 1) * window.stride[axis];
                let zeros = (last + window.extent(axis)).saturating_sub(size);
                (window.before[axis], window.after[axis]) = halves(zeros, auto);
            }
        }
        window
    }

    fn extent(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// An image with the borders.
    pub fn pad<'t, F: Real>(&self, x: Var<'t, F>, value: f64) -> Var<'t, F> {
        let mut border = vec![(0, 0); 2];
        border.extend(self.before.iter().copied().zip(self.after.iter().copied()));
        x.pad(&border, value)
    }

    /// With so much more behind that a last window is whole where ONNX counts one that is not.
    pub fn pad_to_ceil<F: Real>(&self, call: &Call<'_, '_, F>) -> Self {
        let mut window = self.clone();
        if call.int("ceil_mode", 0) == 0 {
            return window;
        }
        for axis in 0..self.kernel.len() {
            let size = call.x(0).shape()[axis + 2];
            let (stride, extent) = (self.stride[axis], self.extent(axis));
            let padded = size + self.before[axis] + self.after[axis];
            let last = (padded - extent).div_ceil(stride) * stride;
            // A window that begins behind the image sees nothing.
            if last < size + self.before[axis] {
                window.after[axis] += (last + extent).saturating_sub(padded);
            }
        }
        window
    }

    /// What this window's borders have more than another's.
    pub fn without(&self, other: &Self) -> Self {
        let mut window = self.clone();
        for axis in 0..self.kernel.len() {
            window.before[axis] -= other.before[axis];
            window.after[axis] -= other.after[axis];
        }
        window
    }
}

/// What a transposed convolution leaves out of what it could give, before and behind each axis.
pub fn cut<F: Real>(
    call: &Call<'_, '_, F>,
    kernel: &[usize],
    image: &[usize],
    extra: &mut [usize],
) -> (Vec<usize>, Vec<usize>) {
    let rank = kernel.len();
    let stride = call.sizes("strides", vec![1; rank]);
    let dilation = call.sizes("dilations", vec![1; rank]);
    let auto = auto(call);
    let wanted = call.ints("output_shape").map(|sizes| sizes[sizes.len() - rank..].to_vec());
    if wanted.is_none() && auto == AutoPad::No {
        let pads = call.sizes("pads", vec![0; 2 * rank]);
        return (pads[..rank].to_vec(), pads[rank..].to_vec());
    }
    (0..rank)
        .map(|axis| {
            let whole =
                (image[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 + extra[axis];
            let to = wanted.as_ref().map_or(image[axis] * stride[axis], |sizes| sizes[axis] as usize);
            extra[axis] += to.saturating_sub(whole);
            let zeros = whole.saturating_sub(to);
            // Without `SAME_UPPER` the larger half lies before.
            if auto == AutoPad::SameUpper { halves(zeros, auto) } else { halves(zeros, AutoPad::SameLower) }
        })
        .unzip()
}
