//! Hyper-parameters that change over the run, as values that can be saved.
//!
//! A schedule is a function of the step, and the numbers in it are the hyper-parameter itself, not a factor: any
//! hyper-parameter can follow one, `ρ` or `μ` as well as the rate. Where groups have rates of their own, let the
//! schedule start from 1 and multiply.
//!
//! ```
//! use wengert_optim::{Optimizer, RmsProp, Schedule};
//!
//! let lr = Schedule::linear(0.0, 1e-2, 100).then(100, Schedule::cosine(1e-2, 0.0, 900));
//! let rho = Schedule::linear(0.9, 0.99, 1000);
//! let mut opt: Optimizer<RmsProp> = Optimizer::new(RmsProp::default());
//! let step = opt.steps(); // 0 before the first step, which is what schedules count from
//! for rule in opt.rules_mut() {
//!     rule.lr = lr.at(step);
//!     rule.rho = rho.at(step);
//! }
//! # assert_eq!((opt.rule().lr, opt.rule().rho), (0.0, 0.9));
//! # assert_eq!((lr.at(50), lr.at(100), lr.at(1000)), (5e-3, 1e-2, 0.0));
//! ```

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// What a hyper-parameter is at each step: one [`Curve`], or several one after the other.
#[doc(alias("lr_scheduler", "LRScheduler", "SequentialLR", "join_schedules", "LearningRateSchedule"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    first: Curve,
    /// What comes after it, and from which step on. A flat list, because a file that nests without end must not be able
    /// to overflow the stack of its reader.
    rest: Vec<(u64, Curve)>,
}

/// One piece of a [`Schedule`]. `t` counts its steps from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Curve {
    /// The same number at every step.
    Constant(f64),
    /// `from · γ^⌊t / every⌋`. A length of 0 counts as 1.
    #[doc(alias("StepLR", "step_size"))]
    Step {
        /// The value at step 0.
        from: f64,
        /// After how many steps the value falls.
        every: u64,
        /// γ, what it is multiplied with.
        gamma: f64,
    },
    /// `from · γ^n`, where `n` of the milestones are at or before `t`; one that is given twice counts twice.
    #[doc(alias("MultiStepLR", "piecewise_constant_schedule"))]
    MultiStep {
        /// The value at step 0.
        from: f64,
        /// The steps that are the first to use the lower value.
        milestones: Vec<u64>,
        /// γ, what the value is multiplied with.
        gamma: f64,
    },
    /// `from · γᵗ`. To fall by `c` in `n` steps, γ is `c^(1/n)`.
    #[doc(alias("ExponentialLR", "exponential_decay"))]
    Exponential {
        /// The value at step 0.
        from: f64,
        /// γ, what the value is multiplied with at every step.
        gamma: f64,
    },
    /// `to + (from - to) (1 - t / steps)^power`, and `to` from `steps` on.
    #[doc(alias("PolynomialLR", "polynomial_schedule", "PolynomialDecay"))]
    Polynomial {
        /// The value at step 0.
        from: f64,
        /// The value in the end.
        to: f64,
        /// How long it takes.
        steps: u64,
        /// 1 is a straight line.
        power: f64,
    },
    /// From point to point `(step, value)`; constant before the first and after the last. The steps must not fall, and
    /// may lie between whole numbers.
    #[doc(alias("Through", "piecewise_interpolate_schedule"))]
    Interpolate {
        /// The points, in the order of their steps.
        points: Vec<(f64, f64)>,
        /// The way between two points.
        ease: Interpolation,
    },
    /// Half a cosine from `from` to `to`, then again from `from`, each time `stretch` times as long as before
    /// (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017). Lengths of 0 count as 1.
    #[doc(alias("CosineAnnealingWarmRestarts", "sgdr_schedule", "CosineDecayRestarts"))]
    CosineRestarts {
        /// The value at the first step of every period.
        from: f64,
        /// What the period falls towards; the step that would reach it is the first of the next period.
        to: f64,
        /// The length of the first period.
        #[doc(alias("T_0", "first_decay_steps"))]
        period: u64,
        /// How many times longer each period is than the one before.
        #[doc(alias("t_mult", "T_mult"))]
        stretch: u64,
    },
    /// `scale · d^(-½) · min(n^(-½), n · warmup^(-3/2))` with `n = t + 1` (Vaswani et al., "Attention Is All You Need",
    /// 2017, equation 3).
    #[doc(alias("NoamLR", "warmup_steps"))]
    Noam {
        /// 1 in the paper.
        scale: f64,
        /// d, the width of the model.
        #[doc(alias("d_model", "model_size"))]
        width: u64,
        /// How many steps the value rises. A length of 0 counts as 1.
        warmup: u64,
    },
}

/// The way from one point of a [`Curve::Interpolate`] to the next.
#[doc(alias("Ease", "anneal_strategy", "interpolate_type"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interpolation {
    /// A straight line.
    Linear,
    /// Half a cosine, which leaves and arrives flat: `a + (b - a) (1 - cos πx) / 2` for `x` from 0 to 1.
    Cosine,
}

impl Schedule {
    /// The value for step `step`, counted from 0: what [`Optimizer::steps`](crate::Optimizer::steps) says before the
    /// step.
    pub fn at(&self, step: u64) -> f64 {
        let begun = self.rest.iter().rev().find(|&&(start, _)| start <= step);
        begun.map_or_else(|| self.first.at(step), |(start, curve)| curve.at(step - start))
    }

