//! `+=` and its like, and the sum of several tensors.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Sub, SubAssign};

use crate::{Real, Var};

/// `a += b` is `a = a + b`: the name moves on to a new node, and what used the old one keeps it.
macro_rules! assign {
    ($trait:ident, $method:ident, $op:ident, $sign:tt) => {
        impl<F: Real, R> $trait<R> for Var<'_, F>
        where
            Self: $op<R, Output = Self>,
        {
            #[track_caller]
            fn $method(&mut self, rhs: R) {
                *self = *self $sign rhs;
            }
        }
    };
}

assign!(AddAssign, add_assign, Add, +);
assign!(SubAssign, sub_assign, Sub, -);
assign!(MulAssign, mul_assign, Mul, *);
assign!(DivAssign, div_assign, Div, /);

impl<F: Real> Sum for Var<'_, F> {
    /// The sum of all tensors, which are broadcast; added in pairs, so that the error grows with the logarithm of their
    /// number.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let losses = [tape.variable(1.0), tape.variable(2.0), tape.variable(3.0)];
    /// assert_eq!(losses.into_iter().sum::<wengert_autodiff::Var<'_, f64>>().item(), 6.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is none: nothing has no tape. If the shapes cannot be broadcast together.
    fn sum<I: Iterator<Item = Self>>(tensors: I) -> Self {
        let mut sums: Vec<_> = tensors.collect();
        assert!(!sums.is_empty(), "`sum` of an iterator without tensors: start from `tape.constant(0.0)`");
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| pair[1..].iter().fold(pair[0], |a, &b| a + b)).collect();
        }
        sums[0]
    }
}
