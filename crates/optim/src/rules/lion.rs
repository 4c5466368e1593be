use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::ema::Ema;
use crate::rules::parts::optional::full;
use crate::rules::parts::validate::{decay, not_negative};
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// Lion, "evolved sign momentum" (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023).
///
/// ```text
/// u ← sign(β₁ m + (1 - β₁) g)     sign(0) = 0
/// p ← p - η (u + λ p)             decoupled weight decay
/// m ← β₂ m + (1 - β₂) g           m starts at 0
/// ```
///
/// Every element moves by η, and no ε is needed. The paper advises a rate of a third to a tenth of AdamW's, and a λ
/// larger by the same factor.
///
/// The defaults are those of the paper's program. optax has a decay of `Decoupled(1e-3)`, Keras `lr: 1e-3`; PyTorch has
/// no Lion.
#[doc(alias = "scale_by_lion")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lion {
    /// η, the learning rate and the size of every step: 1e-4.
    #[doc(alias = "learning_rate")]
    pub lr: f64,
    /// β₁, the weight of `m` in the step: 0.9.
    #[doc(alias("betas", "b1", "beta_1"))]
    pub beta1: f64,
    /// β₂, the decay of `m`: 0.99.
    #[doc(alias("betas", "b2", "beta_2"))]
    pub beta2: f64,
    /// λ: none.
    pub weight_decay: WeightDecay,
}

/// The defaults of the paper's program.
impl Default for Lion {
    fn default() -> Self {
        Self { lr: 1e-4, beta1: 0.9, beta2: 0.99, weight_decay: WeightDecay::None }
    }
}

/// What [`Lion`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct LionState<F: Real = f32> {
    /// The average of the gradient, in the tensor's shape.
    #[doc(alias("exp_avg", "mu"))]
    pub m: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(LionState { m, steps });

impl<F: Real> Rule<F> for Lion {
    const NAME: &'static str = "Lion";
    type State = LionState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("beta1", self.beta1)?;
        decay("beta2", self.beta2)?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> LionState<F> {
        LionState { m: full(param, F::ZERO), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut LionState<F>) {
        state.steps += 1;
        let transform = GradientTransform::new(false, self.weight_decay, self.lr);
        let (lr, beta1, beta2) = (F::from_f64(self.lr), Ema::new(self.beta1), Ema::new(self.beta2));
        let grad = row_major(grad, param);
        for_each(((row_major_mut(param), &*grad), row_major_mut(&mut state.m)), |((p, &g), m)| {
            let g = transform.apply(*p, g);
            *p = transform.decayed(*p) - lr * beta1.next(*m, g).sign();
            *m = beta2.next(*m, g);
        });
    }
}

impl<F: Real> Explain<F> for Lion {
    fn effective_lr(&self, param: &Tensor<F>, _state: &LionState<F>) -> Tensor<F> {
        full(param, F::from_f64(self.lr))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![Accumulator::mean("m", Statistic::Gradient, self.beta2)]
    }
}
