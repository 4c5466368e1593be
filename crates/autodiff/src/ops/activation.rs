//! Activation functions. `dy` is the upstream gradient, `dx` the answer.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use crate::compute::inlined;
use crate::{Real, Var};

/// # Activation functions
///
/// See also [`softmax`](Var::softmax).
impl<F: Real> Var<'_, F> {
    /// `y = tanh x`, in the shape of `x`; `dx = (1 - y²) dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, -50.0]).tanh().value(), [0.0, -1.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn tanh(self) -> Self {
        self.unary("tanh", F::fast_tanh, |_, y| F::ONE - y * y)
    }

    /// `y = 1 / (1 + e⁻ˣ)`, in the shape of `x`; `dx = y (1 - y) dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 50.0]).sigmoid().value(), [0.5, 1.0].into_tensor());
    /// ```
    #[doc(alias("logistic", "expit"))]
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.unary("sigmoid", sigmoid, |_, y| y * (F::ONE - y))
    }

    /// `y = max(x, 0)`, in the shape of `x`; `dx = dy` where `x > 0`, else 0. NaN stays NaN.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.5, -2.0]).relu().value(), [1.5, 0.0].into_tensor());
    /// ```
    #[track_caller]
    pub fn relu(self) -> Self {
        self.unary(
            "relu",
            |x| if x < F::ZERO { F::ZERO } else { x },
            |x, _| if x > F::ZERO { F::ONE } else { F::ZERO },
        )
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
        self.unary("leaky_relu", move |x| factor(x) * x, move |x, _| factor(x))
    }

    /// `y = x` where `x > 0`, else `α (eˣ - 1)`, in the shape of `x`; `dx = dy` there, else `(y + α) dy` (Clevert et
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
            inlined!(move |x: F| {
                let below = alpha * x.fast_exp_m1();
                if x > F::ZERO { x } else { below }
            }),
            move |x, y| if x > F::ZERO { F::ONE } else { y + alpha },
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
        let slope = inlined!(|x, _| normal_cdf(x) + x * normal_pdf(x));
        self.unary("gelu", inlined!(|x| x * normal_cdf(x)), slope)
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
            inlined!(|x| F::from_f64(0.5) * x * (F::ONE + gelu_t(x).0)),
            inlined!(|x, _| {
                let half = F::from_f64(0.5);
                let (t, inner) = gelu_t(x);
                half * (F::ONE + t) + half * x * (F::ONE - t * t) * inner
            }),
        )
    }

    /// `y = x σ(x)` with the [sigmoid](Var::sigmoid) σ, also called swish, in the shape of `x`;
    /// `dx = (σ + y (1 - σ)) dy`.
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
            |x| x * sigmoid(x),
            inlined!(|x, y| {
                let s = sigmoid(x);
                s + y * (F::ONE - s)
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
            inlined!(|x: F| x.max(F::ZERO) + (-x.abs()).fast_exp().fast_ln_1p()),
            |x, _| sigmoid(x),
        )
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
