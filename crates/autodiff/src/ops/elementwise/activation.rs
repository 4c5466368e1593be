//! Activation functions. `dy` is the upstream gradient, `dx` the answer.

use super::formulas::{self, SELU_ALPHA, SELU_LAMBDA, gelu_argument, sigmoid, times_sigmoid, within_range};
use super::unary::times_scaled_exp;
use crate::compute::inlined;
use crate::{Real, Var};

/// # Activation functions
///
/// See also [`softmax`](Var::softmax).
impl<F: Real> Var<'_, F> {
    /// `y = tanh x`, in the shape of `x`; `dx = (1 - y²) dy`, as `4e dy / (1 + e)²` with `e = e^-2|x|`, which does not
    /// cancel.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, -50.0]).tanh().value(), [0.0, -1.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn tanh(self) -> Self {
        self.unary(
            "tanh",
            F::fast_tanh,
            inlined!(|dy, x: F, _| times_sigmoid_slope(F::from_f64(2.0), dy, x + x)),
        )
    }

    /// `y = 1 / (1 + e⁻ˣ)`, in the shape of `x`; `dx = y (1 - y) dy`, as `e dy / (1 + e)²` with `e = e^-|x|`, which
    /// does not cancel.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 50.0]).sigmoid().value(), [0.5, 1.0].into_tensor());
    /// ```
    #[doc(alias("logistic", "expit"))]
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.unary("sigmoid", formulas::sigmoid, inlined!(|dy, x, _| times_sigmoid_slope(F::ONE, dy, x)))
    }

    /// `y = max(x, 0)`, in the shape of `x`; `dx = dy` where `x > 0`, 0 where `x ≤ 0`. NaN stays NaN.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -2.0]).relu().value(), [1.5, 0.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn relu(self) -> Self {
        self.unary("relu", formulas::relu, |dy, x, _| if x <= F::ZERO { F::ZERO } else { dy })
    }

    /// `y = x` where `x > 0`, else `slope · x`, in the shape of `x`; `dx` likewise.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -2.0]).leaky_relu(0.25).value(), [1.5, -0.5].into_tensor());
    /// ```
    #[doc(alias("LeakyReLU", "negative_slope"))]
    #[track_caller]
    pub fn leaky_relu(self, slope: f64) -> Self {
        let slope = F::from_f64(slope);
        let factor = move |x: F| if x > F::ZERO { F::ONE } else { slope };
        self.unary("leaky_relu", move |x| formulas::leaky_relu(slope, x), move |dy, x, _| factor(x) * dy)
    }

    /// `y = x` where `x > 0`, else `α (eˣ - 1)`, in the shape of `x`; `dx = dy` there, else `α eˣ dy` (Clevert et
    /// al., 2015).
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -50.0]).elu(0.5).value(), [1.5, -0.5].into_tensor());
    /// ```
    #[track_caller]
    pub fn elu(self, alpha: f64) -> Self {
        let alpha = F::from_f64(alpha);
        self.unary(
            "elu",
            inlined!(move |x| formulas::elu(alpha, x)),
            inlined!(move |dy, x: F, _| {
                let below = times_scaled_exp(alpha, dy, x);
                if x > F::ZERO { dy } else { below }
            }),
        )
    }

    /// `y = x Φ(x)`, in the shape of `x`, with the normal distribution function `Φ(x) = (1 + erf(x/√2)) / 2` (Hendrycks
    /// and Gimpel, 2016); `dx = (Φ(x) + x φ(x)) dy` with its density `φ(x) = exp(-x²/2) / √2π`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 10.0]).gelu().value(), [0.0, 10.0].into_tensor());
    /// ```
    #[doc(alias = "gelu_erf")]
    #[track_caller]
    pub fn gelu(self) -> Self {
        self.unary(
            "gelu",
            inlined!(|x| formulas::gelu(x)),
            inlined!(|dy, x: F, _| {
                let (cdf, density) = x.normal();
                dy * (cdf + within_range(x) * density)
            }),
        )
    }

    /// The approximation `y = x (1 + t) / 2` with `t = tanh(√(2/π) (x + 0.044715 x³))`, in the shape of `x`;
    /// `dx = ((1 + t) / 2 + x (1 - t²) √(2/π) (1 + 3 · 0.044715 x²) / 2) dy`.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let x = tape.variable([-0.5, 1.0]);
    /// assert!((x.gelu_tanh() - x.gelu()).abs().max().item() < 1e-3);
    /// ```
    #[doc(alias("gelu_new", "approximate"))]
    #[track_caller]
    pub fn gelu_tanh(self) -> Self {
        self.unary(
            "gelu_tanh",
            inlined!(|x| formulas::gelu_tanh(x)),
            inlined!(|dy, x, _| {
                let (u, du) = gelu_argument(x);
                // Where σ no longer varies, its argument's derivative may be infinite.
                let slope = times_sigmoid_slope(F::ONE, within_range(x), u);
                let varying = if slope.is_zero() { slope } else { slope * du };
                dy * (sigmoid(u) + varying)
            }),
        )
    }

    /// `y = x σ(x)` with the [sigmoid](Var::sigmoid) σ, also called swish, in the shape of `x`;
    /// `dx = (1 + x (1 - σ)) σ dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 50.0]).silu().value(), [0.0, 50.0].into_tensor());
    /// ```
    #[doc(alias = "swish")]
    #[track_caller]
    pub fn silu(self) -> Self {
        self.unary(
            "silu",
            inlined!(|x| formulas::silu(x)),
            inlined!(|dy, x, _| {
                let factor = F::ONE + within_range(x) * sigmoid(-x);
                times_sigmoid(dy, factor, x)
            }),
        )
    }

    /// `y = ln(1 + eˣ)`, as `max(x, 0) + ln(1 + e^-|x|)` so that nothing overflows, in the shape of `x`;
    /// `dx = σ(x) dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1000.0, -1000.0]).softplus().value(), [1000.0, 0.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn softplus(self) -> Self {
        self.unary(
            "softplus",
            inlined!(|x| formulas::softplus(x)),
            inlined!(|dy, x, _| times_sigmoid(dy, F::ONE, x)),
        )
    }

    /// `y = λ x` where `x > 0`, else `λ α (eˣ - 1)`, in the shape of `x`; `dx = λ dy` there, else `λ α eˣ dy`. With
    /// `λ = 1.0507…` and `α = 1.6733…` activations keep mean 0 and variance 1 from layer to layer (Klambauer et al.,
    /// 2017).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::<f64>::new();
    /// let (above, below) = (tape.variable(2.0).selu(), tape.variable(-50.0).selu());
    /// assert!((above.item() - 2.0 * 1.050701).abs() < 1e-6);
    /// assert!((below.item() + 1.6732632 * 1.050701).abs() < 1e-6);
    /// ```
    #[track_caller]
    pub fn selu(self) -> Self {
        self.unary(
            "selu",
            inlined!(|x| formulas::selu(x)),
            inlined!(|dy, x: F, _| {
                let (lambda, alpha) = (F::from_f64(SELU_LAMBDA), F::from_f64(SELU_ALPHA));
                let below = times_scaled_exp(lambda * alpha, dy, x);
                if x > F::ZERO { lambda * dy } else { below }
            }),
        )
    }

    /// `y = x t` with `t = tanh(ln(1 + eˣ))`, in the shape of `x` (Misra, 2019);
    /// `dx = (t + x (1 - t²) σ(x)) dy`, as `(t + 4 x e² (1 + e) / d²) dy` with `e = e⁻ˣ` and `d = 1 + 2e + 2e²`, which
    /// neither cancels nor overflows for `x ≥ 0`, and the same in `eˣ` below.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 50.0]).mish().value(), [0.0, 50.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn mish(self) -> Self {
        self.unary("mish", inlined!(|x| formulas::mish(x)), inlined!(|dy, x, _| mish_pullback(dy, x)))
    }

    /// `y = (x + 3) / 6`, not below 0 and not above 1, in the shape of `x`: the [sigmoid](Var::sigmoid) in straight
    /// lines; `dx = dy / 6` where `-3 < x < 3`, else 0.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([-4.0, 0.0, 4.0]).hardsigmoid().value(), [0.0, 0.5, 1.0].into_tensor());
    /// ```
    #[doc(alias("hard_sigmoid", "Hardsigmoid"))]
    #[track_caller]
    pub fn hardsigmoid(self) -> Self {
        self.unary("hardsigmoid", inlined!(|x| formulas::hardsigmoid(x)), |dy, x: F, _| {
            if x.abs() < F::from_f64(3.0) { dy / F::from_f64(6.0) } else { F::ZERO }
        })
    }

    /// `y = x` times the [hardsigmoid](Var::hardsigmoid), in the shape of `x`: [silu](Var::silu) in pieces (Howard et
    /// al., 2019); `dx = (2x + 3) dy / 6` where `-3 < x < 3`, 0 below and `dy` above.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([-4.0, -1.5, 4.0]).hardswish().value(), [0.0, -0.375, 4.0].into_tensor());
    /// ```
    #[doc(alias("hard_swish", "Hardswish"))]
    #[track_caller]
    pub fn hardswish(self) -> Self {
        self.unary("hardswish", inlined!(|x| formulas::hardswish(x)), |dy, x: F, _| {
            let three = F::from_f64(3.0);
            if x <= -three {
                F::ZERO
            } else if x >= three {
                dy
            } else {
                dy * ((x + x + three) / F::from_f64(6.0))
            }
        })
    }

    /// `y = x / (1 + |x|)`, in the shape of `x`; `dx = dy / (1 + |x|)²`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([-1.0, 3.0]).softsign().value(), [-0.5, 0.75].into_tensor());
    /// ```
    #[track_caller]
    pub fn softsign(self) -> Self {
        self.unary("softsign", inlined!(|x| formulas::softsign(x)), |dy, x: F, _| {
            let root = F::ONE + x.abs();
            dy / root / root
        })
    }
}

/// The gradient of [`mish`](Var::mish).
#[inline(always)]
fn mish_pullback<F: Real>(dy: F, x: F) -> F {
    let (one, two, four) = (F::ONE, F::from_f64(2.0), F::from_f64(4.0));
    let root = (F::from_f64(-0.5) * x.abs()).fast_exp();
    let e = root * root;
    let x_within = within_range(x);
    let d = one + two * e * (one + e);
    let above = dy * ((one + two * e) / d + four * x_within * e * e * (one + e) / (d * d));
    let d = e * (e + two) + two;
    let below = dy * root * (root * ((e + two) / d + four * x_within * (one + e) / (d * d)));
    if x < F::ZERO { below } else { above }
}

/// `c² f σ(x) σ(-x)`, with the derivative of `σ`, also where that is too small.
#[inline(always)]
fn times_sigmoid_slope<F: Real>(c: F, f: F, x: F) -> F {
    let root = (F::from_f64(-0.5) * x.abs()).fast_exp();
    let part = c * root / (F::ONE + root * root);
    f * part * part
}
