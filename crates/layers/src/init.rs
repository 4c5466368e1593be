//! Initial values for weights, as functions of a shape and a random generator.
//!
//! The fans of a weight `[out, in, …]` are `in · …` and `out · …`, the sizes after the second axis multiplied in.
//! Numbers are drawn in `f64` and then rounded, so that an `f32` and an `f64` model of one seed start alike. Zeros and
//! other constants are ndarray's own (`Array::zeros`, `Array::from_elem`).

use ndarray::{Array1, Array2, ArrayD, Axis};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use wengert_autodiff::Real;

/// The factor by which the weights before a [`tanh`](wengert_autodiff::Var::tanh) should be larger: 5/3. These gains
/// are PyTorch's; before a sigmoid or nothing at all the gain is 1.
#[doc(alias = "calculate_gain")]
pub const TANH_GAIN: f64 = 5.0 / 3.0;

/// The gain before a [`relu`](wengert_autodiff::Var::relu), which loses half of the variance: √2.
#[doc(alias = "calculate_gain")]
pub const RELU_GAIN: f64 = std::f64::consts::SQRT_2;

/// The gain before a SELU: 3/4.
#[doc(alias = "calculate_gain")]
pub const SELU_GAIN: f64 = 0.75;

/// The gain before a [`leaky_relu`](wengert_autodiff::Var::leaky_relu) of this slope: √(2 / (1 + slope²)).
#[doc(alias = "calculate_gain")]
pub fn leaky_relu_gain(slope: f64) -> f64 {
    (2.0 / (1.0 + slope * slope)).sqrt()
}

/// Whose variance [`kaiming_uniform`] and [`kaiming_normal`] keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias("mode", "fan_mode"))]
pub enum Fan {
    /// The values', from layer to layer.
    #[doc(alias = "fan_in")]
    In,
    /// The gradients', on the way back.
    #[doc(alias = "fan_out")]
    Out,
}

/// Uniform between `lo` and `hi`.
///
/// # Panics
///
/// Unless `lo ≤ hi`, both finite.
#[track_caller]
#[doc(alias("uniform_", "RandomUniform"))]
pub fn uniform<F: Real>(shape: &[usize], lo: f64, hi: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    assert!(
        lo <= hi && lo.is_finite() && hi.is_finite(),
        "`uniform` needs finite bounds in order, not {lo} and {hi}"
    );
    draw(shape, || lo + (hi - lo) * rng.random::<f64>())
}

/// The normal distribution.
///
/// # Panics
///
/// If `std` is negative, or one of the two is not finite.
#[track_caller]
#[doc(alias("normal_", "RandomNormal", "gaussian"))]
pub fn normal<F: Real>(shape: &[usize], mean: f64, std: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    assert!(
        std >= 0.0 && (mean + std).is_finite(),
        "`normal` needs a finite mean and standard deviation, not {mean} and {std}"
    );
    draw(shape, || mean + std * standard_normal(rng))
}

/// The normal distribution of this mean and standard deviation, cut off below `lo` and above `hi`; the bounds are
/// absolute, not multiples of `std`.
///
/// # Panics
///
/// Unless `lo ≤ mean ≤ hi` and at least one bound is `std` or more from the mean: each number is drawn again until it
/// fits, which would take long.
#[track_caller]
#[doc(alias("trunc_normal_", "TruncatedNormal"))]
pub fn truncated_normal<F: Real>(
    shape: &[usize],
    mean: f64,
    std: f64,
    lo: f64,
    hi: f64,
    rng: &mut dyn Rng,
) -> ArrayD<F> {
    assert!(
        std > 0.0 && lo <= mean && mean <= hi && (mean - lo).max(hi - mean) >= std,
        "`truncated_normal` needs bounds around the mean {mean}, one of them {std} or more away, not {lo} and {hi}"
    );
    draw(shape, || {
        loop {
            let x = mean + std * standard_normal(rng);
            if (lo..=hi).contains(&x) {
                return x;
            }
        }
    })
}

/// Uniform with variance `gain² · 2 / (fan_in + fan_out)`, hence within `± gain √(6 / (fan_in + fan_out))` (Glorot and
/// Bengio, 2010).
///
/// # Panics
///
/// If the shape has fewer than two axes or both fans are 0.
#[track_caller]
#[doc(alias("xavier_uniform_", "glorot_uniform", "GlorotUniform"))]
pub fn xavier_uniform<F: Real>(shape: &[usize], gain: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    let bound = 3.0_f64.sqrt() * xavier_std(shape, gain);
    uniform(shape, -bound, bound, rng)
}

/// Normal with variance `gain² · 2 / (fan_in + fan_out)` (Glorot and Bengio, 2010).
///
/// # Panics
///
/// If the shape has fewer than two axes or both fans are 0.
#[track_caller]
#[doc(alias("xavier_normal_", "glorot_normal", "GlorotNormal"))]
pub fn xavier_normal<F: Real>(shape: &[usize], gain: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    normal(shape, 0.0, xavier_std(shape, gain), rng)
}

