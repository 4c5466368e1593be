use ndarray::Zip;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{for_each, row_major, row_major_mut};
use crate::rules::parts::ema::{Ema, squarable};
use crate::rules::parts::epsilon::Epsilon;
use crate::rules::parts::optional::full;
use crate::rules::parts::validate::{decay, not_negative};
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// Adadelta (Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012).
///
/// ```text
/// g ← g + λ p                     L2 weight decay
/// v ← ρ v + (1 - ρ) g²            v starts at 0
/// u ← √(x + ε) / √(v + ε) g       ε inside both roots; outside: (√x + ε) / (√v + ε)
/// x ← ρ x + (1 - ρ) u²            x starts at 0
/// p ← p - η u
/// ```
///
/// The root of `x` gives `u` the unit of a parameter, so that η has none. ε is what gets it going: the first steps are
/// of the size `√ε`. Added to both `x` and `v`, it has no unit of its own, and the scale of the loss changes the run.
///
/// The defaults are PyTorch's. Keras has `lr: 1e-3`, `rho: 0.95` and `eps: Epsilon::Inside(1e-7)`.
#[doc(alias("AdaDelta", "scale_by_adadelta"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adadelta {
    /// η, a factor on the update: 1.
    #[doc(alias("learning_rate", "eta"))]
    pub lr: f64,
    /// ρ, the decay of both averages: 0.9.
    #[doc(alias("alpha", "decay"))]
    pub rho: f64,
    /// ε and its place: `Inside(1e-6)`.
    #[doc(alias = "epsilon")]
    pub eps: Epsilon,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for Adadelta {
    fn default() -> Self {
        Self {
            lr: 1.0,
            rho: 0.9,
            eps: Epsilon::Inside(1e-6),
            weight_decay: WeightDecay::None,
            maximize: false,
        }
    }
}

/// What [`Adadelta`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct AdadeltaState<F: Real = f32> {
    /// The average of the squared gradient, in the tensor's shape.
    #[doc(alias("square_avg", "accumulated_grad", "e_g"))]
    pub v: Tensor<F>,
    /// The average of the squared update.
    #[doc(alias("acc_delta", "accumulated_delta_var", "e_x"))]
    pub x: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(AdadeltaState { v, x, steps });

impl<F: Real> Rule<F> for Adadelta {
    const NAME: &'static str = "Adadelta";
    type State = AdadeltaState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("rho", self.rho)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()
    }

    fn init(&self, param: &Tensor<F>) -> AdadeltaState<F> {
        AdadeltaState { v: full(param, F::ZERO), x: full(param, F::ZERO), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut AdadeltaState<F>) {
        state.steps += 1;
        let transform = GradientTransform::new(self.maximize, self.weight_decay, self.lr);
        let (lr, rho, root) = (F::from_f64(self.lr), Ema::new(self.rho), self.eps.root(1.0));
        let grad = row_major(grad, param);
        for_each(
            (((row_major_mut(param), &*grad), row_major_mut(&mut state.v)), row_major_mut(&mut state.x)),
            |(((p, &g), v), x)| {
                let g = squarable(transform.apply(*p, g));
                *v = rho.next(*v, g * g);
                let u = root.apply(*x) / root.apply(*v) * g;
                *x = rho.next(*x, u * u);
                *p = transform.decayed(*p) - lr * u;
            },
        );
    }
}

impl<F: Real> Explain<F> for Adadelta {
    fn effective_lr(&self, _param: &Tensor<F>, state: &AdadeltaState<F>) -> Tensor<F> {
        let (lr, root) = (F::from_f64(self.lr), self.eps.root(1.0));
        // `x` is already that of the next update, `v` still that of the last.
        Zip::from(&state.x)
            .and(&state.v)
            .map_collect(|&x, &v| lr * root.apply(x) / root.apply(v))
            .into_shared()
    }

    fn second_moment(&self, state: &AdadeltaState<F>) -> Option<(Tensor<F>, Epsilon)> {
        Some(self.eps.second_moment(&state.v, 1.0))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![
            Accumulator::mean("v", Statistic::SquaredGradient, self.rho),
            Accumulator::mean("x", Statistic::Update, self.rho),
        ]
    }
}
