use serde::{Deserialize, Serialize};
use wengert_autodiff::Real;

use crate::HyperError;
use crate::rule::Check;

/// The number that keeps `g / √v` finite, and where it stands. The two are different algorithms, not two spellings of
/// one: the smallest divisor is `ε` outside the root and `√ε` inside, so that `ε = 1e-8` inside acts like `1e-4` outside.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Epsilon {
    /// `g / (√v + ε)`, as in PyTorch. ε has the unit of a gradient.
    Outside(f64),
    /// `g / √(v + ε)`, as in TensorFlow, Keras and optax. ε has the unit of a squared gradient.
    Inside(f64),
}

impl Epsilon {
    /// The number, wherever it stands.
    pub fn value(self) -> f64 {
        match self {
            Self::Outside(eps) | Self::Inside(eps) => eps,
        }
    }

    /// Whether ε is larger than what it is added to, so that it and not `v` decides the size of the step.
    pub(crate) fn dominates(self, v: f64) -> bool {
        match self {
            Self::Outside(eps) => v.sqrt() < eps,
            Self::Inside(eps) => v < eps,
        }
    }

    /// Without a positive ε, an element whose gradient was always zero would be updated by `0 / 0`.
    pub(crate) fn check<F: Real>(self, check: Check) -> Result<Check, HyperError> {
        let eps = self.value();
        let fits = eps.is_finite() && F::of(eps) > F::ZERO;
        check.that(fits, "eps", eps, "finite and positive in the precision of the parameters")
    }

    pub(crate) fn root<F: Real>(self) -> Root<F> {
        match self {
            Self::Outside(eps) => Root { inside: F::ZERO, outside: F::of(eps) },
            Self::Inside(eps) => Root { inside: F::of(eps), outside: F::ZERO },
        }
    }
}

/// `√(v + inside) + outside`. One of the two is zero, and adding zero is exact: both placements share one loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<F> {
    inside: F,
    outside: F,
}

impl<F: Real> Root<F> {
    #[inline]
    pub(crate) fn of(self, v: F) -> F {
        (v + self.inside).sqrt() + self.outside
    }
}
