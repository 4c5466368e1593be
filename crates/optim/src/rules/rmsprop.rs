use ndarray::Zip;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Tensor};

use crate::inspect::{Accumulator, Explain, Statistic};
use crate::rule::{InvalidHyperparameter, Rule};
use crate::rules::parts::elementwise::{count_if, row_major, row_major_mut};
use crate::rules::parts::ema::{Ema, Variance, bias_correction, squarable};
use crate::rules::parts::epsilon::{Epsilon, Root};
use crate::rules::parts::momentum::Momentum;
use crate::rules::parts::optional::{Optional, full, missing};
use crate::rules::parts::validate::{decay, not_negative};
use crate::rules::parts::weight_decay::{GradientTransform, WeightDecay};
use crate::state;

/// RMSProp (Tieleman and Hinton, "Lecture 6.5 - RMSProp", Coursera, 2012).
///
/// ```text
/// g ← g + λ p                 L2 weight decay
/// v ← ρ v + (1 - ρ) g²        v starts at v₀ = 0
/// u ← g / (√v + ε)            ε outside the root; inside: g / √(v + ε)
/// b ← μ b + u                 b starts at 0; the rate stands outside the buffer; inside: μ b + η u
/// p ← p - η b                 Nesterov: p ← p - η (u + μ b)
/// ```
///
/// Centered (Graves, "Generating Sequences With Recurrent Neural Networks", 2013, equations 38 to 45), the variance
/// takes the place of `v` in the third line. Rounding can push it below zero; it is then taken as zero, and counted.
///
/// ```text
/// m ← ρ m + (1 - ρ) g         m starts at 0
/// u ← g / (√(v - m²) + ε)
/// ```
///
/// With bias correction `v / (1 - ρᵗ)` and `m / (1 - ρᵗ)` take the places of `v` and `m`, where `t` counts the
/// gradients this tensor has seen. With both options on, the variance after one gradient is exactly zero and the first
/// step is `η g / ε`: choose a large ε.
///
/// One gradient far above the others takes the element out for a while: its own step is at most `η / √(1 - ρ)`, but
/// until `v` has faded, the steps are near 0. After a gradient of 1e20 beside some of 1 that takes
/// `ln(1e36) / -ln ρ = 8,300` steps. [`effective_lr`](Explain::effective_lr) and the command `wengert inspect` show
/// such elements. A square that would leave the range counts as the largest that does not: PyTorch's `v` is then
/// infinite, and the element never moves again.
///
/// The defaults are PyTorch's; [`keras`](RmsProp::keras) and its siblings are what the others mean by RMSProp.
#[doc(alias("RMSprop", "scale_by_rms", "RMSPropOptimizer"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RmsProp {
    /// η, the learning rate: 1e-2.
    #[doc(alias("learning_rate", "eta"))]
    pub lr: f64,
    /// ρ, the decay of the averages; elsewhere called alpha, beta or decay: 0.99.
    #[doc(alias("alpha", "decay", "beta", "discounting_factor"))]
    pub rho: f64,
    /// ε and its place: `Outside(1e-8)`.
    #[doc(alias = "epsilon")]
    pub eps: Epsilon,
    /// Divide by the standard deviation of the gradient instead of its root mean square: no.
    #[doc(alias = "scale_by_stddev")]
    pub centered: bool,
    /// μ: 0, which keeps no buffer.
    #[doc(alias = "mu")]
    pub momentum: f64,
    /// Look ahead by one step of momentum: no.
    pub nesterov: bool,
    /// Whether the buffer collects `η u` instead of `u`: no. It only matters when η changes, which then does not
    /// rescale the past updates.
    #[doc(alias = "lr_in_momentum_buffer")]
    pub lr_in_momentum: bool,
    /// Undo the averages' start: no. Without it the first steps are larger, by up to `1/√(1 - ρ)`.
    pub bias_correction: bool,
    /// v₀, what `v` starts from: 0. With 1, as in TensorFlow 1, the first steps are small instead.
    #[doc(alias("initial_scale", "initial_accumulator_value"))]
    pub v0: f64,
    /// λ: none.
    pub weight_decay: WeightDecay,
    /// Climb instead of descend: no.
    pub maximize: bool,
}

