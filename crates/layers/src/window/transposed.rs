use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{ConvOptions, Param, Real, Var, module};

use super::{bias_on, of_group, parameters};
use crate::Layer;

/// The transpose of a convolution, which makes images `[n, in, h, w]` larger: [`Var::conv_transpose2d`], where the size
/// of the output is.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// use wengert_autodiff::{ConvOptions, Tape, Tensor};
/// use wengert_layers::{ConvTranspose2d, Layer};
///
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let options = ConvOptions { stride: [2, 2], ..ConvOptions::default() };
/// let twice: ConvTranspose2d = ConvTranspose2d::with_options(8, 4, [2, 2], options, rng);
/// let tape = Tape::new();
/// assert_eq!(twice.forward(tape.constant(Tensor::zeros(vec![1, 8, 7, 7]))).shape(), [1, 4, 14, 14]);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("deconvolution", "Conv2DTranspose"))]
pub struct ConvTranspose2d<F: Real = f32> {
    /// `W: [in, out / groups, kernel_h, kernel_w]`.
    pub weight: Param<F>,
    /// `b: [out]`, or none.
    pub bias: Option<Param<F>>,
    /// Stride, padding, dilation and groups.
    pub options: ConvOptions<2>,
    /// Rows and columns more at the end, smaller than the stride or the dilation: 0.
    pub output_padding: [usize; 2],
}

module!(ConvTranspose2d<F> { weight, bias });

impl<F: Real> ConvTranspose2d<F> {
    /// Filters of the size `kernel`, with stride 1 and no padding. Weight and bias are drawn uniformly from ±1/√fan
    /// with `fan = out kernel_h kernel_w`, PyTorch's default.
    ///
    /// # Panics
    ///
    /// If there are no outputs or the kernel is empty.
    #[track_caller]
    #[doc(alias("in_channels", "out_channels", "kernel_size"))]
    pub fn new(inputs: usize, outputs: usize, kernel: [usize; 2], rng: &mut dyn Rng) -> Self {
        Self::with_options(inputs, outputs, kernel, ConvOptions::default(), rng)
    }

    /// The same with these options; the fan is that of a group.
    ///
    /// # Panics
    ///
    /// As there; if inputs or outputs cannot be divided into the groups.
    #[track_caller]
    pub fn with_options(
        inputs: usize,
        outputs: usize,
        kernel: [usize; 2],
        options: ConvOptions<2>,
        rng: &mut dyn Rng,
    ) -> Self {
        of_group("ConvTranspose2d", inputs, options.groups);
        let shape = [inputs, of_group("ConvTranspose2d", outputs, options.groups), kernel[0], kernel[1]];
        let (weight, bias) = parameters("ConvTranspose2d", &shape, outputs, rng);
        Self { weight, bias: Some(bias), options, output_padding: [0, 0] }
    }
}

impl<F: Real> Layer<F> for ConvTranspose2d<F> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let (tape, extra) = (x.tape(), self.output_padding);
        x.conv_transpose2d(tape.param(&self.weight), bias_on(tape, &self.bias), self.options, extra)
    }
}

/// The transpose of a convolution of signals `[n, in, l]`: [`Var::conv_transpose1d`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("deconvolution", "Conv1DTranspose"))]
pub struct ConvTranspose1d<F: Real = f32> {
    /// `W: [in, out / groups, kernel]`.
    pub weight: Param<F>,
    /// `b: [out]`, or none.
    pub bias: Option<Param<F>>,
    /// Stride, padding, dilation and groups.
    pub options: ConvOptions<1>,
    /// Elements more at the end, smaller than the stride or the dilation: 0.
    pub output_padding: [usize; 1],
}

module!(ConvTranspose1d<F> { weight, bias });

impl<F: Real> ConvTranspose1d<F> {
    /// Filters of the length `kernel`, with stride 1 and no padding, drawn as those of [`ConvTranspose2d`].
    ///
    /// # Panics
    ///
    /// If there are no outputs or the kernel is empty.
    #[track_caller]
    #[doc(alias("in_channels", "out_channels", "kernel_size"))]
    pub fn new(inputs: usize, outputs: usize, kernel: usize, rng: &mut dyn Rng) -> Self {
        Self::with_options(inputs, outputs, kernel, ConvOptions::default(), rng)
    }

    /// The same with these options.
    ///
    /// # Panics
    ///
    /// As there; if inputs or outputs cannot be divided into the groups.
    #[track_caller]
    pub fn with_options(
        inputs: usize,
        outputs: usize,
        kernel: usize,
        options: ConvOptions<1>,
        rng: &mut dyn Rng,
    ) -> Self {
        of_group("ConvTranspose1d", inputs, options.groups);
        let shape = [inputs, of_group("ConvTranspose1d", outputs, options.groups), kernel];
        let (weight, bias) = parameters("ConvTranspose1d", &shape, outputs, rng);
        Self { weight, bias: Some(bias), options, output_padding: [0] }
    }
}

impl<F: Real> Layer<F> for ConvTranspose1d<F> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let (tape, extra) = (x.tape(), self.output_padding);
        x.conv_transpose1d(tape.param(&self.weight), bias_on(tape, &self.bias), self.options, extra)
    }
}
