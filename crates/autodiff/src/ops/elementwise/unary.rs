//! Functions of one element. `dy` is the upstream gradient, `dx` the answer.

use std::ops::Neg;

use crate::compute::{elementwise, inlined};
use crate::{Real, Tensor, Var};

/// # Functions of one element
impl<F: Real> Var<'_, F> {
    /// `y = value(x)`, `dx = pullback(dy, x, y)`. A pullback selects where its slope is 0: a product with an infinite
    /// `dy` would be NaN. And it forms nothing on the way that leaves the range, or cancels, where `dx` does not.
    #[track_caller]
    pub(in crate::ops) fn unary(
        self,
        op: &'static str,
        value: impl Fn(F) -> F + Sync,
        pullback: impl Fn(F, F, F) -> F + Sync + 'static,
    ) -> Self {
        let x = self.value();
        let y = elementwise::map(&x, value);
        let saved = y.clone();
        let dx = self.edge(move |dy| elementwise::zip2_inplace(dy, &x, &saved, pullback));
        self.tape().record(op, y, [dx])
    }

    /// `y = c x`, `dx = c dy`.
    #[track_caller]
    pub(super) fn scale(self, op: &'static str, c: F) -> Self {
        let y = elementwise::map(&self.value(), move |x| c * x);
        let dx = self.edge(move |dy: Tensor<F>| dy.mapv_into(|dy| c * dy));
        self.tape().record(op, y, [dx])
    }

    /// `y = x + c`, `dx = dy`.
    #[track_caller]
    pub(super) fn shift(self, op: &'static str, c: F) -> Self {
        let y = elementwise::map(&self.value(), move |x| x + c);
        let dx = self.edge(|dy: Tensor<F>| dy);
        self.tape().record(op, y, [dx])
    }

    /// `y = xⁿ`, in the shape of `x`; `dx = n xⁿ⁻¹ dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, -2.0]).powi(3).value(), [1.0, -8.0].into_tensor());
    /// ```
    #[doc(alias("pow", "integer_pow", "powi_scalar"))]
    #[track_caller]
    pub fn powi(self, n: i32) -> Self {
        self.unary(
            "powi",
            move |x| x.exact_powi(n.into()),
            move |dy, x, _| {
                let p = F::from_f64(n.into());
                if n == 0 { F::ZERO } else { times_slope_of_power(dy, x, p, x.exact_powi(i64::from(n) - 1)) }
            },
        )
    }

    /// `y = xᵖ`, in the shape of `x`; `dx = p xᵖ⁻¹ dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 4.0]).powf(1.5).value(), [1.0, 8.0].into_tensor());
    /// ```
    #[doc(alias("pow", "power", "powf_scalar"))]
    #[track_caller]
    pub fn powf(self, p: f64) -> Self {
        let p = F::from_f64(p);
        self.unary(
            "powf",
            move |x| x.powf(p),
            move |dy, x, _| {
                if p == F::ZERO { p } else { times_slope_of_power(dy, x, p, x.powf(p - F::ONE)) }
            },
        )
    }

    /// `y = √x`, in the shape of `x`; `dx = dy / 2y`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 4.0]).sqrt().value(), [1.0, 2.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn sqrt(self) -> Self {
        self.unary("sqrt", F::sqrt, |dy, _, y| dy / (y + y))
    }

    /// `y = x²`, in the shape of `x`; `dx = 2x dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, -2.0]).square().value(), [1.0, 4.0].into_tensor());
    /// ```
    #[doc(alias("sqr", "pow2"))]
    #[track_caller]
    pub fn square(self) -> Self {
        self.unary("square", |x| x * x, |dy, x, _| F::from_f64(2.0) * (dy * x))
    }

    /// `y = 1/x`, in the shape of `x`; `dx = -dy / x²`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, -2.0]).recip().value(), [1.0, -0.5].into_tensor());
    /// ```
    #[doc(alias = "reciprocal")]
    #[track_caller]
    pub fn recip(self) -> Self {
        self.unary("recip", F::recip, |dy, x, _| -(dy / x) / x)
    }

    /// `y = eˣ`, in the shape of `x`; `dx = eˣ dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([f64::NEG_INFINITY, 0.0]).exp().value(), [0.0, 1.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn exp(self) -> Self {
        self.unary("exp", F::fast_exp, inlined!(|dy, x, _| times_exp(dy, x)))
    }

    /// `y = ln x`, in the shape of `x`; `dx = dy / x`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 1.0]).ln().value(), [f64::NEG_INFINITY, 0.0].into_tensor());
    /// ```
    #[doc(alias = "log")]
    #[track_caller]
    pub fn ln(self) -> Self {
        self.unary("ln", F::fast_ln, |dy, x, _| dy / x)
    }

    /// `y = ln(1 + x)`, precise near 0, in the shape of `x`; `dx = dy / (1 + x)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 1e-30]).ln_1p().value(), [0.0, 1e-30].into_tensor());
    /// ```
    #[doc(alias = "log1p")]
    #[track_caller]
    pub fn ln_1p(self) -> Self {
        self.unary("ln_1p", F::fast_ln_1p, |dy, x, _| dy / (F::ONE + x))
    }

    /// `y = eˣ - 1`, precise near 0, in the shape of `x`; `dx = eˣ dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 1e-30]).exp_m1().value(), [0.0, 1e-30].into_tensor());
    /// ```
    #[doc(alias = "expm1")]
    #[track_caller]
    pub fn exp_m1(self) -> Self {
        self.unary("exp_m1", F::fast_exp_m1, inlined!(|dy, x, _| times_exp(dy, x)))
    }

    /// `y = sin x`, in radians and in the shape of `x`; `dx = cos x dy`.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let x = tape.variable(0.0);
    /// assert_eq!(x.sin().backward().wrt(x).unwrap().sum(), 1.0); // cos 0
    /// ```
    #[track_caller]
    pub fn sin(self) -> Self {
        self.unary("sin", F::sin, |dy, x, _| dy * x.cos())
    }

    /// `y = cos x`, in radians and in the shape of `x`; `dx = -sin x dy`.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable(0.0).cos().item(), 1.0);
    /// ```
    #[track_caller]
    pub fn cos(self) -> Self {
        self.unary("cos", F::cos, |dy, x, _| -dy * x.sin())
    }

    /// `y = |x|`, in the shape of `x`; `dx = sign(x) dy`, 0 at 0.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, -2.0]).abs().value(), [1.0, 2.0].into_tensor());
    /// ```
    #[doc(alias = "absolute")]
    #[track_caller]
    pub fn abs(self) -> Self {
        self.unary("abs", magnitude, |dy, x, _| with_sign(dy, x))
    }

    /// -1, 0 or 1 by the sign of `x`, in the shape of `x`. The gradient is 0 everywhere.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, 0.0, -2.0]).sign().value(), [1.0, 0.0, -1.0].into_tensor());
    /// ```
    #[doc(alias("sgn", "signum"))]
    #[track_caller]
    pub fn sign(self) -> Self {
        self.unary("sign", F::sign, |_, _, _| F::ZERO)
    }

    /// `y = min(max(x, lo), hi)`, in the shape of `x`; `dx = dy` where `lo < x < hi`, else 0: at the bounds themselves
    /// the smallest subgradient, as for [`relu`](Var::relu) at 0.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([-3.0, 0.25, 3.0]);
    /// assert_eq!(x.clamp(-1.0, 1.0).value(), [-1.0, 0.25, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `lo > hi`.
    #[doc(alias("clip", "clip_by_value", "hardtanh"))]
    #[track_caller]
    pub fn clamp(self, lo: f64, hi: f64) -> Self {
        assert!(lo <= hi, "`clamp`: the lower bound {lo} is above the upper bound {hi}");
        let (lo, hi) = (F::from_f64(lo), F::from_f64(hi));
        self.unary(
            "clamp",
            move |x| {
                if x <= lo {
                    lo
                } else if x >= hi {
                    hi
                } else {
                    x
                }
            },
            move |dy, x, _| if lo < x && x < hi { dy } else { F::ZERO },
        )
    }
}