/// PyTorch's defaults.
impl Default for RmsProp {
    fn default() -> Self {
        Self::torch()
    }
}

/// What [`RmsProp`] remembers of one tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct RmsPropState<F: Real = f32> {
    /// The average of the squared gradient, in the tensor's shape.
    #[doc(alias("square_avg", "nu", "velocity"))]
    pub v: Tensor<F>,
    /// The average of the gradient; `None` as long as the rule was not centered.
    #[doc(alias("grad_avg", "average_gradient"))]
    pub m: Option<Tensor<F>>,
    /// The momentum buffer `b`; `None` as long as there was no momentum.
    #[doc(alias("momentum_buffer", "trace"))]
    pub buffer: Option<Tensor<F>>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
    /// How often an element's variance came out negative and was taken as zero.
    pub clamped: u64,
}

state!(RmsPropState { v, m, buffer, steps, clamped });

impl<F: Real> Rule<F> for RmsProp {
    const NAME: &'static str = "RmsProp";
    type State = RmsPropState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        not_negative("lr", self.lr)?;
        decay("rho", self.rho)?;
        not_negative("momentum", self.momentum)?;
        not_negative("v0", self.v0)?;
        self.eps.validate::<F>()?;
        self.weight_decay.validate()?;
        if self.nesterov {
            let fits = self.momentum > 0.0;
            InvalidHyperparameter::unless(fits, "momentum", self.momentum, "positive with `nesterov`")?;
        }
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> RmsPropState<F> {
        RmsPropState { v: full(param, F::from_f64(self.v0)), m: None, buffer: None, steps: 0, clamped: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut RmsPropState<F>) {
        state.steps += 1;
        if self.momentum > 0.0 && state.buffer.is_none() {
            state.buffer = Some(full(param, F::ZERO));
        }
        let m = self.centered.then(|| state.m.get_or_insert_with(|| full(param, F::ZERO)));
        let pass = Pass::new(self, state.steps);
        let (v, none) = (&mut state.v, || missing(grad));
        let clamped = match (m.map(row_major_mut), state.buffer.as_mut().map(row_major_mut)) {
            (None, None) => pass.run(param, grad, v, &mut none(), &mut none()),
            (None, Some(buffer)) => pass.run(param, grad, v, &mut none(), buffer),
            (Some(m), None) => pass.run(param, grad, v, m, &mut none()),
            (Some(m), Some(buffer)) => pass.run(param, grad, v, m, buffer),
        };
        state.clamped += clamped;
    }
}

impl<F: Real> Explain<F> for RmsProp {
    fn effective_lr(&self, _param: &Tensor<F>, state: &RmsPropState<F>) -> Tensor<F> {
        let (lr, root) = (F::from_f64(self.lr), self.eps.root(self.correction(state.steps.max(1))));
        self.under_root(state).mapv(|v| lr / root.apply(v)).into_shared()
    }

    fn second_moment(&self, state: &RmsPropState<F>) -> Option<(Tensor<F>, Epsilon)> {
        Some(self.eps.second_moment(&self.under_root(state), self.correction(state.steps.max(1))))
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        let mut accumulators = vec![Accumulator {
            start: self.v0,
            ..Accumulator::mean("v", Statistic::SquaredGradient, self.rho)
        }];
        if self.centered {
            accumulators.push(Accumulator::mean("m", Statistic::Gradient, self.rho));
        }
        if self.momentum > 0.0 {
            let sum = Accumulator::mean("buffer", Statistic::Update, self.momentum);
            accumulators.push(Accumulator { weight: 1.0, ..sum });
        }
        accumulators
    }
}

impl RmsProp {
    /// Whether all options are off, so that nothing is left but `v ← ρ v + (1 - ρ) g²` and `p ← p - η g / (√v + ε)`.
    fn is_plain(&self) -> bool {
        let &Self { lr, rho, v0, .. } = self;
        let eps = Epsilon::Outside(self.eps.value());
        *self == Self { lr, rho, v0, eps, ..Self::torch() }
    }

