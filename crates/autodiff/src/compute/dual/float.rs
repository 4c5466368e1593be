//! [`num_traits::Float`]: each function by the chain rule.

use std::f64::consts::{LN_2, LN_10};
use std::num::FpCategory;

use num_traits::{Float, NumCast, ToPrimitive};

use super::{Dual, along};
use crate::Real;
use crate::compute::real::tanh_slope;

impl<F: Real> ToPrimitive for Dual<F> {
    fn to_i64(&self) -> Option<i64> {
        self.value.to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.value.to_u64()
    }

    fn to_f64(&self) -> Option<f64> {
        self.value.to_f64()
    }
}

impl<F: Real> NumCast for Dual<F> {
    fn from<T: ToPrimitive>(n: T) -> Option<Self> {
        <F as NumCast>::from(n).map(Into::into)
    }
}

/// Functions without a slope, or whose slope is their argument's.
macro_rules! of_the_value {
    (constants $($constant:ident)*; asks $($ask:ident)*; steps $($step:ident)*) => {
        $(fn $constant() -> Self {
            F::$constant().into()
        })*
        $(#[inline(always)]
        fn $ask(self) -> bool {
            self.value.$ask()
        })*
        $(#[inline(always)]
        fn $step(self) -> Self {
            self.value.$step().into()
        })*
    };
}

/// `name: |x, y| slope` for `y = name(x)`.
macro_rules! chain_rule {
    ($($function:ident: |$x:ident, $y:pat_param| $slope:expr;)*) => {
        $(#[inline]
        fn $function(self) -> Self {
            let $x = self.value;
            let value = $x.$function();
            let $y = value;
            self.chain(value, $slope)
        })*
    };
}

impl<F: Real> Float for Dual<F> {
    of_the_value! {
        constants nan infinity neg_infinity neg_zero min_value min_positive_value epsilon max_value;
        asks is_nan is_infinite is_finite is_normal is_sign_positive is_sign_negative;
        steps floor ceil round trunc signum
    }

    chain_rule! {
        recip: |_x, y| -y * y;
        sqrt: |_x, y| F::from_f64(0.5) / y;
        cbrt: |_x, y| (F::from_f64(3.0) * y * y).recip();
        exp: |_x, y| y;
        exp2: |_x, y| y * F::from_f64(LN_2);
        exp_m1: |x, _| x.exp();
        ln: |x, _| x.recip();
        ln_1p: |x, _| (F::ONE + x).recip();
        log2: |x, _| x.recip() / F::from_f64(LN_2);
        log10: |x, _| x.recip() / F::from_f64(LN_10);
        sin: |x, _| x.cos();
        cos: |x, _| -x.sin();
        tan: |_x, y| F::ONE + y * y;
        asin: |x, _| root_of_rest(x).recip();
        acos: |x, _| -root_of_rest(x).recip();
        atan: |x, _| (F::ONE + x * x).recip();
        sinh: |x, _| x.cosh();
        cosh: |x, _| x.sinh();
        tanh: |x, _| tanh_slope(x);
        asinh: |x, _| x.hypot(F::ONE).recip();
        acosh: |x, _| ((x - F::ONE).sqrt() * (x + F::ONE).sqrt()).recip();
        atanh: |x, _| ((F::ONE - x) * (F::ONE + x)).recip();
        fract: |_x, _| F::ONE;
        to_degrees: |_x, _| F::ONE.to_degrees();
        to_radians: |_x, _| F::ONE.to_radians();
    }

    /// At 0 and -0 with the slope of the positive side, like every formula here that branches on the sign of `x`.
    #[inline(always)]
    fn abs(self) -> Self {
        Self::new(self.value.abs(), if self.value < F::ZERO { -self.tangent } else { self.tangent })
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        let turned = (self.value < F::ZERO) != (sign.value < F::ZERO);
        Self::new(self.value.copysign(sign.value), if turned { -self.tangent } else { self.tangent })
    }

    /// Of equal numbers the first.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        let value = self.value.max(other.value);
        Self::new(value, if value == self.value { self.tangent } else { other.tangent })
    }

    /// Of equal numbers the first.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        let value = self.value.min(other.value);
        Self::new(value, if value == self.value { self.tangent } else { other.tangent })
    }

    fn abs_sub(self, other: Self) -> Self {
        let value = self.value.abs_sub(other.value);
        if value > F::ZERO { Self::new(value, self.tangent - other.tangent) } else { value.into() }
    }

    #[inline]
    fn mul_add(self, a: Self, b: Self) -> Self {
        let product = (self * a).tangent;
        Self::new(self.value.mul_add(a.value, b.value), product + b.tangent)
    }

    #[inline]
    fn powi(self, n: i32) -> Self {
        let (x, y) = (self.value, self.value.powi(n));
        let before = n.checked_sub(1).map_or_else(|| y / x, |n| x.powi(n));
        self.chain(y, if n == 0 { F::ZERO } else { F::from_f64(n.into()) * before })
    }

    fn powf(self, p: Self) -> Self {
        let value = self.value.powf(p.value);
        // The slope of a constant is 0, also at 0 and ∞.
        let constant = p.value.is_zero() || p.value == F::ZERO && self.value == F::ZERO;
        let by_base = if constant { F::ZERO } else { p.value * self.value.powf(p.value - F::ONE) };
        let by_exponent = if value == F::ZERO { F::ZERO } else { value * self.value.ln() };
        Self::new(value, along(by_base, self.tangent) + along(by_exponent, p.tangent))
    }

    fn log(self, base: Self) -> Self {
        self.ln() / base.ln()
    }

    fn hypot(self, other: Self) -> Self {
        let length = self.value.hypot(other.value);
        let part = |x: F| {
            if length == F::ZERO {
                // The origin has no direction.
                F::ZERO
            } else if x.is_infinite() {
                x.signum()
            } else {
                x / length
            }
        };
        Self::new(length, along(part(self.value), self.tangent) + along(part(other.value), other.tangent))
    }

    fn atan2(self, x: Self) -> Self {
        let length = self.value.hypot(x.value);
        let part = |z: F| if length == F::ZERO { F::ZERO } else { z / length / length };
        let turn = along(part(x.value), self.tangent) - along(part(self.value), x.tangent);
        Self::new(self.value.atan2(x.value), turn)
    }

    #[inline]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.value.sin_cos();
        (self.chain(sin, cos), self.chain(cos, -sin))
    }

    fn classify(self) -> FpCategory {
        self.value.classify()
    }

    fn integer_decode(self) -> (u64, i16, i8) {
        self.value.integer_decode()
    }
}

/// `√(1 - x²)`, without cancelling where that is small.
fn root_of_rest<F: Real>(x: F) -> F {
    ((F::ONE - x) * (F::ONE + x)).sqrt()
}
