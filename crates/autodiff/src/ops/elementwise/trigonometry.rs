//! Functions of angles and hyperbolic functions, with their inverses.

use std::f64::consts::LN_2;

use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// `y = tan x`, in radians and in the shape of `x`; `dx = (1 + y²) dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(0.0).tan().item(), 0.0);
    /// ```
    #[track_caller]
    pub fn tan(self) -> Self {
        self.unary("tan", F::tan, |dy, _, y| dy * (F::ONE + y * y))
    }

    /// `y = arcsin x`, in radians and in the shape of `x`; `dx = dy / √(1 - x²)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(0.0).asin().item(), 0.0);
    /// ```
    #[doc(alias = "arcsin")]
    #[track_caller]
    pub fn asin(self) -> Self {
        self.unary("asin", F::asin, |dy, x, _| dy / root_of_rest(x))
    }

    /// `y = arccos x`, in radians and in the shape of `x`; `dx = -dy / √(1 - x²)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(1.0).acos().item(), 0.0);
    /// ```
    #[doc(alias = "arccos")]
    #[track_caller]
    pub fn acos(self) -> Self {
        self.unary("acos", F::acos, |dy, x, _| -dy / root_of_rest(x))
    }

    /// `y = arctan x`, in radians and in the shape of `x`; `dx = dy / (1 + x²)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(0.0).atan().item(), 0.0);
    /// ```
    #[doc(alias = "arctan")]
    #[track_caller]
    pub fn atan(self) -> Self {
        self.unary("atan", F::atan, |dy, x, _| {
            if x.abs() > F::epsilon().recip() { dy / x / x } else { dy / (F::ONE + x * x) }
        })
    }

    /// `y = sinh x`, in the shape of `x`; `dx = cosh x dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(0.0).sinh().item(), 0.0);
    /// ```
    #[track_caller]
    pub fn sinh(self) -> Self {
        self.unary("sinh", F::sinh, |dy, x, _| {
            let slope = x.cosh();
            if slope.is_finite() { dy * slope } else { times_half_exp(dy, x.abs()) }
        })
    }

    /// `y = cosh x`, in the shape of `x`; `dx = sinh x dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(0.0).cosh().item(), 1.0);
    /// ```
    #[track_caller]
    pub fn cosh(self) -> Self {
        self.unary("cosh", F::cosh, |dy, x, _| {
            let slope = x.sinh();
            if slope.is_finite() { dy * slope } else { x.signum() * times_half_exp(dy, x.abs()) }
        })
    }

    /// `y = arsinh x`, in the shape of `x`; `dx = dy / √(x² + 1)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(0.0).asinh().item(), 0.0);
    /// ```
    #[doc(alias("arcsinh", "arsinh"))]
    #[track_caller]
    pub fn asinh(self) -> Self {
        self.unary("asinh", asinh, |dy, x, _| dy / x.hypot(F::ONE))
    }

    /// `y = arcosh x`, NaN below 1, in the shape of `x`; `dx = dy / √(x² - 1)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable(1.0).acosh().item(), 0.0);
    /// ```
    #[doc(alias("arccosh", "arcosh"))]
    #[track_caller]
    pub fn acosh(self) -> Self {
        self.unary("acosh", acosh, |dy, x, _| dy / (x - F::ONE).sqrt() / (x + F::ONE).sqrt())
    }

    /// `y = artanh x`, NaN outside of [-1, 1], in the shape of `x`; `dx = dy / (1 - x²)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 1.0]).atanh().value(), [0.0, f64::INFINITY].into_tensor());
    /// ```
    #[doc(alias("arctanh", "artanh"))]
    #[track_caller]
    pub fn atanh(self) -> Self {
        self.unary("atanh", atanh, |dy, x, _| dy / ((F::ONE - x) * (F::ONE + x)))
    }
}

/// `f eˣ / 2`, also where `eˣ` is too large.
fn times_half_exp<F: Real>(f: F, x: F) -> F {
    let half = F::from_f64(0.5);
    let root = (half * x).fast_exp();
    (f * root) * (half * root)
}

/// `√(1 - x²)`, which does not cancel.
fn root_of_rest<F: Real>(x: F) -> F {
    ((F::ONE - x) * (F::ONE + x)).sqrt()
}

/// From here on `√(x² ± 1)` is `x`, and `x²` may leave the range.
fn is_large<F: Real>(x: F) -> bool {
    x > F::epsilon().recip()
}

fn asinh<F: Real>(x: F) -> F {
    let size = x.abs();
    let y = if is_large(size) {
        size.ln() + F::from_f64(LN_2)
    } else {
        let square = size * size;
        (size + square / (F::ONE + (square + F::ONE).sqrt())).ln_1p()
    };
    y.copysign(x)
}

fn acosh<F: Real>(x: F) -> F {
    let above = x - F::ONE;
    if above < F::ZERO {
        F::nan()
    } else if is_large(x) {
        x.ln() + F::from_f64(LN_2)
    } else {
        (above + (above * (x + F::ONE)).sqrt()).ln_1p()
    }
}

fn atanh<F: Real>(x: F) -> F {
    let size = x.abs();
    (F::from_f64(0.5) * ((size + size) / (F::ONE - size)).ln_1p()).copysign(x)
}
