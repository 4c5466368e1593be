use serde::Serialize;

/// What a tensor in the state of a rule collects, and how: enough to say how far it remembers, and what it amounts to
/// in another rule. With `x` what is collected, `a ← decay · a + weight · x`.
#[doc(alias("Memory", "slot"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Accumulator {
    /// The field of the state.
    pub field: &'static str,
    /// What is collected.
    pub statistic: Statistic,
    /// What the past is multiplied with at each step; 1 for a sum that forgets nothing.
    pub decay: f64,
    /// What the new is multiplied with: `1 - decay` for an average, 1 for a sum.
    pub weight: f64,
    /// What it starts from.
    pub start: f64,
}

/// What an [`Accumulator`] collects.
#[doc(alias = "Of")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Statistic {
    /// The gradient.
    Gradient,
    /// The squared gradient.
    SquaredGradient,
    /// Something computed from the gradient by this rule, which means nothing to another.
    Update,
}

impl Accumulator {
    /// A mean: the weight is `1 - decay`, the start 0.
    pub fn mean(field: &'static str, statistic: Statistic, decay: f64) -> Self {
        Self { field, statistic, decay, weight: 1.0 - decay, start: 0.0 }
    }

    /// The length of its memory in steps, `1 / (1 - decay)`: what is older has about a third of all weight
    /// (`decay^length`, which tends to `1/e`). Infinite for a sum.
    #[doc(alias("half_life", "time constant"))]
    pub fn length(&self) -> f64 {
        (1.0 - self.decay).recip()
    }

    /// What the average holds after `steps` steps of the same `x`.
    pub(crate) fn after(&self, steps: u64, x: f64) -> f64 {
        self.gain(steps) * x + self.kept_start(steps)
    }

    /// The typical `x` behind the value that the average holds after `steps` steps; `None` where it holds nothing of
    /// it.
    pub(crate) fn estimate(&self, steps: u64, value: f64) -> Option<f64> {
        let gain = self.gain(steps);
        let x = (value - self.kept_start(steps)) / gain;
        // Rounding can leave less than the share of the start, and a mean square is never negative.
        let x = if self.statistic == Statistic::SquaredGradient { x.max(0.0) } else { x };
        (gain > 0.0).then_some(x)
    }

    /// `weight · (1 + decay + … + decay^(steps - 1))`.
    fn gain(&self, steps: u64) -> f64 {
        let terms = if self.decay == 1.0 {
            steps as f64
        } else {
            (1.0 - self.decay.powf(steps as f64)) / (1.0 - self.decay)
        };
        self.weight * terms
    }

    fn kept_start(&self, steps: u64) -> f64 {
        self.start * self.decay.powf(steps as f64)
    }
}
