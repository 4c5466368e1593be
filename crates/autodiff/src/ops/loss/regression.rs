//! Losses of each element: of a prediction `x` and a target `t` of the same shape.
//!
//! Every loss of this crate comes in two forms: `mse` is the mean, `mse_each` has one number per element (one per row
//! for the classifiers' losses), to be added up, weighted or masked by whatever the task asks:
//! `(y.mse_each(t) * mask).sum()`.

use crate::compute::inlined;
use crate::ops::unary::sigmoid;
use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// The mean squared error: the mean of [`mse_each`](Var::mse_each) over all elements.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[track_caller]
    pub fn mse(self, target: Self) -> Self {
        self.mse_each(target).mean()
    }

    /// `y = (x - t)²`; `dx = 2 (x - t) dy`, `dt = -dx`.
    ///
    /// # Panics
    ///
    /// If the shapes differ: a prediction `[n, 1]` and a target `[n]` would broadcast to `[n, n]`, a popular mistake.
    #[track_caller]
    pub fn mse_each(self, target: Self) -> Self {
        self.elementwise("mse", target, |x, t| (x - t) * (x - t), |x, t| (x - t) + (x - t))
    }

    /// The mean absolute error: the mean of [`mae_each`](Var::mae_each) over all elements.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[track_caller]
    pub fn mae(self, target: Self) -> Self {
        self.mae_each(target).mean()
    }

    /// `y = |x - t|`; `dx = sign(x - t) dy`, 0 where they are equal, `dt = -dx`.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn mae_each(self, target: Self) -> Self {
        self.elementwise("mae", target, |x, t| (x - t).abs(), |x, t| (x - t).sign())
    }

    /// The mean of [`huber_each`](Var::huber_each) over all elements.
    ///
    /// # Panics
    ///
    /// As [`huber_each`](Var::huber_each), and if there is no element.
    #[track_caller]
    pub fn huber(self, target: Self, delta: f64) -> Self {
        self.huber_each(target, delta).mean()
    }

    /// With `e = x - t`: `y = e²/2` where `|e| ≤ δ`, else `δ (|e| - δ/2)` (Huber, 1964); `dx = min(max(e, -δ), δ) dy`,
    /// `dt = -dx`.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or `delta` is not positive.
    #[track_caller]
    pub fn huber_each(self, target: Self, delta: f64) -> Self {
        let (half, delta) = (F::from_f64(0.5), F::from_f64(delta));
        assert!(delta > F::ZERO, "`huber`: delta must be positive, it is {delta}");
        let value = move |x: F, t: F| {
            let e = (x - t).abs();
            if e <= delta { half * e * e } else { delta * (e - half * delta) }
        };
        self.elementwise("huber", target, value, move |x, t| {
            let e = x - t;
            if e.abs() <= delta { e } else { e.sign() * delta }
        })
    }

    /// The mean of [`bce_with_logits_each`](Var::bce_with_logits_each) over all elements.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[track_caller]
    pub fn bce_with_logits(self, target: Self) -> Self {
        self.bce_with_logits_each(target).mean()
    }

    /// Binary cross entropy of the probability `p = σ(x)` with a target `t` between 0 and 1:
    /// `y = -t ln p - (1 - t) ln (1 - p)`, as `max(x, 0) - t x + ln(1 + e^-|x|)` so that nothing overflows;
    /// `dx = (p - t) dy`, `dt = -x dy`.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn bce_with_logits_each(self, target: Self) -> Self {
        self.same_shape("bce_with_logits", target);
        let value = inlined!(|x: F, t: F| x.max(F::ZERO) - t * x + (-x.abs()).fast_exp().fast_ln_1p());
        self.binary("bce_with_logits", target, value, (|x, t| sigmoid(x) - t, |x: F, _| -x))
    }

    /// The mean of [`kl_div_each`](Var::kl_div_each) over all *elements*, which is PyTorch's default. The divergence
    /// itself is a sum over each row: `x.kl_div_each(t).sum() / n`.
    ///
    /// # Panics
    ///
    /// If the shapes differ, or there is no element.
    #[track_caller]
    pub fn kl_div(self, target: Self) -> Self {
        self.kl_div_each(target).mean()
    }

    /// The terms of the divergence of Kullback and Leibler (1951), for log-probabilities `x` and probabilities `t`:
    /// `y = t (ln t - x)`, 0 where `t = 0`; `dx = -t dy`, `dt = (ln t + 1 - x) dy`, which is infinite where `t = 0`.
    ///
    /// # Panics
    ///
    /// If the shapes differ.
    #[track_caller]
    pub fn kl_div_each(self, target: Self) -> Self {
        self.same_shape("kl_div", target);
        let value = |x: F, t: F| if t == F::ZERO { t } else { t * (t.fast_ln() - x) };
        self.binary("kl_div", target, value, (|_, t: F| -t, |x, t: F| t.fast_ln() + F::ONE - x))
    }

    /// A loss that depends on `x - t` only, so that `dt = -dx`.
    #[track_caller]
    fn elementwise(
        self,
        op: &'static str,
        target: Self,
        value: impl Fn(F, F) -> F + Sync,
        slope: impl Fn(F, F) -> F + Sync + Copy + 'static,
    ) -> Self {
        self.same_shape(op, target);
        self.binary(op, target, value, (slope, move |x, t| -slope(x, t)))
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