    /// 1 without bias correction.
    fn correction(&self, steps: u64) -> f64 {
        if self.bias_correction { bias_correction(self.rho, steps) } else { 1.0 }
    }

    /// What takes the place of `v` under the root, but for the bias correction.
    fn under_root<F: Real>(&self, state: &RmsPropState<F>) -> Tensor<F> {
        let variance = Variance::new(self.correction(state.steps.max(1)));
        match state.m.as_ref().filter(|_| self.centered) {
            None => state.v.clone(),
            Some(m) => Zip::from(&state.v).and(m).map_collect(|&v, &m| variance.apply(v, m).0).into_shared(),
        }
    }
}

/// The hyper-parameters of one step in the precision of the tensor. An option that is off is a factor 1 or a summand 0.
struct Pass<F> {
    is_plain: bool,
    transform: GradientTransform<F>,
    average: Ema<F>,
    variance: Variance<F>,
    root: Root<F>,
    lr_inside: F,
    momentum: Momentum<F>,
    lr_outside: F,
}

impl<F: Real> Pass<F> {
    fn new(rule: &RmsProp, steps: u64) -> Self {
        let correction = rule.correction(steps);
        let (lr_inside, lr_outside) = if rule.lr_in_momentum { (rule.lr, 1.0) } else { (1.0, rule.lr) };
        Self {
            is_plain: rule.is_plain(),
            transform: GradientTransform::new(rule.maximize, rule.weight_decay, rule.lr),
            average: Ema::new(rule.rho),
            variance: Variance::new(correction),
            root: rule.eps.root(correction),
            lr_inside: F::from_f64(lr_inside),
            momentum: Momentum { mu: F::from_f64(rule.momentum), weight: F::ONE, nesterov: rule.nesterov },
            lr_outside: F::from_f64(lr_outside),
        }
    }

    /// `M` and `B` are numbers where there are an average of the gradient and a momentum buffer, else nothing. Returns
    /// how many variances were clamped.
    #[track_caller]
    fn run<M: Optional<F>, B: Optional<F>>(
        &self,
        param: &mut Tensor<F>,
        grad: &Tensor<F>,
        v: &mut Tensor<F>,
        m: &mut [M],
        buffer: &mut [B],
    ) -> u64 {
        let &Self { is_plain, transform, average, variance, root, lr_inside, momentum, lr_outside } = self;
        let grad = row_major(grad, param);
        let tensors = (((row_major_mut(param), &*grad), (row_major_mut(v), m)), buffer);
        // Momentum that was switched off has left a buffer, which goes on being written.
        if is_plain && !M::PRESENT && !B::PRESENT {
            // The loop below without its factors 1 and summands 0, which take a fifth of the time.
            let eps = root.outside;
            return count_if(tensors, |(((p, &g), (v, _)), _)| {
                let g = squarable(g);
                *v = average.next(*v, g * g);
                *p -= lr_outside * (g / (v.sqrt() + eps));
                false
            });
        }
        count_if(tensors, |(((p, &g), (v, m)), b)| {
            let g = squarable(transform.apply(*p, g));
            *v = average.next(*v, g * g);
            let m = m.update(F::ZERO, |m| average.next(m, g));
            let (v, negative) = if M::PRESENT { variance.apply(*v, m) } else { (*v, false) };
            let u = lr_inside * g / root.apply(v);
            *p = transform.decayed(*p) - lr_outside * momentum.apply(u, b);
            negative
        })
    }
}
