//! Whole numbers near `x`.

use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// The largest whole number that is not above `x`, in the shape of `x`. The gradient is 0 everywhere.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -1.5]).floor().value(), [1.0, -2.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn floor(self) -> Self {
        self.unary("floor", F::floor, |_, _, _| F::ZERO)
    }

    /// The smallest whole number that is not below `x`, in the shape of `x`. The gradient is 0 everywhere.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -1.5]).ceil().value(), [2.0, -1.0].into_tensor());
    /// ```
    #[doc(alias = "ceiling")]
    #[track_caller]
    pub fn ceil(self) -> Self {
        self.unary("ceil", F::ceil, |_, _, _| F::ZERO)
    }

    /// `x` without its fraction, in the shape of `x`. The gradient is 0 everywhere.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -1.5]).trunc().value(), [1.0, -1.0].into_tensor());
    /// ```
    #[doc(alias = "fix")]
    #[track_caller]
    pub fn trunc(self) -> Self {
        self.unary("trunc", F::trunc, |_, _, _| F::ZERO)
    }

    /// The nearest whole number, of two equally near ones the even one as in IEEE 754 and PyTorch, in the shape of `x`.
    /// The gradient is 0 everywhere.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.7, 2.5, -3.5]).round().value(), [2.0, 2.0, -4.0].into_tensor());
    /// ```
    #[doc(alias("round_ties_even", "rint"))]
    #[track_caller]
    pub fn round(self) -> Self {
        self.unary("round", half_to_even, |_, _, _| F::ZERO)
    }
}

fn half_to_even<F: Real>(x: F) -> F {
    let half = F::from_f64(0.5);
    if x.fract().abs() == half { (x * half).round() / half } else { x.round() }
}
