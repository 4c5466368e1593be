use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::average::Average;
use crate::each::{each, elements_mut, gradient};
use crate::rule::Check;
use crate::sign::sign;
use crate::slot::full;
use crate::weight_decay::Descent;
use crate::{HyperError, Memory, Of, Rule, WeightDecay, state};

/// Lion, "evolved sign momentum" (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023).
///
/// ```text
/// u ← sign(β₁ m + (1 - β₁) g)     sign(0) = 0
/// p ← p - η (u + λ p)             decoupled weight decay
/// m ← β₂ m + (1 - β₂) g           m starts at 0
/// ```
///
/// Every element moves by η, and no ε is needed. The paper advises a rate of a third to a tenth of AdamW's, and a λ larger
/// by the same factor.
///
/// The defaults are those of the paper's program. optax has a decay of `Decoupled(1e-3)`, Keras `lr: 1e-3`; PyTorch has
/// no Lion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lion {
    /// η, the learning rate and the size of every step: 1e-4.
    pub lr: f64,
    /// β₁, the weight of `m` in the step: 0.9.
    pub beta1: f64,
    /// β₂, the decay of `m`: 0.99.
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
    pub m: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(LionState { m, steps });

impl<F: Real> Rule<F> for Lion {
    const NAME: &'static str = "Lion";
    type State = LionState<F>;

    fn check(&self) -> Result<(), HyperError> {
        let check = Check(<Self as Rule<F>>::NAME)
            .not_negative("lr", self.lr)?
            .decay("beta1", self.beta1)?
            .decay("beta2", self.beta2)?;
        self.weight_decay.check(check)?;
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> LionState<F> {
        LionState { m: full(param, F::ZERO), steps: 0 }
    }

    fn effective_lr(&self, param: &Tensor<F>, _state: &LionState<F>) -> Tensor<F> {
        full(param, F::of(self.lr))
    }

    fn memories(&self) -> Vec<Memory> {
        vec![Memory::mean("m", Of::Gradient, self.beta2)]
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut LionState<F>) {
        state.steps += 1;
        let descent = Descent::new(false, self.weight_decay, self.lr);
        let (lr, beta1, beta2) = (F::of(self.lr), Average::new(self.beta1), Average::new(self.beta2));
        let grad = gradient(grad, param);
        each(((elements_mut(param), &*grad), elements_mut(&mut state.m)), |((p, &g), m)| {
            let g = descent.gradient(*p, g);
            *p = descent.kept(*p) - lr * sign(beta1.next(*m, g));
            *m = beta2.next(*m, g);
        });
    }
}
