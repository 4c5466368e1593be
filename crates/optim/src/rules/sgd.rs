use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::momentum::Momentum;
use crate::rules::parts::optional::{Optional, full, missing};
use crate::rules::parts::validate::not_negative;
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// Stochastic gradient descent, with momentum (Sutskever et al., "On the importance of initialization and momentum in
/// deep learning", 2013) in PyTorch's form.
///
/// ```text
/// g ← g + λ p                 L2 weight decay
/// b ← μ b + (1 - τ) g         b starts as the first g, without the dampening τ
/// p ← p - η b                 Nesterov: p ← p - η (g + μ b)
/// ```
///
/// The rate stands outside the buffer: changing η rescales the past gradients too.
#[doc(alias("GradientDescent", "momentum"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sgd {
    /// η, the learning rate: 1e-3.
    #[doc(alias("learning_rate", "eta"))]
    pub lr: f64,
    /// μ: 0, which keeps no buffer.
    #[doc(alias("mu", "beta"))]
    pub momentum: f64,
    /// τ: 0.
    #[doc(alias = "tau")]
    pub dampening: f64,
    /// Look ahead by one step of momentum: no.
    pub nesterov: bool,
    /// λ: none.
    #[doc(alias = "l2")]
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for Sgd {
    fn default() -> Self {
        Self {
            lr: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`Sgd`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct SgdState<F: Real = f32> {
    /// `b`, in the tensor's shape; `None` as long as there was no momentum.
    #[doc(alias("momentum_buffer", "trace", "accum"))]
    pub buffer: Option<Tensor<F>>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(SgdState { buffer, steps });

impl<F: Real> Rule<F> for Sgd {
    const NAME: &'static str = "Sgd";
    type State = SgdState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        let &Self { lr, momentum, dampening, nesterov, .. } = self;
        not_negative("lr", lr)?;
        not_negative("momentum", momentum)?;
        InvalidHyperparameter::unless(dampening.is_finite(), "dampening", dampening, "finite")?;
        self.weight_decay.validate()?;
        if nesterov {
            InvalidHyperparameter::unless(momentum > 0.0, "momentum", momentum, "positive with `nesterov`")?;
            InvalidHyperparameter::unless(dampening == 0.0, "dampening", dampening, "0 with `nesterov`")?;
        }
        Ok(())
    }

    fn init(&self, _param: &Tensor<F>) -> SgdState<F> {
        SgdState { buffer: None, steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut SgdState<F>) {
        state.steps += 1;
        let first = state.buffer.is_none();
        if self.momentum > 0.0 && first {
            state.buffer = Some(full(param, F::ZERO));
        }
        // Dampening is one of the momentum: where that was switched off, what is left of the buffer has no say.
        let weight = if first || self.momentum == 0.0 { 1.0 } else { 1.0 - self.dampening };
        match &mut state.buffer {
            None => self.descend(param, grad, &mut missing(grad), weight),
            Some(buffer) => self.descend(param, grad, row_major_mut(buffer), weight),
        }
    }
}

impl<F: Real> Explain<F> for Sgd {
    fn effective_lr(&self, param: &Tensor<F>, _state: &SgdState<F>) -> Tensor<F> {
        full(param, F::from_f64(self.lr))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        let sum = Accumulator::mean("buffer", Statistic::Gradient, self.momentum);
        let kept = self.momentum > 0.0;
        kept.then_some(Accumulator { weight: 1.0 - self.dampening, ..sum }).into_iter().collect()
    }
}

impl Sgd {
    #[track_caller]
    fn descend<F: Real, B: Optional<F> + Clone>(
        &self,
        param: &mut Tensor<F>,
        grad: &Tensor<F>,
        buffer: &mut [B],
        weight: f64,
    ) {
        let lr = F::from_f64(self.lr);
        let transform = GradientTransform::new(self.maximize, self.weight_decay, self.lr);
        let momentum =
            Momentum { mu: F::from_f64(self.momentum), weight: F::from_f64(weight), nesterov: self.nesterov };
        let grad = row_major(grad, param);
        for_each(((row_major_mut(param), &*grad), buffer), |((p, &g), b)| {
            let g = transform.apply(*p, g);
            *p = transform.decayed(*p) - lr * momentum.apply(g, b);
        });
    }
}
