//! Functions of one element. `dy` is the upstream gradient, `dx` the answer.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};
use std::ops::Neg;

use crate::compute::{elementwise, inlined};
use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// `y = value(x)`, `dx = dy · slope(x, y)`.
    #[track_caller]
    pub(super) fn unary(
        self,
        op: &'static str,
        value: impl Fn(F) -> F + Sync,
        slope: impl Fn(F, F) -> F + Sync + 'static,
    ) -> Self {
        let x = self.value();
        let y = elementwise::map(&x, value);
        let saved = y.clone();
        let dx = self.edge(move |dy| {
            elementwise::zip2_inplace(dy, &x, &saved, inlined!(move |dy, x, y| dy * slope(x, y)))
        });
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

    /// `y = xⁿ`, `dx = n xⁿ⁻¹ dy`.
    #[track_caller]
    pub fn powi(self, n: i32) -> Self {
        self.unary(
            "powi",
            move |x| x.powi(n),
            move |x, _| if n == 0 { F::ZERO } else { F::from_f64(n.into()) * x.powi(n - 1) },
        )
    }

    /// `y = xᵖ`, `dx = p xᵖ⁻¹ dy`.
    #[track_caller]
    pub fn powf(self, p: f64) -> Self {
        let p = F::from_f64(p);
        self.unary(
            "powf",
            move |x| x.powf(p),
            move |x, _| if p == F::ZERO { p } else { p * x.powf(p - F::ONE) },
        )
    }

    /// `y = √x`, `dx = dy / 2y`.
    #[track_caller]
    pub fn sqrt(self) -> Self {
        self.unary("sqrt", F::sqrt, |_, y| F::from_f64(0.5) / y)
    }

    /// `y = x²`, `dx = 2x dy`.
    #[track_caller]
    pub fn square(self) -> Self {
        self.unary("square", |x| x * x, |x, _| x + x)
    }

    /// `y = 1/x`, `dx = -y² dy`.
    #[track_caller]
    pub fn recip(self) -> Self {
        self.unary("recip", F::recip, |_, y| -y * y)
    }

    /// `y = eˣ`, `dx = y dy`.
    #[track_caller]
    pub fn exp(self) -> Self {
        self.unary("exp", F::fast_exp, |_, y| y)
    }

    /// `y = ln x`, `dx = dy / x`.
    #[track_caller]
    pub fn ln(self) -> Self {
        self.unary("ln", F::fast_ln, |x, _| x.recip())
    }

    /// `y = ln(1 + x)`, precise near 0; `dx = dy / (1 + x)`.
    #[track_caller]
    pub fn ln_1p(self) -> Self {
        self.unary("ln_1p", F::fast_ln_1p, |x, _| (F::ONE + x).recip())
    }

    /// `y = eˣ - 1`, precise near 0; `dx = (y + 1) dy`.
    #[track_caller]
    pub fn exp_m1(self) -> Self {
        self.unary("exp_m1", F::fast_exp_m1, |_, y| y + F::ONE)
    }

    /// `y = sin x`, `dx = cos x dy`. In radians.
    #[track_caller]
    pub fn sin(self) -> Self {
        self.unary("sin", F::sin, |x, _| x.cos())
    }

    /// `y = cos x`, `dx = -sin x dy`. In radians.
    #[track_caller]
    pub fn cos(self) -> Self {
        self.unary("cos", F::cos, |x, _| -x.sin())
    }

    /// `y = tanh x`, `dx = (1 - y²) dy`.
    #[track_caller]
    pub fn tanh(self) -> Self {
        self.unary("tanh", F::fast_tanh, |_, y| F::ONE - y * y)
    }

    /// `y = 1 / (1 + e⁻ˣ)`, `dx = y (1 - y) dy`.
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.unary("sigmoid", sigmoid, |_, y| y * (F::ONE - y))
    }

    /// `y = max(x, 0)`, `dx = dy` where `x > 0`, else 0. NaN stays NaN.
    #[track_caller]
    pub fn relu(self) -> Self {
        self.unary(
            "relu",
            |x| if x < F::ZERO { F::ZERO } else { x },
            |x, _| if x > F::ZERO { F::ONE } else { F::ZERO },
        )
    }

    /// `y = x` where `x > 0`, else `slope · x`; `dx` likewise.
    #[track_caller]
    pub fn leaky_relu(self, slope: f64) -> Self {
        let slope = F::from_f64(slope);
        let factor = move |x: F| if x > F::ZERO { F::ONE } else { slope };
        self.unary("leaky_relu", move |x| factor(x) * x, move |x, _| factor(x))
    }

    /// `y = x` where `x > 0`, else `α (eˣ - 1)`; `dx = dy` there, else `(y + α) dy` (Clevert et al., 2015).
    #[track_caller]
    pub fn elu(self, alpha: f64) -> Self {
        let alpha = F::from_f64(alpha);
        self.unary(
            "elu",
            inlined!(move |x: F| {
                let below = alpha * x.fast_exp_m1();
                if x > F::ZERO { x } else { below }
            }),
            move |x, y| if x > F::ZERO { F::ONE } else { y + alpha },
        )
    }

    /// `y = x Φ(x)` with the normal distribution function `Φ(x) = (1 + erf(x/√2)) / 2` (Hendrycks and Gimpel, 2016);
    /// `dx = (Φ(x) + x φ(x)) dy` with its density `φ(x) = exp(-x²/2) / √2π`.
    #[track_caller]
    pub fn gelu(self) -> Self {
        let slope = inlined!(|x, _| normal_cdf(x) + x * normal_pdf(x));
        self.unary("gelu", inlined!(|x| x * normal_cdf(x)), slope)
    }

    /// The approximation `y = x (1 + t) / 2` with `t = tanh(√(2/π) (x + 0.044715 x³))`;
    /// `dx = ((1 + t) / 2 + x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²) / 2) dy`.
    #[track_caller]
    pub fn gelu_tanh(self) -> Self {
        self.unary(
            "gelu_tanh",
            inlined!(|x| F::from_f64(0.5) * x * (F::ONE + gelu_t(x).0)),
            inlined!(|x, _| {
                let half = F::from_f64(0.5);
                let (t, inner) = gelu_t(x);
                half * (F::ONE + t) + half * x * (F::ONE - t * t) * inner
            }),
        )
    }

    /// `y = x σ(x)` with the [sigmoid](Var::sigmoid) σ, also called swish; `dx = (σ + y (1 - σ)) dy`.
    #[track_caller]
    pub fn silu(self) -> Self {
        self.unary(
            "silu",
            |x| x * sigmoid(x),
            inlined!(|x, y| {
                let s = sigmoid(x);
                s + y * (F::ONE - s)
            }),
        )
    }

    /// `y = ln(1 + eˣ)`, as `max(x, 0) + ln(1 + e^-|x|)` so that nothing overflows; `dx = σ(x) dy`.
    #[track_caller]
    pub fn softplus(self) -> Self {
        self.unary(
            "softplus",
            inlined!(|x: F| x.max(F::ZERO) + (-x.abs()).fast_exp().fast_ln_1p()),
            |x, _| sigmoid(x),
        )
    }

    /// `y = |x|`, `dx = sign(x) dy`, 0 at 0.
    #[track_caller]
    pub fn abs(self) -> Self {
        self.unary("abs", F::abs, |x, _| x.sign())
    }

    /// -1, 0 or 1 by the sign of `x`. The gradient is 0 everywhere.
    #[track_caller]
    pub fn sign(self) -> Self {
        self.unary("sign", F::sign, |_, _| F::ZERO)
    }

    /// `y = min(max(x, lo), hi)`, `dx = dy` where `lo < x < hi`, else 0: at the bounds themselves the smallest
    /// subgradient, as for [`relu`](Var::relu) at 0.
    ///
    /// # Panics
    ///
    /// If `lo > hi`.
    #[track_caller]
    pub fn clamp(self, lo: f64, hi: f64) -> Self {
        assert!(lo <= hi, "`clamp`: the lower bound {lo} is above the upper bound {hi}");
        let (lo, hi) = (F::from_f64(lo), F::from_f64(hi));
        self.unary(
            "clamp",
            move |x| {
                if x < lo {
                    lo
                } else if x > hi {
                    hi
                } else {
                    x
                }
            },
            move |x, _| if x <= lo || x >= hi { F::ZERO } else { F::ONE },
        )
    }
}

