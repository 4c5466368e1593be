//! Numbers with a derivative.

mod float;
mod operators;
mod product;

use std::f64::consts::FRAC_2_SQRT_PI;
use std::fmt;

use ndarray::{ScalarOperand, Zip};

use super::real::tanh_slope;
use super::{Gemm, Real, Tensor};

/// A number `value + tangent ε` with `ε² = 0`: it carries its derivative along one direction through whatever is
/// computed with it (W. K. Clifford, 1873).
///
/// It is a [`Real`], so every op, loss and layer runs on it, and the tape too. Then `backward` gives the gradient as
/// the `value`, and how the gradient changes along the direction, the product of the Hessian with it, as the `tangent`.
/// [`derivatives`](crate::derivatives) has the functions for that; the type is for what they do not cover.
///
/// ```
/// use wengert_autodiff::{Dual, Tape};
///
/// let tape = Tape::new();
/// let x = tape.variable(Dual::new(2.0, 1.0)); // at 2, in the direction 1
/// let y = x.powi(3);
/// assert_eq!((y.item().value, y.item().tangent), (8.0, 12.0)); // x³ and 3 x²
/// let grads = y.backward();
/// let slope = grads.wrt(x).unwrap()[[]];
/// assert_eq!((slope.value, slope.tangent), (12.0, 12.0)); // 3 x² and 6 x
/// ```
///
/// `Dual<Dual<f64>>` has three derivatives of each number, the last one of second order, and its gradient a derivative
/// of third order.
///
/// - **Comparisons** see the value only: what is chosen (`max`, `clamp`, the branch of an activation, the pixel that
///   wins a pool) has the derivative of what was chosen, and a choice has none itself. At a kink, and among equal
///   numbers, an op's derivative is the one that its gradient says, so that a Hessian is symmetric there, too. `==`
///   compares values only as well; [`is_zero`](num_traits::Zero::is_zero) asks for both parts.
/// - **Steps** (`sign`, `round`, comparisons) have no second derivative: their tangent is 0, as their gradient is.
/// - A tangent of 0 stays 0 where the slope is infinite, as of a root at 0; of nested numbers, if all its parts are 0.
/// - Matrix products are products of the parts, by the same kernels as of `F`: three of them, or fewer where a part is
///   0 everywhere.
#[derive(Clone, Copy, Debug, Default)]
#[doc(alias("HyperDual", "jet", "forward-mode", "make_dual"))]
#[repr(C)]
pub struct Dual<F> {
    /// The number.
    #[doc(alias("primal", "re"))]
    pub value: F,
    /// Its derivative along the direction.
    #[doc(alias("derivative", "eps", "du"))]
    pub tangent: F,
}

impl<F: Real> Dual<F> {
    /// `value + tangent ε`.
    #[inline(always)]
    pub const fn new(value: F, tangent: F) -> Self {
        Self { value, tangent }
    }

    /// `f(self)` where `f` has this value and this slope at `self.value`.
    ///
    /// ```
    /// # use wengert_autodiff::Dual;
    /// let x = Dual::new(3.0, 1.0);
    /// assert_eq!(x.chain(3.0 * 3.0, 2.0 * 3.0).tangent, (x * x).tangent);
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn chain(self, value: F, slope: F) -> Self {
        Self::new(value, if slope.is_zero() { F::ZERO } else { along(slope, self.tangent) })
    }

    /// `values + tangents ε`, element by element.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn tensor(values: &Tensor<F>, tangents: &Tensor<F>) -> Tensor<Self> {
        let (expected, found) = (values.shape(), tangents.shape());
        assert_eq!(expected, found, "`Dual::tensor`: the values and the tangents need the same shape");
        Zip::from(values)
            .and(tangents)
            .map_collect(|&value, &tangent| Self::new(value, tangent))
            .into_shared()
    }

    /// The values of a tensor.
    pub fn values(x: &Tensor<Self>) -> Tensor<F> {
        x.mapv(|x| x.value).into_shared()
    }

    /// The tangents of a tensor.
    pub fn tangents(x: &Tensor<Self>) -> Tensor<F> {
        x.mapv(|x| x.tangent).into_shared()
    }
}

/// The slope along a direction; none along the direction 0, whatever the slope is.
#[inline(always)]
fn along<F: Real>(slope: F, tangent: F) -> F {
    if tangent.is_zero() { F::ZERO } else { slope * tangent }
}

/// A constant: the tangent is 0.
impl<F: Real> From<F> for Dual<F> {
    #[inline(always)]
    fn from(value: F) -> Self {
        Self::new(value, F::ZERO)
    }
}

impl<F: Real> fmt::Display for Dual<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)?;
        f.write_str(" + ")?;
        fmt::Display::fmt(&self.tangent, f)?;
        f.write_str(" ε")
    }
}

impl<F: Real> fmt::LowerExp for Dual<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerExp::fmt(&self.value, f)?;
        f.write_str(" + ")?;
        fmt::LowerExp::fmt(&self.tangent, f)?;
        f.write_str(" ε")
    }
}

impl<F: Real> ScalarOperand for Dual<F> {}

impl<F: Real> Real for Dual<F> {
    const ZERO: Self = Self::new(F::ZERO, F::ZERO);
    const ONE: Self = Self::new(F::ONE, F::ZERO);
    const NAME: &'static str = "dual";

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        F::from_f64(x).into()
    }

    fn as_f64(self) -> f64 {
        self.value.as_f64()
    }

    #[inline(always)]
    fn sign(self) -> Self {
        self.value.sign().into()
    }

    #[inline]
    fn moving_as(self, other: impl FnOnce() -> Self) -> Self {
        let other = other();
        Self::new(self.value.moving_as(|| other.value), other.tangent)
    }

    #[inline]
    fn erf(self) -> Self {
        let slope = F::from_f64(FRAC_2_SQRT_PI) * (-self.value * self.value).fast_exp();
        self.chain(self.value.erf(), slope)
    }

    #[inline]
    fn normal(self) -> (Self, Self) {
        let (cdf, density) = self.value.normal();
        (self.chain(cdf, density), self.chain(density, along(-self.value, density)))
    }

    #[inline]
    fn exact_powi(self, n: i64) -> Self {
        // The slope of a constant is 0, also at 0 and ∞.
        let (x, y) = (self.value, self.value.exact_powi(n));
        let before = n.checked_sub(1).map_or_else(|| y / x, |n| x.exact_powi(n));
        self.chain(y, if n == 0 { F::ZERO } else { F::from_f64(n as f64) * before })
    }

    #[inline(always)]
    fn fast_exp(self) -> Self {
        let y = self.value.fast_exp();
        self.chain(y, y)
    }

    #[inline(always)]
    fn fast_exp_m1(self) -> Self {
        self.chain(self.value.fast_exp_m1(), self.value.fast_exp())
    }

    #[inline(always)]
    fn fast_ln(self) -> Self {
        self.chain(self.value.fast_ln(), self.value.recip())
    }

    #[inline(always)]
    fn fast_ln_1p(self) -> Self {
        self.chain(self.value.fast_ln_1p(), (F::ONE + self.value).recip())
    }

    #[inline(always)]
    fn fast_tanh(self) -> Self {
        self.chain(self.value.fast_tanh(), tanh_slope(self.value))
    }

    fn gemm(product: Gemm<'_, Self>) {
        product::gemm(product);
    }
}
