use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::row_major_mut;
use crate::rules::parts::ema::bias_correction;
use crate::rules::parts::epsilon::Epsilon;
use crate::rules::parts::moments::Moments;
use crate::rules::parts::optional::{full, missing};
use crate::rules::parts::validate::{decay, not_negative};
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015).
///
/// ```text
/// g ← g + λ p                     L2 weight decay
/// m ← β₁ m + (1 - β₁) g           m starts at 0
/// v ← β₂ v + (1 - β₂) g²          v starts at 0
/// m̂ = m / (1 - β₁ᵗ)               t counts the gradients this tensor has seen
/// v̂ = v / (1 - β₂ᵗ)
/// p ← p - η m̂ / (√v̂ + ε)          ε outside the root
/// ```
///
/// AMSGrad (Reddi et al., "On the Convergence of Adam and Beyond", 2018) keeps `v_max ← max(v_max, v)` and divides by
/// that instead of by `v`. With β₁ = 0, Adam is [`RmsProp`](crate::RmsProp) with bias correction.
///
/// The defaults are PyTorch's; [`Adam::w`] is AdamW. Keras has `eps: Epsilon::Uncorrected(1e-7)` and decoupled decay.
/// Not offered: optax's AMSGrad, which takes the maximum of `v̂`; its `nesterov`, which is [`NAdam`](crate::NAdam) with
/// a constant momentum; an ε in both places at once; Keras's count of steps, one for all tensors.
#[doc(alias("AdamW", "AMSGrad", "amsgrad", "scale_by_adam"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// η, the learning rate: 1e-3.
    #[doc(alias("learning_rate", "alpha"))]
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
    /// Divide by the largest `v` so far: no.
    #[doc(alias = "AMSGrad")]
    pub amsgrad: bool,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for Adam {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            eps: Epsilon::Outside(1e-8),
            amsgrad: false,
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

impl Adam {
    /// AdamW (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) with PyTorch's defaults: Adam whose
    /// decay is `Decoupled(1e-2)`.
    ///
    /// ```
    /// use wengert_optim::{Adam, Optimizer, WeightDecay};
    ///
    /// let opt: Optimizer<Adam> = Optimizer::new(Adam { lr: 3e-4, ..Adam::w() });
    /// assert_eq!(opt.rule().weight_decay, WeightDecay::Decoupled(1e-2));
    /// ```
    #[doc(alias = "AdamW")]
    pub fn w() -> Self {
        Self { weight_decay: WeightDecay::Decoupled(1e-2), ..Self::default() }
    }
}

/// What [`Adam`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamState<F: Real = f32> {
    /// The average of the gradient, in the tensor's shape.
    #[doc(alias("exp_avg", "mu", "momentum"))]
    pub m: Tensor<F>,
    /// The average of the squared gradient.
    #[doc(alias("exp_avg_sq", "nu", "velocity"))]
    pub v: Tensor<F>,
    /// The largest `v`; `None` as long as there was no AMSGrad.
    #[doc(alias("max_exp_avg_sq", "velocity_hat", "nu_max"))]
    pub v_max: Option<Tensor<F>>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(AdamState { m, v, v_max, steps });

impl<F: Real> Rule<F> for Adam {
    const NAME: &'static str = "Adam";
    type State = AdamState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("beta1", self.beta1)?;
        decay("beta2", self.beta2)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> AdamState<F> {
        AdamState { m: full(param, F::ZERO), v: full(param, F::ZERO), v_max: None, steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut AdamState<F>) {
        state.steps += 1;
        let root = self.eps.root(bias_correction(self.beta2, state.steps));
        let correct_m = F::from_f64(bias_correction(self.beta1, state.steps));
        let direction = |m: F, v: F, _g: F| correct_m * m / root.apply(v);

        let transform = GradientTransform::new(self.maximize, self.weight_decay, self.lr);
        let pass = Moments::new(self.beta1, self.beta2, transform, self.lr);
        let (m, v) = (&mut state.m, &mut state.v);
        if self.amsgrad {
            let v_max = state.v_max.get_or_insert_with(|| full(param, F::ZERO));
            pass.run(param, grad, (m, v, row_major_mut(v_max)), direction);
        } else {
            pass.run(param, grad, (m, v, &mut missing(grad)), direction);
        }
    }
}

impl<F: Real> Explain<F> for Adam {
    fn effective_lr(&self, _param: &Tensor<F>, state: &AdamState<F>) -> Tensor<F> {
        let (lr, root) =
            (F::from_f64(self.lr), self.eps.root(bias_correction(self.beta2, state.steps.max(1))));
        let v = state.v_max.as_ref().filter(|_| self.amsgrad).unwrap_or(&state.v);
        v.mapv(|v| lr / root.apply(v)).into_shared()
    }

    fn second_moment(&self, state: &AdamState<F>) -> Option<(Tensor<F>, Epsilon)> {
        let v = state.v_max.as_ref().filter(|_| self.amsgrad).unwrap_or(&state.v);
        Some(self.eps.second_moment(v, bias_correction(self.beta2, state.steps.max(1))))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![
            Accumulator::mean("m", Statistic::Gradient, self.beta1),
            Accumulator::mean("v", Statistic::SquaredGradient, self.beta2),
        ]
    }
}
