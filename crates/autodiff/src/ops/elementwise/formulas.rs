//! The activation functions of one number, which the ops of the same names apply to each element. Inside
//! [`vectorized`](crate::vectorized) they become vector instructions.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use crate::Real;

/// The factors of [`selu`] with which activations of mean 0 and variance 1 keep them.
pub(super) const SELU_LAMBDA: f64 = 1.050_700_987_355_480_5;
pub(super) const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// Further out `e^-|x|`, and what falls faster, is 0 in every type: a factor `x` beside it may stop here, before it is
/// infinite.
const FAR: f64 = 1500.0;

/// `max(x, 0)`; NaN stays NaN.
#[inline(always)]
pub fn relu<F: Real>(x: F) -> F {
    if x <= F::ZERO { F::ZERO } else { x }
}

/// `x` where `x > 0`, else `slope · x`.
#[inline(always)]
pub fn leaky_relu<F: Real>(slope: F, x: F) -> F {
    (if x > F::ZERO { F::ONE } else { slope }) * x
}

/// `x` where `x > 0`, else `α (eˣ - 1)`.
#[inline(always)]
pub fn elu<F: Real>(alpha: F, x: F) -> F {
    let below = alpha * x.fast_exp_m1();
    if x > F::ZERO { x } else { below }
}

/// `x Φ(x)` with the normal distribution function `Φ`.
#[inline(always)]
pub fn gelu<F: Real>(x: F) -> F {
    x.max(-F::from_f64(FAR)) * x.normal().0
}

/// The approximation of [`gelu`] by `tanh`.
#[inline(always)]
pub fn gelu_tanh<F: Real>(x: F) -> F {
    times_sigmoid(x.max(-F::from_f64(FAR)), F::ONE, gelu_argument(x).0)
}

/// `x σ(x)`.
#[inline(always)]
pub fn silu<F: Real>(x: F) -> F {
    times_sigmoid(x.max(-F::from_f64(FAR)), F::ONE, x)
}

/// `ln(1 + eˣ)`.
#[inline(always)]
pub fn softplus<F: Real>(x: F) -> F {
    x.max(F::ZERO) + (-x.abs()).fast_exp().fast_ln_1p()
}

/// `λ x` where `x > 0`, else `λ α (eˣ - 1)`.
#[inline(always)]
pub fn selu<F: Real>(x: F) -> F {
    F::from_f64(SELU_LAMBDA) * elu(F::from_f64(SELU_ALPHA), x)
}

/// `x tanh(ln(1 + eˣ))`.
#[inline(always)]
pub fn mish<F: Real>(x: F) -> F {
    // With e = e^-|x|, the tangent is (1 + 2e) / (1 + 2e + 2e²), or e (e + 2) / (e (e + 2) + 2) below 0.
    let (one, two) = (F::ONE, F::from_f64(2.0));
    let root = (F::from_f64(-0.5) * x.abs()).fast_exp();
    let e = root * root;
    let below = (x.max(-F::from_f64(FAR)) * root) * (root * (e + two) / (e * (e + two) + two));
    let above = x * ((one + two * e) / (one + two * e * (one + e)));
    if x < F::ZERO { below } else { above }
}

/// `(x + 3) / 6`, not below 0 and not above 1; NaN stays NaN.
#[inline(always)]
pub fn hardsigmoid<F: Real>(x: F) -> F {
    let three = F::from_f64(3.0);
    let between = (x + three) / F::from_f64(6.0);
    if x <= -three {
        F::ZERO
    } else if x >= three {
        F::ONE
    } else {
        between
    }
}

/// `x` times [`hardsigmoid`].
#[inline(always)]
pub fn hardswish<F: Real>(x: F) -> F {
    let three = F::from_f64(3.0);
    let between = x * ((x + three) / F::from_f64(6.0));
    if x <= -three {
        F::ZERO
    } else if x >= three {
        x
    } else {
        between
    }
}

/// `x / (1 + |x|)`.
#[inline(always)]
pub fn softsign<F: Real>(x: F) -> F {
    let size = x.abs();
    // Far out the quotient would be ∞/∞, and its derivative would cancel.
    let far = (F::ONE - (F::ONE + size).recip()).copysign(x);
    if size > F::ONE { far } else { x / (F::ONE + size) }
}

/// `tanh x`.
#[inline(always)]
pub fn tanh<F: Real>(x: F) -> F {
    x.fast_tanh()
}

/// `1 / (1 + e⁻ˣ)`: `e^-|x|` never overflows, whichever sign `x` has.
#[inline(always)]
pub fn sigmoid<F: Real>(x: F) -> F {
    let e = (-x.abs()).fast_exp();
    (if x < F::ZERO { e } else { F::ONE }) / (F::ONE + e)
}

/// `u` of `σ(u) = (1 + t) / 2` with the `t` of [`gelu_tanh`](crate::Var::gelu_tanh), and its derivative.
#[inline(always)]
pub(super) fn gelu_argument<F: Real>(x: F) -> (F, F) {
    let (rate, cubic) = (F::from_f64(2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2), F::from_f64(0.044715));
    (rate * (x + cubic * x * x * x), rate * (F::ONE + F::from_f64(3.0) * cubic * x * x))
}

/// `f g σ(x)`, also where `σ(x)` itself is too small, or `f g` too large.
#[inline(always)]
pub(super) fn times_sigmoid<F: Real>(f: F, g: F, x: F) -> F {
    let root = (F::from_f64(-0.5) * x.abs()).fast_exp();
    let part = if x < F::ZERO { root } else { F::ONE };
    f * (part / (F::ONE + root * root)) * (part * g)
}

/// `x`, or the end of the range beyond which it does not matter.
#[inline(always)]
pub(super) fn within_range<F: Real>(x: F) -> F {
    x.max(-F::from_f64(FAR)).min(F::from_f64(FAR))
}
