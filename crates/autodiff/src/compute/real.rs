use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;

use ndarray::ScalarOperand;
use num_traits::{Float, NumAssign};

use super::gemm::{self, Gemm};
use super::math;

/// `φ(0) = 1/√2π`.
const DENSITY_AT_0: f64 = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;

/// The element type of a tensor: `f32` (the default everywhere) or `f64` (gradient checks, references).
///
/// The elementary functions come from [`num_traits::Float`]; this trait adds what it lacks. Those named `fast_…` are
/// what the ops call: Float's function, unless the type has one that compiles to vector instructions, as `f32` has (at
/// most 2 units in the last place from the exact result, as in the standard library). The trait is open on purpose: a
/// dual number that implements it runs the same tape and yields Hessian-vector products.
pub trait Real:
    Float + NumAssign + Sum + ScalarOperand + Default + Debug + Display + LowerExp + Send + Sync + 'static
{
    /// The number 0.
    const ZERO: Self;
    /// The number 1.
    const ONE: Self;
    /// The name of the type in dumps, errors and files: `"f32"`, `"f64"`.
    const NAME: &'static str;

    /// The nearest value to `x`. Hyper-parameters are `f64` and pass through here.
    fn from_f64(x: f64) -> Self;

    /// The value as `f64`, for reports.
    fn as_f64(self) -> f64;

    /// 1 or -1; zero and NaN stay what they are, so that nothing moves an element without a gradient, and nothing hides
    /// a NaN.
    #[inline]
    fn sign(self) -> Self {
        if self > Self::ZERO {
            Self::ONE
        } else if self < Self::ZERO {
            -Self::ONE
        } else {
            self
        }
    }

    /// This number; one that has a derivative gets that of `other`, which has the same value. What is chosen among
    /// equal numbers moves as its gradient says.
    #[inline(always)]
    #[must_use]
    fn moving_as(self, _other: impl FnOnce() -> Self) -> Self {
        self
    }

    /// The error function, `2/√π ∫₀ˣ exp(-t²) dt`.
    fn erf(self) -> Self;

    /// The normal distribution function `Φ(x)` and its density `φ(x)`; of `f32` and `f64`, `Φ` is precise also where it
    /// is small.
    fn normal(self) -> (Self, Self) {
        let (half, root_half) = (Self::from_f64(0.5), Self::from_f64(FRAC_1_SQRT_2));
        let density = (-half * self * self).exp() * Self::from_f64(DENSITY_AT_0);
        (half * (Self::ONE + (self * root_half).erf()), density)
    }

    /// `xⁿ`; of `f32` and `f64` to a unit in the last place, which [`powi`](Float::powi) misses for large `n`.
    fn exact_powi(self, n: i64) -> Self {
        i32::try_from(n).map_or_else(|_| self.powf(Self::from_f64(n as f64)), |n| self.powi(n))
    }

    /// `eˣ`.
    fn fast_exp(self) -> Self {
        self.exp()
    }

    /// `eˣ - 1`, precise near 0.
    fn fast_exp_m1(self) -> Self {
        self.exp_m1()
    }

    /// `ln x`.
    fn fast_ln(self) -> Self {
        self.ln()
    }

    /// `ln(1 + x)`, precise near 0.
    fn fast_ln_1p(self) -> Self {
        self.ln_1p()
    }

    /// `tanh x`.
    fn fast_tanh(self) -> Self {
        self.tanh()
    }

    /// The matrix product `C ← α A B + β C`.
    fn gemm(product: Gemm<'_, Self>);
}

macro_rules! real {
    ($float:ident, $gemm:path, $normal:path, $factors:literal, $($method:ident: $function:path),*) => {
        impl Real for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NAME: &'static str = stringify!($float);

            fn from_f64(x: f64) -> Self {
                x as $float
            }

            fn as_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline]
            fn exact_powi(self, n: i64) -> Self {
                let x = f64::from(self);
                // Products are faster, and exact enough for so many factors.
                (if n.unsigned_abs() <= $factors { x.powi(n as i32) } else { x.powf(n as f64) }) as $float
            }

            #[inline(always)]
            fn normal(self) -> (Self, Self) {
                $normal(self)
            }

            $(#[inline(always)]
            fn $method(self) -> Self {
                $function(self)
            })*

            fn gemm(product: Gemm<'_, Self>) {
                $gemm(product);
            }
        }
    };
}

real!(
    f32,
    gemm::sgemm,
    math::normal,
    1000,
    erf: math::erf,
    fast_exp: math::exp,
    fast_exp_m1: math::exp_m1,
    fast_ln: math::ln,
    fast_ln_1p: math::ln_1p,
    fast_tanh: math::tanh
);
real!(f64, gemm::dgemm, normal, 2, erf: libm::erf);

fn normal(x: f64) -> (f64, f64) {
    let density = (-0.5 * x * x).exp() * DENSITY_AT_0;
    (0.5 * libm::erfc(-x * FRAC_1_SQRT_2), density)
}

/// The derivative of `tanh`, which does not cancel where that is close to 1.
#[inline(always)]
pub(crate) fn tanh_slope<F: Real>(x: F) -> F {
    let e = (F::from_f64(-2.0) * x.abs()).fast_exp();
    F::from_f64(4.0) * e / ((F::ONE + e) * (F::ONE + e))
}