impl<F: Real> Neg for Var<'_, F> {
    type Output = Self;

    /// `y = -x`, `dx = -dy`.
    #[track_caller]
    fn neg(self) -> Self {
        self.scale("neg", -F::ONE)
    }
}

/// `Φ(x)`.
#[inline(always)]
fn normal_cdf<F: Real>(x: F) -> F {
    F::from_f64(0.5) * (F::ONE + (x * F::from_f64(FRAC_1_SQRT_2)).erf())
}

/// `φ(x)`.
#[inline(always)]
fn normal_pdf<F: Real>(x: F) -> F {
    (F::from_f64(-0.5) * x * x).fast_exp() * F::from_f64(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2)
}

/// `t` of [`gelu_tanh`](Var::gelu_tanh), and the derivative of what it is the tanh of.
#[inline(always)]
fn gelu_t<F: Real>(x: F) -> (F, F) {
    let (rate, cubic) = (F::from_f64(FRAC_2_SQRT_PI * FRAC_1_SQRT_2), F::from_f64(0.044715));
    ((rate * (x + cubic * x * x * x)).fast_tanh(), rate * (F::ONE + F::from_f64(3.0) * cubic * x * x))
}

/// `e^-|x|` never overflows, whichever sign `x` has.
#[inline(always)]
pub(super) fn sigmoid<F: Real>(x: F) -> F {
    let e = (-x.abs()).fast_exp();
    (if x < F::ZERO { e } else { F::ONE }) / (F::ONE + e)
}