    /// This schedule up to step `start`, and from there on `next`, counted from its own 0.
    #[must_use]
    pub fn then(mut self, start: u64, next: Self) -> Self {
        if start == 0 {
            return next;
        }
        self.rest.retain(|&(begin, _)| begin < start);
        self.rest.push((start, next.first));
        self.rest.extend(next.rest.into_iter().map(|(begin, curve)| (start.saturating_add(begin), curve)));
        self
    }

    /// The same number at every step.
    #[doc(alias("ConstantLR", "constant_schedule"))]
    pub fn constant(value: f64) -> Self {
        Curve::Constant(value).into()
    }

    /// A straight line from `from` at step 0 to `to` at step `steps`, and `to` from there on. A warm-up is a line from
    /// 0.
    #[doc(alias("LinearLR", "linear_schedule", "warmup"))]
    pub fn linear(from: f64, to: f64, steps: u64) -> Self {
        Curve::Interpolate { points: vec![(0.0, from), (steps as f64, to)], ease: Interpolation::Linear }
            .into()
    }

    /// Half a cosine from `from` at step 0 to `to` at step `steps`, and `to` from there on.
    ///
    /// PyTorch's `CosineAnnealingLR` rises again after its end; optax's `cosine_decay_schedule` stays, as this does.
    #[doc(alias("CosineAnnealingLR", "cosine_decay_schedule", "CosineDecay", "eta_min", "T_max"))]
    pub fn cosine(from: f64, to: f64, steps: u64) -> Self {
        Curve::Interpolate { points: vec![(0.0, from), (steps as f64, to)], ease: Interpolation::Cosine }
            .into()
    }

    /// One cycle over `steps` steps: from `from` up to `peak`, and down to `to` at the last step (Smith and Topin,
    /// "Super-Convergence", 2018). `rise` is the part of the steps that go up, 0.3 in PyTorch.
    ///
    /// As in PyTorch the peak is at step `rise · steps - 1`, which need not be a whole number. Its
    /// `OneCycleLR(max_lr, steps)` is
    /// `one_cycle(max_lr / 25.0, max_lr, max_lr / 25e4, steps, 0.3, Interpolation::Cosine)`; the momentum that it moves
    /// the other way is `one_cycle(0.95, 0.85, 0.95, steps, 0.3, Interpolation::Cosine)`.
    #[doc(alias("OneCycleLR", "cosine_onecycle_schedule", "pct_start"))]
    pub fn one_cycle(from: f64, peak: f64, to: f64, steps: u64, rise: f64, ease: Interpolation) -> Self {
        let last = steps.saturating_sub(1) as f64;
        let top = (rise * steps as f64 - 1.0).clamp(0.0, last);
        Curve::Interpolate { points: vec![(0.0, from), (top, peak), (last, to)], ease }.into()
    }
}

impl From<Curve> for Schedule {
    fn from(first: Curve) -> Self {
        Self { first, rest: Vec::new() }
    }
}

impl Curve {
    /// The value at step `t` of this piece.
    pub fn at(&self, t: u64) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Step { from, every, gamma } => from * gamma.powf((t / every.max(1)) as f64),
            Self::MultiStep { from, ref milestones, gamma } => {
                let passed = milestones.iter().filter(|&&milestone| milestone <= t).count();
                from * gamma.powf(passed as f64)
            }
            Self::Exponential { from, gamma } => from * gamma.powf(t as f64),
            Self::Polynomial { from, to, steps, power } => {
                let left = if t < steps { 1.0 - t as f64 / steps as f64 } else { return to };
                mix(to, from, left.powf(power))
            }
            Self::Interpolate { ref points, ease } => through(points, ease, t as f64),
            Self::CosineRestarts { from, to, period, stretch } => {
                let (t, period) = within_period(t, period.max(1), stretch.max(1));
                Interpolation::Cosine.between(from, to, t as f64 / period as f64)
            }
            Self::Noam { scale, width, warmup } => {
                let (n, warmup) = (t as f64 + 1.0, warmup.max(1) as f64);
                scale * (width as f64).powf(-0.5) * n.powf(-0.5).min(n * warmup.powf(-1.5))
            }
        }
    }
}

impl Interpolation {
    fn between(self, a: f64, b: f64, x: f64) -> f64 {
        match self {
            Self::Linear => mix(a, b, x),
            // Written from the end, so that a value that falls to 0 keeps its digits on the way.
            Self::Cosine => mix(b, a, (1.0 + (PI * x).cos()) / 2.0),
        }
    }
}

/// `a + (b - a) x`, also where `b - a` is out of range.
fn mix(a: f64, b: f64, x: f64) -> f64 {
    let way = b - a;
    if way.is_finite() { a + way * x } else { a * (1.0 - x) + b * x }
}

/// NaN without any point.
fn through(points: &[(f64, f64)], ease: Interpolation, t: f64) -> f64 {
    let next = points.partition_point(|&(step, _)| step <= t);
    match (next.checked_sub(1).map(|last| points[last]), points.get(next)) {
        (Some((begin, a)), Some(&(end, b))) => ease.between(a, b, (t - begin) / (end - begin)),
        (Some((_, value)), None) | (None, Some(&(_, value))) => value,
        (None, None) => f64::NAN,
    }
}

/// The step within its period, and the length of that period.
fn within_period(mut t: u64, mut period: u64, stretch: u64) -> (u64, u64) {
    if stretch == 1 {
        return (t % period, period);
    }
    while t >= period {
        t -= period;
        period = period.saturating_mul(stretch);
    }
    (t, period)
}
