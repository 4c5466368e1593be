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

/// NAdam, Adam with Nesterov's momentum (Dozat, "Incorporating Nesterov Momentum into Adam", 2016).
///
/// ```text
/// g ← g + λ p                                           L2 weight decay
/// m ← β₁ m + (1 - β₁) g                                 m starts at 0
/// v ← β₂ v + (1 - β₂) g²                                v starts at 0
/// μₜ = β₁ (1 - ½ 0.96^(t ψ))                            the momentum of step t
/// P ← P μₜ                                              P starts at 1
/// m̂ = μₜ₊₁ m / (1 - P μₜ₊₁) + (1 - μₜ) g / (1 - P)      one step ahead
/// v̂ = v / (1 - β₂ᵗ)
/// p ← p - η m̂ / (√v̂ + ε)                                ε outside the root
/// ```
///
/// The defaults are PyTorch's. Keras has ψ = 1, ε = 1e-7, and one `P` and `t` for all tensors.
#[doc(alias("Nadam", "nadamw"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NAdam {
    /// η, the learning rate: 2e-3.
    #[doc(alias = "learning_rate")]
    pub lr: f64,
    /// β₁, the decay of `m`: 0.9.
    #[doc(alias("betas", "b1", "beta_1"))]
    pub beta1: f64,
    /// β₂, the decay of `v`: 0.999.
    #[doc(alias("betas", "b2", "beta_2"))]
    pub beta2: f64,
    /// ε and its place: `Outside(1e-8)`.
    #[doc(alias = "epsilon")]
    pub eps: Epsilon,
    /// ψ, how fast the momentum rises from about β₁/2 to β₁: 4e-3.
    #[doc(alias = "psi")]
    pub momentum_decay: f64,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for NAdam {
    fn default() -> Self {
        Self {
            lr: 2e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: Epsilon::Outside(1e-8),
            momentum_decay: 4e-3,
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`NAdam`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct NAdamState<F: Real = f32> {
    /// The average of the gradient, in the tensor's shape.
    #[doc(alias("exp_avg", "mu"))]
    pub m: Tensor<F>,
    /// The average of the squared gradient.
    #[doc(alias("exp_avg_sq", "nu"))]
    pub v: Tensor<F>,
    /// `P`, the product of the momenta of all steps.
    pub mu_product: f64,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(NAdamState { m, v, mu_product, steps });

impl<F: Real> Rule<F> for NAdam {
    const NAME: &'static str = "NAdam";
    type State = NAdamState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("beta1", self.beta1)?;
        decay("beta2", self.beta2)?;
        not_negative("momentum_decay", self.momentum_decay)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> NAdamState<F> {
        NAdamState { m: full(param, F::ZERO), v: full(param, F::ZERO), mu_product: 1.0, steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut NAdamState<F>) {
        state.steps += 1;
        let (mu, next_mu) = (self.mu(state.steps), self.mu(state.steps + 1));
        state.mu_product *= mu;
        let of_m = F::from_f64(next_mu / (1.0 - state.mu_product * next_mu));
        let of_g = F::from_f64((1.0 - mu) / (1.0 - state.mu_product));
        let root = self.eps.root(bias_correction(self.beta2, state.steps));
        let direction = |m: F, v: F, g: F| (of_m * m + of_g * g) / root.apply(v);

        let transform = GradientTransform::new(self.maximize, self.weight_decay, self.lr);
        let pass = Moments::new(self.beta1, self.beta2, transform, self.lr);
        pass.run(param, grad, (&mut state.m, &mut state.v, &mut missing(grad)), direction);
    }
}

impl<F: Real> Explain<F> for NAdam {
    fn effective_lr(&self, _param: &Tensor<F>, state: &NAdamState<F>) -> Tensor<F> {
        let (lr, root) =
            (F::from_f64(self.lr), self.eps.root(bias_correction(self.beta2, state.steps.max(1))));
        state.v.mapv(|v| lr / root.apply(v)).into_shared()
    }

    fn second_moment(&self, state: &NAdamState<F>) -> Option<(Tensor<F>, Epsilon)> {
        Some(self.eps.second_moment(&state.v, bias_correction(self.beta2, state.steps.max(1))))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![
            Accumulator::mean("m", Statistic::Gradient, self.beta1),
            Accumulator::mean("v", Statistic::SquaredGradient, self.beta2),
        ]
    }
}

impl NAdam {
    fn mu(&self, step: u64) -> f64 {
        self.beta1 * (1.0 - 0.5 * 0.96f64.powf(step as f64 * self.momentum_decay))
    }
}
