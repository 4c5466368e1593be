//! Convolution and its transpose, of images and of signals. As in every framework the window is not turned round, so
//! that "convolution" is a cross-correlation.

use super::{ConvOptions, Padding, with_height, without_height};
use crate::compute::reduce;
use crate::compute::window::Sliding;
use crate::compute::window::convolution::Convolution;
use crate::{Edge, Real, Tensor, Var};

/// # Convolution
impl<F: Real> Var<'_, F> {
    /// A window of weights that slides over images (LeCun et al., 1989), for `x: [n, in, h, w]`,
    /// `W: [out, in / groups, kernel_h, kernel_w]` and `b: [out]`, of shape `[n, out, places_h, places_w]`:
    ///
    /// ```text
    /// y[n, o, p, q] = b[o] + Σ W[o, c, i, j] x[n, c, p stride + i dilation - padding, q …]      over c, i, j
    /// dx = Σ W dy over the places that see a pixel         dW = Σ dy x over samples and places         db = Σ dy
    /// ```
    ///
    /// where `x` is 0 outside the image; see [`ConvOptions`]. Each sample is a matrix product with a block of its
    /// patches.
    ///
    /// ```
    /// # use wengert_autodiff::{ConvOptions, IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]); // [1, 1, 2, 3]
    /// let w = tape.variable([[[[1.0, 10.0]]]]);
    /// let y = x.conv2d(w, None, ConvOptions::default());
    /// assert_eq!(y.value(), [[[[21.0, 32.0], [54.0, 65.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes or the options do not fit.
    #[doc(alias("convolution", "Conv2D", "conv", "cross-correlation"))]
    #[track_caller]
    pub fn conv2d(self, weight: Self, bias: Option<Self>, options: ConvOptions<2>) -> Self {
        const OP: &str = "conv2d";
        let [x, w] = self.images(OP, weight);
        let groups = options.groups;
        assert!(
            groups > 0 && w.shape()[0] % groups == 0 && x.shape()[1] == groups * w.shape()[1],
            "`{OP}`: input {:?} and weight {:?} do not fit {groups} groups: [n, in, h, w] and [out, in / groups, \
             kernel_h, kernel_w] are needed",
            x.shape(),
            w.shape()
        );
        let (channels, filters) = (w.shape()[1], w.shape()[0] / groups);
        let sliding = options.sliding(size(&x), size(&w));
        let convolution = Convolution { sliding, groups, channels, filters };
        let bias = bias.map(|bias| self.per_output(OP, bias, w.shape()[0]));
        let y = convolution.forward(&x, &w, bias.as_ref().map(|(_, value)| value));
        let dx = self.edge(move |dy| convolution.backward(&dy, &w));
        let dw = weight.edge(move |dy| convolution.weight_gradient(&dy, &x));
        self.tape().record_many(OP, y, edges([dx, dw], bias))
    }

    /// The transpose of [`conv2d`](Var::conv2d), for `x: [n, in, h, w]`, `W: [in, out / groups, kernel_h, kernel_w]`
    /// and `b: [out]`: what a convolution with this weight does to a gradient. Each pixel adds its multiple of the
    /// window to `y: [n, out, (h - 1) stride + dilation (kernel_h - 1) + 1 - 2 padding + output_padding, …]`. Its `dx`
    /// is a convolution of `dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{ConvOptions, IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0]]]]);
    /// let w = tape.variable([[[[1.0, 10.0]]]]);
    /// let y = x.conv_transpose2d(w, None, ConvOptions::default(), [0, 0]);
    /// assert_eq!(y.value(), [[[[1.0, 12.0, 20.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes or the options do not fit; with [`Padding::Same`]; if `output_padding` is not smaller than the
    /// stride or the dilation.
    #[doc(alias("deconvolution", "Conv2DTranspose"))]
    #[track_caller]
    pub fn conv_transpose2d(
        self,
        weight: Self,
        bias: Option<Self>,
        options: ConvOptions<2>,
        output_padding: [usize; 2],
    ) -> Self {
        const OP: &str = "conv_transpose2d";
        let [x, w] = self.images(OP, weight);
        let groups = options.groups;
        assert!(
            groups > 0 && x.shape()[1] % groups == 0 && x.shape()[1] == w.shape()[0],
            "`{OP}`: input {:?} and weight {:?} do not fit {groups} groups: [n, in, h, w] and [in, out / groups, \
             kernel_h, kernel_w] are needed",
            x.shape(),
            w.shape()
        );
        let (channels, filters) = (w.shape()[1], w.shape()[0] / groups);
        let sliding = transposed_sliding(OP, options, output_padding, size(&x), size(&w));
        let convolution = Convolution { sliding, groups, channels, filters };
        let bias = bias.map(|bias| self.per_output(OP, bias, groups * channels));
        let mut y = convolution.backward(&x, &w);
        if let Some((_, bias)) = &bias {
            let column = bias.to_shape([bias.len(), 1, 1]).expect("as many elements");
            y += &column;
        }
        let dx = self.edge(move |dy| convolution.forward(&dy, &w, None));
        let dw = weight.edge(move |dy| convolution.weight_gradient(&x, &dy));
        self.tape().record_many(OP, y, edges([dx, dw], bias))
    }

    /// [`conv2d`](Var::conv2d) of signals, for `x: [n, in, l]`, `W: [out, in / groups, kernel]` and `b: [out]`, of
    /// shape `[n, out, places]`.
    ///
    /// ```
    /// # use wengert_autodiff::{ConvOptions, IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[1.0, 2.0, 4.0]]]);
    /// let difference = tape.variable([[[-1.0, 1.0]]]);
    /// assert_eq!(x.conv1d(difference, None, ConvOptions::default()).value(), [[[1.0, 2.0]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes or the options do not fit.
    #[doc(alias("Conv1D", "temporal convolution"))]
    #[track_caller]
    pub fn conv1d(self, weight: Self, bias: Option<Self>, options: ConvOptions<1>) -> Self {
        let x = with_height("conv1d", "an input [n, in, l]", self);
        let w = with_height("conv1d", "a weight [out, in / groups, kernel]", weight);
        without_height(x.conv2d(w, bias, options.with_height()))
    }

    /// [`conv_transpose2d`](Var::conv_transpose2d) of signals, for `x: [n, in, l]`, `W: [in, out / groups, kernel]` and
    /// `b: [out]`.
    ///
    /// ```
    /// # use wengert_autodiff::{ConvOptions, IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, w) = (tape.variable([[[1.0, 2.0]]]), tape.variable([[[1.0, 1.0]]]));
    /// let twice_as_long = ConvOptions { stride: [2], ..ConvOptions::default() };
    /// let y = x.conv_transpose1d(w, None, twice_as_long, [0]);
    /// assert_eq!(y.value(), [[[1.0, 1.0, 2.0, 2.0]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// As there.
    #[doc(alias("deconvolution", "Conv1DTranspose"))]
    #[track_caller]
    pub fn conv_transpose1d(
        self,
        weight: Self,
        bias: Option<Self>,
        options: ConvOptions<1>,
        output_padding: [usize; 1],
    ) -> Self {
        let x = with_height("conv_transpose1d", "an input [n, in, l]", self);
        let w = with_height("conv_transpose1d", "a weight [in, out / groups, kernel]", weight);
        without_height(x.conv_transpose2d(w, bias, options.with_height(), [0, output_padding[0]]))
    }

    /// The values of an input and a weight of four axes.
    #[track_caller]
    fn images(self, op: &str, weight: Self) -> [Tensor<F>; 2] {
        self.same_tape(op, weight);
        let (x, w) = (self.value(), weight.value());
        assert!(
            x.ndim() == 4 && w.ndim() == 4,
            "`{op}` needs an input and a weight of four axes, their shapes are {:?} and {:?}",
            x.shape(),
            w.shape()
        );
        assert!(!x.shape()[2..].contains(&0), "`{op}`: the images of shape {:?} have no pixels", x.shape());
        [x, w]
    }

    #[track_caller]
    fn per_output(self, op: &str, bias: Self, outputs: usize) -> (Self, Tensor<F>) {
        self.same_tape(op, bias);
        let value = bias.value();
        assert!(
            value.shape() == [outputs],
            "`{op}`: the bias has shape {:?}, [{outputs}] is needed",
            value.shape()
        );
        (bias, value)
    }
}

