//! Random initial values. Numbers are drawn in `f64` and then rounded, so that an `f32` and an `f64` model of one seed
//! start from the same values.

use ndarray::ArrayD;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use wengert_autodiff::Real;

/// Uniform on `[lo, hi)`.
///
/// # Panics
///
/// Unless `lo ≤ hi`, both finite.
#[track_caller]
pub fn uniform<F: Real>(shape: &[usize], lo: f64, hi: f64, rng: &mut (impl Rng + ?Sized)) -> ArrayD<F> {
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
pub fn normal<F: Real>(shape: &[usize], mean: f64, std: f64, rng: &mut (impl Rng + ?Sized)) -> ArrayD<F> {
    assert!(
        std >= 0.0 && (mean + std).is_finite(),
        "`normal` needs a finite mean and standard deviation, not {mean} and {std}"
    );
    draw(shape, || {
        let z: f64 = StandardNormal.sample(rng);
        mean + std * z
    })
}

fn draw<F: Real>(shape: &[usize], mut number: impl FnMut() -> f64) -> ArrayD<F> {
    ArrayD::from_shape_simple_fn(shape, || F::of(number()))
}
