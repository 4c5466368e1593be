use wengert_autodiff::Real;

/// The exponential moving average `a ← ρ a + (1 - ρ) x`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Average<F> {
    rho: F,
    /// `1 - ρ`, subtracted before it is rounded: `1 - 0.999` in `f32` would be wrong in the fifth digit.
    fresh: F,
}

impl<F: Real> Average<F> {
    pub(crate) fn new(rho: f64) -> Self {
        Self { rho: F::of(rho), fresh: F::of(1.0 - rho) }
    }

    #[inline]
    pub(crate) fn next(self, a: F, x: F) -> F {
        self.rho * a + self.fresh * x
    }
}

/// `1 / (1 - ρᵗ)`, the bias correction: what makes up for an average's start at zero.
pub(crate) fn correction(rho: f64, steps: u64) -> f64 {
    (1.0 - rho.powf(steps as f64)).recip()
}