/// Uniform with variance `gain² / fan`, hence within `± gain √(3 / fan)` (He et al., 2015, with the gain
/// [`RELU_GAIN`]). With `gain` 1 and [`Fan::In`] it is LeCun's.
///
/// # Panics
///
/// If the shape has fewer than two axes or the fan is 0.
#[track_caller]
#[doc(alias("kaiming_uniform_", "he_uniform", "HeUniform"))]
pub fn kaiming_uniform<F: Real>(shape: &[usize], fan: Fan, gain: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    let bound = 3.0_f64.sqrt() * kaiming_std(shape, fan, gain);
    uniform(shape, -bound, bound, rng)
}

/// Normal with variance `gain² / fan` (He et al., 2015, with the gain [`RELU_GAIN`]). With `gain` 1 and [`Fan::In`] it
/// is LeCun's.
///
/// # Panics
///
/// If the shape has fewer than two axes or the fan is 0.
#[track_caller]
#[doc(alias("kaiming_normal_", "he_normal", "HeNormal"))]
pub fn kaiming_normal<F: Real>(shape: &[usize], fan: Fan, gain: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    normal(shape, 0.0, kaiming_std(shape, fan, gain), rng)
}

/// Uniform with variance `1 / fan_in`, hence within `± √(3 / fan_in)` (LeCun et al., 1998).
///
/// # Panics
///
/// If the shape has fewer than two axes or the fan is 0.
#[track_caller]
#[doc(alias("LecunUniform", "variance_scaling"))]
pub fn lecun_uniform<F: Real>(shape: &[usize], rng: &mut dyn Rng) -> ArrayD<F> {
    kaiming_uniform(shape, Fan::In, 1.0, rng)
}

/// Normal with variance `1 / fan_in` (LeCun et al., 1998), not truncated.
///
/// # Panics
///
/// If the shape has fewer than two axes or the fan is 0.
#[track_caller]
#[doc(alias("LecunNormal", "variance_scaling"))]
pub fn lecun_normal<F: Real>(shape: &[usize], rng: &mut dyn Rng) -> ArrayD<F> {
    kaiming_normal(shape, Fan::In, 1.0, rng)
}

/// `gain` times a random matrix `[out, in · …]` with orthonormal rows, or columns where there are more rows than
/// columns, uniform over all such matrices (Saxe et al., 2014).
///
/// # Panics
///
/// If the shape has fewer than two axes.
#[track_caller]
#[doc(alias = "orthogonal_")]
pub fn orthogonal<F: Real>(shape: &[usize], gain: f64, rng: &mut dyn Rng) -> ArrayD<F> {
    assert!(shape.len() >= 2, "`orthogonal` needs a shape [out, in, …], not {shape:?}");
    let (rows, columns) = (shape[0], shape[1..].iter().product::<usize>());
    let mut q = orthonormal_rows(rows.min(columns), rows.max(columns), rng);
    if rows > columns {
        q = q.reversed_axes();
    }
    let weight = q.iter().map(|&x| F::from_f64(gain * x)).collect();
    ArrayD::from_shape_vec(shape, weight).expect("as many elements")
}

/// Gram and Schmidt's method on normal vectors. The second round takes off what rounding left in the first.
fn orthonormal_rows(count: usize, length: usize, rng: &mut dyn Rng) -> Array2<f64> {
    let mut q = Array2::zeros((count, length));
    for i in 0..count {
        let mut v = Array1::from_shape_simple_fn(length, || standard_normal(rng));
        let (before, mut after) = q.view_mut().split_at(Axis(0), i);
        for _round in 0..2 {
            let shadow = before.t().dot(&before.dot(&v));
            v -= &shadow;
        }
        let norm = v.dot(&v).sqrt();
        after.row_mut(0).assign(&(v / norm));
    }
    q
}

#[track_caller]
fn xavier_std(shape: &[usize], gain: f64) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    gain * (2.0 / (fan_in + fan_out)).sqrt()
}

#[track_caller]
fn kaiming_std(shape: &[usize], fan: Fan, gain: f64) -> f64 {
    let (fan_in, fan_out) = fans(shape);
    gain / match fan {
        Fan::In => fan_in.sqrt(),
        Fan::Out => fan_out.sqrt(),
    }
}

#[track_caller]
fn fans(shape: &[usize]) -> (f64, f64) {
    let [out, inputs, rest @ ..] = shape else {
        panic!("a weight of shape {shape:?} has no fans: [out, in, …] is needed");
    };
    let rest = rest.iter().product::<usize>();
    ((inputs * rest) as f64, (out * rest) as f64)
}

fn standard_normal(rng: &mut dyn Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn draw<F: Real>(shape: &[usize], mut number: impl FnMut() -> f64) -> ArrayD<F> {
    ArrayD::from_shape_simple_fn(shape, || F::from_f64(number()))
}