/// `f eˣ`, also where `eˣ` itself is too large or too small.
#[inline(always)]
pub(super) fn times_exp<F: Real>(f: F, x: F) -> F {
    let (e, root) = (x.fast_exp(), (F::from_f64(0.5) * x).fast_exp());
    if e.is_normal() { f * e } else { f * root * root }
}

/// `c f eˣ` for `x ≤ 0`, also where `c f` is too large, or `eˣ` too small.
#[inline(always)]
pub(super) fn times_scaled_exp<F: Real>(c: F, f: F, x: F) -> F {
    let (e, root) = (x.fast_exp(), (F::from_f64(0.5) * x).fast_exp());
    // What is above 1 shrinks before it is multiplied with another such.
    let apart = c.abs() > F::ONE && f.abs() > F::ONE;
    let (f, c) = if apart { (f, c) } else { (c * f, F::ONE) };
    if e.is_normal() { f * e * c } else { (f * root) * (c * root) }
}

/// `f s` for the slope `s = p xᵖ⁻¹` with `power = xᵖ⁻¹`, also where one of these is too large or too small.
#[inline]
pub(super) fn times_slope_of_power<F: Real>(f: F, x: F, p: F, power: F) -> F {
    let slope = p * power;
    if slope.is_normal() && power.is_normal() || x == F::ZERO || !x.is_finite() {
        return f * slope;
    }
    let root = x.abs().powf(F::from_f64(0.5) * (p - F::ONE));
    slope.signum() * p.signum() * (f * root * p * root)
}

/// `w x`, and 0 where `w` is 0, even if `x` is infinite: a `w` that moves is felt as the slope `x` says.
#[inline(always)]
pub(in crate::ops) fn weighted<F: Real>(w: F, x: F) -> F {
    if w.is_zero() {
        w
    } else if w == F::ZERO && x.is_infinite() {
        steep(w) * x.signum()
    } else {
        w * x
    }
}

/// 0 at 0, with an infinite slope there.
#[inline(always)]
pub(super) fn steep<F: Real>(x: F) -> F {
    F::ZERO.moving_as(|| x.abs().sqrt())
}

/// `|x|`, which does not move at 0, as [`with_sign`] says.
#[inline(always)]
pub(in crate::ops) fn magnitude<F: Real>(x: F) -> F {
    let size = x.abs();
    if x == F::ZERO { size.moving_as(|| F::ZERO) } else { size }
}

/// `dy sign(x)`, 0 at 0.
#[inline(always)]
pub(in crate::ops) fn with_sign<F: Real>(dy: F, x: F) -> F {
    if x > F::ZERO {
        dy
    } else if x < F::ZERO {
        -dy
    } else {
        x.sign()
    }
}

impl<F: Real> Neg for Var<'_, F> {
    type Output = Self;

    /// `y = -x`, in the shape of `x`; `dx = -dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!((-tape.variable([1.0, -2.0])).value(), [-1.0, 2.0].into_tensor());
    /// ```
    #[doc(alias = "negative")]
    #[track_caller]
    fn neg(self) -> Self {
        self.scale("neg", -F::ONE)
    }
}
