//! `+ - * / %`, comparisons, sums.

use std::cmp::Ordering;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use num_traits::{Num, One, Zero};

use super::{Dual, along};
use crate::Real;

/// The values.
impl<F: Real> PartialEq for Dual<F> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The values.
impl<F: Real> PartialOrd for Dual<F> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<F: Real> Neg for Dual<F> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(-self.value, -self.tangent)
    }
}

impl<F: Real> Add for Dual<F> {
    type Output = Self;

    #[inline(always)]
    fn add(self, b: Self) -> Self {
        Self::new(self.value + b.value, self.tangent + b.tangent)
    }
}

impl<F: Real> Sub for Dual<F> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        Self::new(self.value - b.value, self.tangent - b.tangent)
    }
}

impl<F: Real> Mul for Dual<F> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        Self::new(self.value * b.value, along(self.value, b.tangent) + along(b.value, self.tangent))
    }
}

impl<F: Real> Div for Dual<F> {
    type Output = Self;

    #[inline(always)]
    fn div(self, b: Self) -> Self {
        let quotient = self.value / b.value;
        let moved = self.tangent - along(quotient, b.tangent);
        Self::new(quotient, if moved.is_zero() { F::ZERO } else { moved / b.value })
    }
}

impl<F: Real> Rem for Dual<F> {
    type Output = Self;

    /// `a - ⌊a / b⌋ b`, rounded towards 0.
    fn rem(self, b: Self) -> Self {
        let rest = self.value % b.value;
        Self::new(rest, self.tangent - along(((self.value - rest) / b.value).round(), b.tangent))
    }
}

macro_rules! assign {
    ($($trait:ident, $method:ident, $op:tt;)*) => {
        $(impl<F: Real> $trait for Dual<F> {
            #[inline(always)]
            fn $method(&mut self, b: Self) {
                *self = *self $op b;
            }
        })*
    };
}

assign! {
    AddAssign, add_assign, +;
    SubAssign, sub_assign, -;
    MulAssign, mul_assign, *;
    DivAssign, div_assign, /;
    RemAssign, rem_assign, %;
}

impl<F: Real> Sum for Dual<F> {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, Add::add)
    }
}

impl<F: Real> Zero for Dual<F> {
    #[inline(always)]
    fn zero() -> Self {
        Self::ZERO
    }

    /// Whether both parts are 0.
    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.value.is_zero() && self.tangent.is_zero()
    }
}

impl<F: Real> One for Dual<F> {
    #[inline(always)]
    fn one() -> Self {
        Self::ONE
    }
}

impl<F: Real> Num for Dual<F> {
    type FromStrRadixErr = F::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        F::from_str_radix(text, radix).map(Self::from)
    }
}
