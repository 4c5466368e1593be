//! Logarithms to other bases, the inverse root and the error function.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10};

use super::unary::times_scaled_exp;
use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// `y = log₂ x`, in the shape of `x`; `dx = dy / (x ln 2)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 8.0]).log2().value(), [0.0, 3.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn log2(self) -> Self {
        self.unary("log2", F::log2, |dy, x, _| dy / x / F::from_f64(LN_2))
    }

    /// `y = log₁₀ x`, in the shape of `x`; `dx = dy / (x ln 10)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 100.0]).log10().value(), [0.0, 2.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn log10(self) -> Self {
        self.unary("log10", F::log10, |dy, x, _| quotient(dy, x, F::from_f64(LN_10)))
    }

    /// `y = 1/√x`, in the shape of `x`; `dx = -y³ dy / 2`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 4.0]).rsqrt().value(), [1.0, 0.5].into_tensor());
    /// ```
    #[doc(alias = "inverse_sqrt")]
    #[track_caller]
    pub fn rsqrt(self) -> Self {
        self.unary("rsqrt", |x| x.sqrt().recip(), |dy, _, y| -(dy * (F::from_f64(0.5) * y)) * y * y)
    }

    /// The error function, `y = 2/√π ∫₀ˣ exp(-t²) dt`, in the shape of `x`; `dx = 2/√π exp(-x²) dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 10.0]).erf().value(), [0.0, 1.0].into_tensor());
    /// ```
    #[doc(alias = "error_function")]
    #[track_caller]
    pub fn erf(self) -> Self {
        self.unary("erf", F::erf, |dy, x, _| times_scaled_exp(F::from_f64(FRAC_2_SQRT_PI), dy, -x * x))
    }
}

/// `f / x / c` for `c > 1`, also where `f / x` is too large.
fn quotient<F: Real>(f: F, x: F, c: F) -> F {
    let first = f / x;
    if first.is_infinite() { f / c / x } else { first / c }
}
