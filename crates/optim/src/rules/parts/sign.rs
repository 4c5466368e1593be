use wengert_autodiff::Real;

/// 1 or -1; zero and NaN stay what they are, so that nothing moves an element without a gradient, and nothing hides a NaN.
#[inline]
pub(crate) fn sign<F: Real>(x: F) -> F {
    if x > F::ZERO {
        F::ONE
    } else if x < F::ZERO {
        -F::ONE
    } else {
        x
    }
}
