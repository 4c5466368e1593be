use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::Explain;
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::optional::full;
use crate::rules::parts::validate::not_negative;
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// Rprop (Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
/// 1993) in PyTorch's form: for gradients of the whole data set, since it trusts every sign.
///
/// ```text
/// s = sign(g) sign(g′)            g′ starts at 0
/// Δ ← η⁺ Δ   where s > 0          Δ starts at η
///     η⁻ Δ   where s < 0          and there g ← 0: no step, and no sign to compare with
/// Δ ← min(max(Δ, Δ_min), Δ_max)
/// p ← p - Δ sign(g)
/// g′ ← g
/// ```
///
/// η acts only as the start of Δ: a schedule of it changes nothing. There is no weight decay, as in PyTorch. optax's
/// `rprop` applies each step one call late; that is not offered.
#[doc(alias = "scale_by_rprop")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rprop {
    /// η, the size of every element's first step: 1e-2.
    #[doc(alias("learning_rate", "init_step_size"))]
    pub lr: f64,
    /// η⁻, the factor after a change of sign: 0.5.
    #[doc(alias = "etas")]
    pub eta_minus: f64,
    /// η⁺, the factor where the sign stays: 1.2.
    #[doc(alias = "etas")]
    pub eta_plus: f64,
    /// Δ_min: 1e-6.
    #[doc(alias("step_sizes", "min_step_size"))]
    pub step_min: f64,
    /// Δ_max: 50.
    #[doc(alias("step_sizes", "max_step_size"))]
    pub step_max: f64,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for Rprop {
    fn default() -> Self {
        Self { lr: 1e-2, eta_minus: 0.5, eta_plus: 1.2, step_min: 1e-6, step_max: 50.0, maximize: false }
    }
}

/// What [`Rprop`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct RpropState<F: Real = f32> {
    /// `g′`, the last gradient, in the tensor's shape; 0 where it changed its sign.
    pub prev: Tensor<F>,
    /// Δ, the size of each element's step.
    pub step_size: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(RpropState { prev, step_size, steps });

impl<F: Real> Rule<F> for Rprop {
    const NAME: &'static str = "Rprop";
    type State = RpropState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        let &Self { lr, eta_minus, eta_plus, step_min, step_max, .. } = self;
        not_negative("lr", lr)?;
        let shrinks = eta_minus > 0.0 && eta_minus < 1.0;
        InvalidHyperparameter::unless(shrinks, "eta_minus", eta_minus, "above 0 and below 1")?;
        let grows = eta_plus > 1.0 && eta_plus.is_finite();
        InvalidHyperparameter::unless(grows, "eta_plus", eta_plus, "finite and above 1")?;
        not_negative("step_min", step_min)?;
        let not_below = step_max.is_finite() && step_max >= step_min;
        InvalidHyperparameter::unless(not_below, "step_max", step_max, "finite and not below `step_min`")
    }

    fn init(&self, param: &Tensor<F>) -> RpropState<F> {
        RpropState { prev: full(param, F::ZERO), step_size: full(param, F::from_f64(self.lr)), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut RpropState<F>) {
        state.steps += 1;
        let transform = GradientTransform::new(self.maximize, WeightDecay::None, self.lr);
        let (eta_minus, eta_plus) = (F::from_f64(self.eta_minus), F::from_f64(self.eta_plus));
        let (min, max) = (F::from_f64(self.step_min), F::from_f64(self.step_max));
        let grad = row_major(grad, param);
        for_each(
            (
                ((row_major_mut(param), &*grad), row_major_mut(&mut state.prev)),
                row_major_mut(&mut state.step_size),
            ),
            |(((p, &g), prev), step_size)| {
                let g = transform.apply(*p, g);
                let s = g.sign() * prev.sign();
                let (factor, g) = match s {
                    s if s > F::ZERO => (eta_plus, g),
                    s if s < F::ZERO => (eta_minus, F::ZERO),
                    _ => (F::ONE, g),
                };
                *step_size = (*step_size * factor).max(min).min(max);
                *p -= *step_size * g.sign();
                *prev = g;
            },
        );
    }
}

impl<F: Real> Explain<F> for Rprop {
    fn effective_lr(&self, _param: &Tensor<F>, state: &RpropState<F>) -> Tensor<F> {
        state.step_size.clone()
    }
}