/// Those of the input and the weight, and the bias's.
fn edges<F: Real>(edges: [Edge<F>; 2], bias: Option<(Var<'_, F>, Tensor<F>)>) -> Vec<Edge<F>> {
    let mut edges = Vec::from(edges);
    edges.extend(bias.map(|(bias, value)| {
        let outputs = value.len();
        bias.edge(move |dy| {
            let sums = reduce::sum_to(dy, &[outputs, 1, 1]);
            sums.into_shape_with_order(vec![outputs]).expect("as many elements")
        })
    }));
    edges
}

/// The convolution whose gradient this is: its output has the size of `input`.
#[track_caller]
fn transposed_sliding(
    op: &str,
    options: ConvOptions<2>,
    output_padding: [usize; 2],
    input: [usize; 2],
    kernel: [usize; 2],
) -> Sliding {
    let ConvOptions { stride, padding, dilation, .. } = options;
    let Padding::Zeros(zeros) = padding else {
        panic!("`{op}`: how large an output `Padding::Same` came from is not known; give the zeros")
    };
    let output = [0, 1].map(|axis| {
        let (stride, dilation, extra) = (stride[axis], dilation[axis], output_padding[axis]);
        assert!(
            kernel[axis] > 0 && stride > 0 && dilation > 0 && extra < stride.max(dilation),
            "`{op}`: window {}, stride {stride} and dilation {dilation} must be at least 1, and the output padding \
             {extra} smaller than one of the last two",
            kernel[axis]
        );
        let whole = (input[axis] - 1) * stride + dilation * (kernel[axis] - 1) + 1 + extra;
        assert!(
            whole > 2 * zeros[axis],
            "`{op}`: nothing of an output of {whole} is left within a padding of {}",
            zeros[axis]
        );
        whole - 2 * zeros[axis]
    });
    Sliding { input: output, kernel, output: input, stride, dilation, before: zeros }
}

/// Height and width.
fn size<F: Real>(images: &Tensor<F>) -> [usize; 2] {
    [images.shape()[2], images.shape()[3]]
}
