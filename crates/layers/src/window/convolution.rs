use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{ConvOptions, Param, Real, Var, module};

use super::{bias_on, of_group, parameters};
use crate::Layer;

/// Filters that slide over images `[n, in, h, w]`: [`Var::conv2d`], where the formula is.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// use wengert_autodiff::{ConvOptions, Padding};
/// use wengert_layers::Conv2d;
///
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let plain: Conv2d = Conv2d::new(1, 6, [5, 5], rng);
/// let options = ConvOptions { stride: [2, 2], padding: Padding::Same, groups: 6, ..ConvOptions::default() };
/// let depthwise: Conv2d = Conv2d { bias: None, ..Conv2d::with_options(6, 12, [3, 3], options, rng) };
/// assert_eq!((plain.weight.shape(), depthwise.weight.shape()), (&[6, 1, 5, 5][..], &[12, 1, 3, 3][..]));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("Convolution", "convolutional layer"))]
pub struct Conv2d<F: Real = f32> {
    /// `W: [out, in / groups, kernel_h, kernel_w]`.
    #[doc(alias = "kernel")]
    pub weight: Param<F>,
    /// `b: [out]`, or none.
    #[doc(alias = "use_bias")]
    pub bias: Option<Param<F>>,
    /// Stride, padding, dilation and groups.
    pub options: ConvOptions<2>,
}

module!(Conv2d<F> { weight, bias });

impl<F: Real> Conv2d<F> {
    /// Filters of the size `kernel`, with stride 1 and no padding. Weight and bias are drawn uniformly from ±1/√fan
    /// with `fan = in kernel_h kernel_w`, PyTorch's default.
    ///
    /// # Panics
    ///
    /// If there are no inputs or the kernel is empty.
    #[track_caller]
    #[doc(alias("in_channels", "out_channels", "filters", "kernel_size"))]
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
        of_group("Conv2d", outputs, options.groups);
        let shape = [outputs, of_group("Conv2d", inputs, options.groups), kernel[0], kernel[1]];
        let (weight, bias) = parameters("Conv2d", &shape, outputs, rng);
        Self { weight, bias: Some(bias), options }
    }
}

impl<F: Real> Layer<F> for Conv2d<F> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let tape = x.tape();
        x.conv2d(tape.param(&self.weight), bias_on(tape, &self.bias), self.options)
    }
}

/// Filters that slide over signals `[n, in, l]`: [`Var::conv1d`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("Convolution", "temporal convolution"))]
pub struct Conv1d<F: Real = f32> {
    /// `W: [out, in / groups, kernel]`.
    #[doc(alias = "kernel")]
    pub weight: Param<F>,
    /// `b: [out]`, or none.
    #[doc(alias = "use_bias")]
    pub bias: Option<Param<F>>,
    /// Stride, padding, dilation and groups.
    pub options: ConvOptions<1>,
}

module!(Conv1d<F> { weight, bias });

impl<F: Real> Conv1d<F> {
    /// Filters of the length `kernel`, with stride 1 and no padding, drawn as those of [`Conv2d`].
    ///
    /// # Panics
    ///
    /// If there are no inputs or the kernel is empty.
    #[track_caller]
    #[doc(alias("in_channels", "out_channels", "filters", "kernel_size"))]
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
        of_group("Conv1d", outputs, options.groups);
        let shape = [outputs, of_group("Conv1d", inputs, options.groups), kernel];
        let (weight, bias) = parameters("Conv1d", &shape, outputs, rng);
        Self { weight, bias: Some(bias), options }
    }
}

impl<F: Real> Layer<F> for Conv1d<F> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let tape = x.tape();
        x.conv1d(tape.param(&self.weight), bias_on(tape, &self.bias), self.options)
    }
}
