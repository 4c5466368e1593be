use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::ema::bias_correction;
use crate::rules::parts::epsilon::Epsilon;
use crate::rules::parts::moments::Moments;
use crate::rules::parts::optional::{full, missing};
use crate::rules::parts::validate::{decay, not_negative};
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// RAdam, rectified Adam (Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", 2020): it does not
/// divide by `√v̂` before that rests on enough gradients.
///
/// ```text
/// g ← g + λ p                     L2 weight decay
/// m ← β₁ m + (1 - β₁) g           m starts at 0
/// v ← β₂ v + (1 - β₂) g²          v starts at 0
/// m̂ = m / (1 - β₁ᵗ)
/// L = 2 / (1 - β₂) - 1            the longest memory of v
/// l = L - 2 t β₂ᵗ / (1 - β₂ᵗ)     its memory after t gradients
/// l ≤ 5:  p ← p - η m̂
/// l > 5:  r = √((l - 4) (l - 2) L / ((L - 4) (L - 2) l))
///         p ← p - η r m̂ √(1 - β₂ᵗ) / (√v + ε)      ε joins the uncorrected root
/// ```
///
/// The defaults are PyTorch's. optax has `eps: Epsilon::Outside(1e-8)`; its `threshold`, other than 5, and its
/// `nesterov` are not offered.
#[doc(alias("RectifiedAdam", "scale_by_radam"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RAdam {
    /// η, the learning rate: 1e-3.
    #[doc(alias = "learning_rate")]
    pub lr: f64,
    /// β₁, the decay of `m`: 0.9.
    #[doc(alias("betas", "b1", "beta_1"))]
    pub beta1: f64,
    /// β₂, the decay of `v`: 0.999. With 0.6 or less the step is never rectified.
    #[doc(alias("betas", "b2", "beta_2"))]
    pub beta2: f64,
    /// ε and its place: `Uncorrected(1e-8)`.
    #[doc(alias = "epsilon")]
    pub eps: Epsilon,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for RAdam {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: Epsilon::Uncorrected(1e-8),
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`RAdam`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct RAdamState<F: Real = f32> {
    /// The average of the gradient, in the tensor's shape.
    #[doc(alias("exp_avg", "mu"))]
    pub m: Tensor<F>,
    /// The average of the squared gradient.
    #[doc(alias("exp_avg_sq", "nu"))]
    pub v: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(RAdamState { m, v, steps });

impl<F: Real> Rule<F> for RAdam {
    const NAME: &'static str = "RAdam";
    type State = RAdamState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("beta1", self.beta1)?;
        decay("beta2", self.beta2)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> RAdamState<F> {
        RAdamState { m: full(param, F::ZERO), v: full(param, F::ZERO), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut RAdamState<F>) {
        state.steps += 1;
        let root = self.eps.root(bias_correction(self.beta2, state.steps));
        let correct_m = F::from_f64(bias_correction(self.beta1, state.steps));
        let rectification = self.rectification(state.steps);

        let transform = GradientTransform::new(self.maximize, self.weight_decay, self.lr);
        let pass = Moments::new(self.beta1, self.beta2, transform, self.lr);
        let mut absent = missing(grad);
        let state = (&mut state.m, &mut state.v, &mut *absent);
        match rectification {
            None => pass.run(param, grad, state, |m, _v, _g| correct_m * m),
            Some(r) => {
                let r = F::from_f64(r);
                pass.run(param, grad, state, |m, v, _g| r * correct_m * m / root.apply(v));
            }
        }
    }
}

impl<F: Real> Explain<F> for RAdam {
    fn effective_lr(&self, param: &Tensor<F>, state: &RAdamState<F>) -> Tensor<F> {
        let steps = state.steps.max(1);
        let Some(r) = self.rectification(steps) else { return full(param, F::from_f64(self.lr)) };
        let (lr, root) = (F::from_f64(r * self.lr), self.eps.root(bias_correction(self.beta2, steps)));
        state.v.mapv(|v| lr / root.apply(v)).into_shared()
    }

    fn second_moment(&self, state: &RAdamState<F>) -> Option<(Tensor<F>, Epsilon)> {
        let steps = state.steps.max(1);
        self.rectification(steps)
            .map(|_| self.eps.second_moment(&state.v, bias_correction(self.beta2, steps)))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![
            Accumulator::mean("m", Statistic::Gradient, self.beta1),
            Accumulator::mean("v", Statistic::SquaredGradient, self.beta2),
        ]
    }
}

impl RAdam {
    /// `r`, or `None` while there are too few gradients.
    fn rectification(&self, steps: u64) -> Option<f64> {
        let longest = 2.0 / (1.0 - self.beta2) - 1.0;
        let kept = self.beta2.powf(steps as f64);
        let length = longest - 2.0 * steps as f64 * kept / (1.0 - kept);
        let share = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length);
        (length > 5.0).then(|| share.sqrt())
    }
}
