//! Comparisons as numbers: 1 where they hold, else 0.

use crate::compute::elementwise;
use crate::{Real, Var};

/// # Comparisons
///
/// A number is compared as a constant: `x.gt(tape.constant(0.5))`.
impl<F: Real> Var<'_, F> {
    /// 1 where `a` is larger than `b`, else 0, in the common shape; NaN gives 0.
    /// A constant: no gradient goes through it.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).gt(tape.constant(2.0)).value(), [0.0, 0.0, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias = "greater")]
    #[track_caller]
    pub fn gt(self, rhs: Self) -> Self {
        self.compare("gt", rhs, |a, b| a > b)
    }

    /// 1 where `a` is at least `b`, else 0, in the common shape; NaN gives 0.
    /// A constant: no gradient goes through it.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).ge(tape.constant(2.0)).value(), [0.0, 1.0, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias = "greater_equal")]
    #[track_caller]
    pub fn ge(self, rhs: Self) -> Self {
        self.compare("ge", rhs, |a, b| a >= b)
    }

    /// 1 where `a` is smaller than `b`, else 0, in the common shape; NaN gives 0.
    /// A constant: no gradient goes through it.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).lt(tape.constant(2.0)).value(), [1.0, 0.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias("less", "lower"))]
    #[track_caller]
    pub fn lt(self, rhs: Self) -> Self {
        self.compare("lt", rhs, |a, b| a < b)
    }

    /// 1 where `a` is at most `b`, else 0, in the common shape; NaN gives 0.
    /// A constant: no gradient goes through it.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).le(tape.constant(2.0)).value(), [1.0, 1.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias("less_equal", "lower_equal"))]
    #[track_caller]
    pub fn le(self, rhs: Self) -> Self {
        self.compare("le", rhs, |a, b| a <= b)
    }

    /// 1 where `a` equals `b`, else 0, in the common shape; NaN gives 0.
    /// A constant: no gradient goes through it.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).eq(tape.constant(2.0)).value(), [0.0, 1.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias = "equal")]
    #[track_caller]
    pub fn eq(self, rhs: Self) -> Self {
        self.compare("eq", rhs, |a, b| a == b)
    }

    /// 1 where `a` differs from `b`, else 0, in the common shape; NaN differs from everything.
    /// A constant: no gradient goes through it.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).ne(tape.constant(2.0)).value(), [1.0, 0.0, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias = "not_equal")]
    #[track_caller]
    pub fn ne(self, rhs: Self) -> Self {
        self.compare("ne", rhs, |a, b| a != b)
    }

    #[track_caller]
    fn compare(self, op: &'static str, rhs: Self, holds: impl Fn(F, F) -> bool + Sync) -> Self {
        let shape = self.broadcast_with(op, rhs);
        let truth = |a, b| if holds(a, b) { F::ONE } else { F::ZERO };
        let y = elementwise::broadcast_map(&self.value(), &rhs.value(), &shape, truth);
        self.tape().constant(y)
    }
}
