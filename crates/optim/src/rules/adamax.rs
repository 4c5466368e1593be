use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::ema::{Ema, bias_correction, flush_subnormal};
use crate::rules::parts::epsilon::Epsilon;
use crate::rules::parts::optional::full;
use crate::rules::parts::validate::{decay, not_negative};
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// Adamax, Adam with the largest gradient in place of the root mean square (Kingma and Ba, "Adam: A Method for
/// Stochastic Optimization", 2015, section 7.1).
///
/// ```text
/// g ← g + λ p                     L2 weight decay
/// m ← β₁ m + (1 - β₁) g           m starts at 0
/// u ← max(β₂ u, |g| + ε)          u starts at 0; ε inside the maximum
/// p ← p - η / (1 - β₁ᵗ) m / u     ε outside: m / (u + ε)
/// ```
///
/// There is no root here: ε has the unit of a gradient in either place, and since `u` needs no bias correction,
/// [`Uncorrected`](Epsilon::Uncorrected) means the same as [`Outside`](Epsilon::Outside).
///
/// The defaults are PyTorch's. Keras has `lr: 1e-3` and `eps: Epsilon::Outside(1e-7)`.
#[doc(alias("AdaMax", "scale_by_adamax"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adamax {
    /// η, the learning rate: 2e-3.
    #[doc(alias = "learning_rate")]
    pub lr: f64,
    /// β₁, the decay of `m`: 0.9.
    #[doc(alias("betas", "b1", "beta_1"))]
    pub beta1: f64,
    /// β₂, the decay of `u`: 0.999.
    #[doc(alias("betas", "b2", "beta_2"))]
    pub beta2: f64,
    /// ε and its place: `Inside(1e-8)`.
    #[doc(alias = "epsilon")]
    pub eps: Epsilon,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for Adamax {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: Epsilon::Inside(1e-8),
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`Adamax`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamaxState<F: Real = f32> {
    /// The average of the gradient, in the tensor's shape.
    #[doc(alias("exp_avg", "mu"))]
    pub m: Tensor<F>,
    /// The largest size of a gradient, slowly forgotten.
    #[doc(alias("exp_inf", "norm", "nu"))]
    pub u: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(AdamaxState { m, u, steps });

impl<F: Real> Rule<F> for Adamax {
    const NAME: &'static str = "Adamax";
    type State = AdamaxState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("beta1", self.beta1)?;
        decay("beta2", self.beta2)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> AdamaxState<F> {
        AdamaxState { m: full(param, F::ZERO), u: full(param, F::ZERO), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut AdamaxState<F>) {
        state.steps += 1;
        let transform = GradientTransform::new(self.maximize, self.weight_decay, self.lr);
        let (beta1, beta2) = (Ema::new(self.beta1), F::from_f64(self.beta2));
        let (inside, outside): (F, F) = self.split_eps();
        let lr = F::from_f64(self.lr * bias_correction(self.beta1, state.steps));
        let grad = row_major(grad, param);
        for_each(
            (((row_major_mut(param), &*grad), row_major_mut(&mut state.m)), row_major_mut(&mut state.u)),
            |(((p, &g), m), u)| {
                let g = transform.apply(*p, g);
                *m = beta1.next(*m, g);
                *u = flush_subnormal((beta2 * *u).max(g.abs() + inside));
                *p = transform.decayed(*p) - lr * *m / (*u + outside);
            },
        );
    }
}

impl<F: Real> Explain<F> for Adamax {
    fn effective_lr(&self, _param: &Tensor<F>, state: &AdamaxState<F>) -> Tensor<F> {
        let (lr, (inside, outside)) = (F::from_f64(self.lr), self.split_eps());
        // After the first step `u` is at least ε inside, before it zero.
        state.u.mapv(|u: F| lr / (u.max(inside) + outside)).into_shared()
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![Accumulator::mean("m", Statistic::Gradient, self.beta1)]
    }
}

impl Adamax {
    /// ε inside and outside the maximum, of which one is zero.
    fn split_eps<F: Real>(&self) -> (F, F) {
        match self.eps {
            Epsilon::Inside(eps) => (F::from_f64(eps), F::ZERO),
            Epsilon::Outside(eps) | Epsilon::Uncorrected(eps) => (F::ZERO, F::from_f64(eps)),
        }
    }
}
