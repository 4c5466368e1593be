use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::ema::squarable;
use crate::rules::parts::epsilon::Epsilon;
use crate::rules::parts::optional::full;
use crate::rules::parts::validate::not_negative;
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// AdaGrad (Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011).
///
/// ```text
/// g ← g + λ p                 L2 weight decay
/// r ← r + g²                  r starts at r₀ = 0
/// ηₜ = η / (1 + (t - 1) κ)    t counts the gradients this tensor has seen
/// p ← p - ηₜ g / (√r + ε)     ε outside the root; inside: ηₜ g / √(r + ε)
/// ```
///
/// `r` never falls, so the rate of an element never rises. It goes to zero only if the sum of the squared gradients
/// goes to infinity.
///
/// The defaults are PyTorch's. Keras and optax have `r0: 0.1` and `eps: Epsilon::Inside(1e-7)`.
#[doc(alias("Adagrad", "scale_by_rss"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaGrad {
    /// η, the learning rate: 1e-2.
    #[doc(alias("learning_rate", "eta"))]
    pub lr: f64,
    /// κ: 0, which leaves the rate to the sum.
    pub lr_decay: f64,
    /// ε and its place: `Outside(1e-10)`.
    #[doc(alias = "epsilon")]
    pub eps: Epsilon,
    /// r₀, what `r` starts from: 0. PyTorch's `initial_accumulator_value`.
    #[doc(alias = "initial_accumulator_value")]
    pub r0: f64,
    /// λ: none. Decoupled decay goes with ηₜ.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for AdaGrad {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            lr_decay: 0.0,
            eps: Epsilon::Outside(1e-10),
            r0: 0.0,
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`AdaGrad`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaGradState<F: Real = f32> {
    /// The sum of the squared gradients, in the tensor's shape.
    #[doc(alias("sum", "accumulator", "sum_of_squares"))]
    pub r: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(AdaGradState { r, steps });

impl<F: Real> Rule<F> for AdaGrad {
    const NAME: &'static str = "AdaGrad";
    type State = AdaGradState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        not_negative("lr_decay", self.lr_decay)?;
        not_negative("r0", self.r0)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> AdaGradState<F> {
        AdaGradState { r: full(param, F::from_f64(self.r0)), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut AdaGradState<F>) {
        state.steps += 1;
        let lr = self.lr_at(state.steps);
        let transform = GradientTransform::new(self.maximize, self.weight_decay, lr);
        let (lr, root) = (F::from_f64(lr), self.eps.root(1.0));
        let grad = row_major(grad, param);
        for_each(((row_major_mut(param), &*grad), row_major_mut(&mut state.r)), |((p, &g), r)| {
            let g = squarable(transform.apply(*p, g));
            let sum = *r + g * g;
            // An infinite sum would silence the element for good.
            *r = if sum.is_infinite() && g.is_finite() { F::max_value() } else { sum };
            *p = transform.decayed(*p) - lr * g / root.apply(*r);
        });
    }
}

impl<F: Real> Explain<F> for AdaGrad {
    fn effective_lr(&self, _param: &Tensor<F>, state: &AdaGradState<F>) -> Tensor<F> {
        let (lr, root) = (F::from_f64(self.lr_at(state.steps.max(1))), self.eps.root(1.0));
        state.r.mapv(|r| lr / root.apply(r)).into_shared()
    }

    fn second_moment(&self, state: &AdaGradState<F>) -> Option<(Tensor<F>, Epsilon)> {
        Some(self.eps.second_moment(&state.r, 1.0))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![Accumulator {
            field: "r",
            statistic: Statistic::SquaredGradient,
            decay: 1.0,
            weight: 1.0,
            start: self.r0,
        }]
    }
}

impl AdaGrad {
    /// ηₜ, the rate of the step with this number, counted from 1.
    fn lr_at(&self, step: u64) -> f64 {
        self.lr / (1.0 + (step - 1) as f64 * self.lr_decay)
    }
}
