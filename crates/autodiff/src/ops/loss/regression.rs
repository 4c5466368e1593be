//! Losses of each element: of a prediction `x` and a target `t` of the same shape.

use crate::compute::inlined;
use crate::ops::elementwise::{magnitude, sigmoid, weighted, with_sign};
use crate::{Real, Var};

/// # Losses of each element
///
/// Each comes in two forms: `mse` is the mean, `mse_each` has one number per element, to be added up, weighted or
/// masked by whatever the task asks: `(y.mse_each(t) * mask).sum()`. The target has the shape of the prediction.
impl<F: Real> Var<'_, F> {
    /// The mean squared error, a scalar: the mean of [`mse_each`](Var::mse_each) over all elements.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (x, t) = (tape.variable([1.0, 2.0]), tape.constant([1.0, 5.0]));
    /// assert_eq!(x.mse(t).item(), 4.5);
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[doc(alias("mse_loss", "l2_loss", "squared_error", "mean_squared_error"))]
    #[track_caller]
    pub fn mse(self, target: Self) -> Self {
        self.mse_each(target).mean()
    }

    /// The squared error of each element (reduction = none), in the shape of both: `y = (x - t)²`; `dx = 2 (x - t) dy`,
    /// `dt = -dx`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, t) = (tape.variable([1.0, 2.0]), tape.constant([1.0, 5.0]));
    /// assert_eq!(x.mse_each(t).value(), [0.0, 9.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ: a prediction `[n, 1]` and a target `[n]` would broadcast to `[n, n]`, a common mistake.
    #[doc(alias("reduction", "squared_error"))]
    #[track_caller]
    pub fn mse_each(self, target: Self) -> Self {
        self.elementwise(
            "mse",
            target,
            |x, t| (x - t) * (x - t),
            |dy, x, t| F::from_f64(2.0) * (dy * (x - t)),
        )
    }

    /// The mean absolute error, a scalar: the mean of [`mae_each`](Var::mae_each) over all elements.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (x, t) = (tape.variable([1.0, 2.0]), tape.constant([1.0, 5.0]));
    /// assert_eq!(x.mae(t).item(), 1.5);
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[doc(alias("l1_loss", "absolute_error", "mean_absolute_error"))]
    #[track_caller]
    pub fn mae(self, target: Self) -> Self {
        self.mae_each(target).mean()
    }

    /// The absolute error of each element (reduction = none), in the shape of both: `y = |x - t|`;
    /// `dx = sign(x - t) dy`, 0 where they are equal, `dt = -dx`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, t) = (tape.variable([1.0, 2.0]), tape.constant([1.0, 5.0]));
    /// assert_eq!(x.mae_each(t).value(), [0.0, 3.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[doc(alias("reduction", "absolute_error"))]
    #[track_caller]
    pub fn mae_each(self, target: Self) -> Self {
        self.elementwise("mae", target, |x, t| magnitude(x - t), |dy, x, t| with_sign(dy, x - t))
    }

    /// Huber's loss, a scalar: the mean of [`huber_each`](Var::huber_each) over all elements.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (x, t) = (tape.variable([1.0, 2.0]), tape.constant([1.0, 5.0]));
    /// assert_eq!(x.huber(t, 1.0).item(), 1.25);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`huber_each`](Var::huber_each), and if there is no element.
    #[doc(alias("huber_loss", "smooth_l1", "smooth_l1_loss"))]
    #[track_caller]
    pub fn huber(self, target: Self, delta: f64) -> Self {
        self.huber_each(target, delta).mean()
    }

    /// Huber's loss (1964) of each element (reduction = none), in the shape of both. With `e = x - t`: `y = e²/2` where
    /// `|e| ≤ δ`, else `δ (|e| - δ/2)`; `dx = min(max(e, -δ), δ) dy`, `dt = -dx`. PyTorch's `smooth_l1` is this divided
    /// by δ.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, t) = (tape.variable([1.0, 2.0]), tape.constant([1.0, 5.0]));
    /// assert_eq!(x.huber_each(t, 1.0).value(), [0.0, 2.5].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ, or `delta` is not positive.
    #[doc(alias("reduction", "huber_loss", "smooth_l1"))]
    #[track_caller]
    pub fn huber_each(self, target: Self, delta: f64) -> Self {
        let (half, delta) = (F::from_f64(0.5), F::from_f64(delta));
        assert!(delta > F::ZERO, "`huber`: delta must be positive, it is {delta}");
        let value = move |x: F, t: F| {
            let e = (x - t).abs();
            if e <= delta { half * e * e } else { delta * (e - half * delta) }
        };
        self.elementwise("huber", target, value, move |dy, x, t| {
            let e = x - t;
            if e.abs() <= delta { dy * e } else { with_sign(dy, e) * delta }
        })
    }

    /// Binary cross entropy of logits, a scalar: the mean of [`bce_with_logits_each`](Var::bce_with_logits_each) over
    /// all elements.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (x, t) = (tape.variable([0.0, 0.0]), tape.constant([0.0, 1.0]));
    /// assert_eq!(x.bce_with_logits(t).item(), 2.0_f64.ln());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[doc(alias(
        "binary_cross_entropy_with_logits",
        "BCEWithLogitsLoss",
        "sigmoid_binary_cross_entropy",
        "sigmoid_cross_entropy_with_logits"
    ))]
    #[track_caller]
    pub fn bce_with_logits(self, target: Self) -> Self {
        self.bce_with_logits_each(target).mean()
    }

    /// The cross entropy of each element (reduction = none), in the shape of both: of the probability `p = σ(x)` with a
    /// target `t` between 0 and 1, `y = -t ln p - (1 - t) ln (1 - p)`, as `(1 - t) x + ln(1 + e⁻ˣ)` or, below 0,
    /// `-t x + ln(1 + eˣ)` so that nothing overflows or cancels; `dx = (p - t) dy`, `dt = -x dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, t) = (tape.variable([1000.0, 1000.0]), tape.constant([0.0, 1.0]));
    /// assert_eq!(x.bce_with_logits_each(t).value(), [1000.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[doc(alias("reduction", "binary_cross_entropy_with_logits"))]
    #[track_caller]
    pub fn bce_with_logits_each(self, target: Self) -> Self {
        self.same_shape("bce_with_logits", target);
        // How far the target is from the side that `x` is on; `1 - t` is exact where it matters, near 1.
        let miss = |x: F, t: F| if x < F::ZERO { t } else { F::ONE - t };
        let value = inlined!(move |x: F, t: F| {
            weighted(miss(x, t), x.abs()) + (-x.abs()).fast_exp().fast_ln_1p()
        });
        let dx = inlined!(move |dy, x: F, t| {
            let half = F::from_f64(0.5);
            // σ(x) - t, in the terms that are small where it is: near x = 0 and t = ½, and far out.
            let near = half * (half * x).fast_tanh() + (half - t);
            let far = miss(x, t) - sigmoid(-x.abs());
            let slope = if x.abs() < F::ONE {
                near
            } else if x < F::ZERO {
                -far
            } else {
                far
            };
            dy * slope
        });
        self.binary("bce_with_logits", target, value, (dx, |dy: F, x, _| -dy * x))
    }

    /// What PyTorch calls the divergence by default, a scalar: the mean of [`kl_div_each`](Var::kl_div_each) over all
    /// *elements*. The divergence itself is a sum over each row: `x.kl_div_each(t).sum() / n`.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (x, t) = (tape.variable([-1.0, -2.0]), tape.constant([0.0, 1.0]));
    /// assert_eq!(x.kl_div(t).item(), 1.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[doc(alias("kl_divergence", "kl_div_loss", "KLDivLoss"))]
    #[track_caller]
    pub fn kl_div(self, target: Self) -> Self {
        self.kl_div_each(target).mean()
    }

    /// The terms of the divergence of Kullback and Leibler (1951), one per element (reduction = none), in the shape of
    /// both. For log-probabilities `x` and probabilities `t`: `y = t (ln t - x)`, 0 where `t = 0`; `dx = -t dy`,
    /// `dt = (ln t + 1 - x) dy`, which is infinite where `t = 0`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, t) = (tape.variable([-1.0, -2.0]), tape.constant([0.0, 1.0]));
    /// assert_eq!(x.kl_div_each(t).value(), [0.0, 2.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[doc(alias("reduction", "kl_divergence"))]
    #[track_caller]
    pub fn kl_div_each(self, target: Self) -> Self {
        self.same_shape("kl_div", target);
        // Minus the logarithm of a probability of 0 is more than that of any target.
        let or_infinite = |x: F, difference| if x == F::neg_infinity() { -x } else { difference };
        let value = inlined!(move |x: F, t: F| {
            // `0 ln 0 = 0`, and 0 times the logarithm of a probability of 0, too; a NaN is not hidden.
            let ratio = or_infinite(x, t.fast_ln() - x);
            if x.is_nan() { x } else { weighted(t, ratio) }
        });
        self.binary(
            "kl_div",
            target,
            value,
            (
                |dy: F, _, t| -dy * t,
                inlined!(move |dy, x, t: F| dy * or_infinite(x, t.fast_ln() + F::ONE - x)),
            ),
        )
    }

    /// A loss that depends on `x - t` only, so that `dt = -dx`.
    #[track_caller]
    fn elementwise(
        self,
        op: &'static str,
        target: Self,
        value: impl Fn(F, F) -> F + Sync,
        pullback: impl Fn(F, F, F) -> F + Sync + Copy + 'static,
    ) -> Self {
        self.same_shape(op, target);
        self.binary(op, target, value, (pullback, move |dy, x, t| -pullback(dy, x, t)))
    }

    #[track_caller]
    pub(super) fn same_shape(self, op: &str, target: Self) {
        assert_eq!(
            self.shape(),
            target.shape(),
            "`{op}`: the prediction (left) and the target (right) need the same shape"
        );
    }
}
