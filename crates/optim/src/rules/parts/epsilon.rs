use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::rule::InvalidHyperparameter;

/// The number that keeps `g / √v` finite, and where it stands. The places are different algorithms, not spellings of
/// one: the smallest divisor is `ε` outside the root and `√ε` inside, so that `ε = 1e-8` inside acts like `1e-4`
/// outside.
///
/// The guide has [a chapter about it].
///
/// [a chapter about it]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/epsilon.md
#[doc(alias("eps", "eps_root", "eps_in_sqrt"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Epsilon {
    /// `g / (√v + ε)`, as in PyTorch. ε has the unit of a gradient.
    Outside(f64),
    /// `g / √(v + ε)`, as in TensorFlow, Keras and optax. ε has the unit of a squared gradient.
    Inside(f64),
    /// `g √(1 - βᵗ) / (√v + ε)`: outside the root, and added before the bias correction, so that ε counts for more in
    /// the first steps. The `ε̂` of the Adam paper's section 2, Keras's Adam, PyTorch's RAdam. Without bias correction
    /// the same as [`Outside`](Epsilon::Outside).
    Uncorrected(f64),
}

impl Epsilon {
    /// The number, wherever it stands.
    pub fn value(self) -> f64 {
        match self {
            Self::Outside(eps) | Self::Inside(eps) | Self::Uncorrected(eps) => eps,
        }
    }

    /// What ε is compared with where this correction multiplies `v`, for
    /// [`Explain::second_moment`](crate::inspect::Explain::second_moment).
    pub(crate) fn second_moment<F: Real>(self, v: &Tensor<F>, correction: f64) -> (Tensor<F>, Self) {
        let correction = F::from_f64(if matches!(self, Self::Uncorrected(_)) { 1.0 } else { correction });
        (v.mapv(|v| correction * v).into_shared(), self)
    }

    /// Whether ε is larger than what it is added to, so that it and not `v` decides the size of the step.
    pub(crate) fn dominates(self, v: f64) -> bool {
        match self {
            Self::Outside(eps) | Self::Uncorrected(eps) => v.sqrt() < eps,
            Self::Inside(eps) => v < eps,
        }
    }

    /// Without a positive ε, an element whose gradient was always zero would be updated by `0 / 0`.
    pub(crate) fn validate<F: Real>(self) -> Result<(), InvalidHyperparameter> {
        let eps = self.value();
        let fits = eps.is_finite() && F::from_f64(eps) > F::ZERO;
        InvalidHyperparameter::unless(
            fits,
            "eps",
            eps,
            "finite and positive in the precision of the parameters",
        )
    }

    /// The root of a `v` that this bias correction multiplies; 1 where there is none.
    pub(crate) fn root<F: Real>(self, correction: f64) -> Root<F> {
        let (inside, outside) = match self {
            Self::Outside(eps) => (0.0, eps),
            Self::Inside(eps) => (eps, 0.0),
            Self::Uncorrected(eps) => (0.0, eps * correction.sqrt()),
        };
        Root {
            correction: F::from_f64(correction),
            inside: F::from_f64(inside),
            outside: F::from_f64(outside),
        }
    }
}

/// `√(c v + inside) + outside`. One of the two is zero, and adding zero is exact: all placements share one loop.
/// The plain path of RMSProp adds `outside` itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<F> {
    correction: F,
    inside: F,
    pub(crate) outside: F,
}

impl<F: Real> Root<F> {
    #[inline]
    pub(crate) fn apply(self, v: F) -> F {
        (self.correction * v + self.inside).sqrt() + self.outside
    }
}
