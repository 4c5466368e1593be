use wengert_autodiff::Real;

/// The exponential moving average `a ← ρ a + (1 - ρ) x`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ema<F> {
    rho: F,
    /// `1 - ρ`, subtracted before it is rounded: `1 - 0.999` in `f32` would be wrong in the fifth digit.
    fresh: F,
}

impl<F: Real> Ema<F> {
    pub(crate) fn new(rho: f64) -> Self {
        Self { rho: F::from_f64(rho), fresh: F::from_f64(1.0 - rho) }
    }

    #[inline]
    pub(crate) fn next(self, a: F, x: F) -> F {
        flush_subnormal(self.rho * a + self.fresh * x)
    }
}

/// The number, or zero if it is denormal: smaller than 1.2e-38 in `f32`, 2.2e-308 in `f64`.
///
/// The memory of a gradient that stays zero decays into that range and would remain there for good, since `ρ` times the
/// smallest number rounds to itself. Arithmetic on denormal numbers can take a hundred times as long, and they are of
/// no account: a root of 1e-19 beside ε.
#[inline]
pub(crate) fn flush_subnormal<F: Real>(x: F) -> F {
    if x.abs() < F::min_positive_value() { F::ZERO } else { x }
}

/// The gradient as it is averaged and squared: one whose square would leave the range counts as the largest whose
/// square does not. An infinite average would silence its element for good; and the step, which depends on ratios
/// (RAdam's first ones apart), stays the same. An infinite gradient stays infinite and makes the parameter NaN, which
/// is seen.
#[inline]
pub(crate) fn squarable<F: Real>(g: F) -> F {
    // A little below the root, so that averages of squares do not round to infinity.
    let most = F::max_value().sqrt() * F::from_f64(0.999);
    if g.abs() > most && g.is_finite() { most * g.sign() } else { g }
}

/// The variance, from the averages of `g²` and of `g`: `v - m²`, or with bias correction `v - m² / (1 - ρᵗ)`, which the
/// correction is still to multiply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variance<F> {
    correction: F,
}

impl<F: Real> Variance<F> {
    /// `correction` is 1 where there is none.
    pub(crate) fn new(correction: f64) -> Self {
        Self { correction: F::from_f64(correction) }
    }

    /// Zero and `true` where rounding made it negative.
    #[inline]
    pub(crate) fn apply(self, v: F, m: F) -> (F, bool) {
        // `v` became zero where it would be denormal, and `m²`, which did not, must not count as larger.
        let variance = flush_subnormal(v - self.correction * m * m);
        let negative = variance < F::ZERO;
        (if negative { F::ZERO } else { variance }, negative)
    }
}

/// `1 / (1 - ρᵗ)`, the bias correction: what makes up for an average's start at zero.
pub(crate) fn bias_correction(rho: f64, steps: u64) -> f64 {
    (1.0 - rho.powf(steps as f64)).recip()
}
