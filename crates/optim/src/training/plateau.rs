use serde::{Deserialize, Serialize};

use crate::training::improvement::{Goal, Margin};

/// Lowers a rate when a metric no longer improves, as PyTorch's `ReduceLROnPlateau` does and with its defaults, except
/// where a relative margin meets metrics below 0 (see [`Margin::Relative`]). Plain data: the options first, then what
/// it remembers.
///
/// ```
/// use wengert_optim::{Optimizer, ReduceOnPlateau, Sgd};
///
/// let mut plateau = ReduceOnPlateau { patience: 0, ..ReduceOnPlateau::default() };
/// let mut opt: Optimizer<Sgd> = Optimizer::new(Sgd { lr: 0.1, ..Sgd::default() });
/// for loss in [1.0, 0.5, 0.5] {
///     opt.rule_mut().lr = plateau.next(opt.rule().lr, loss);
/// }
/// assert!((opt.rule().lr - 0.01).abs() < 1e-15); // the last loss was no better
/// ```
#[doc(alias("ReduceLROnPlateau", "reduce_on_plateau"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceOnPlateau {
    /// Which way is better: less.
    #[doc(alias = "mode")]
    pub goal: Goal,
    /// What the rate is multiplied with: 0.1.
    pub factor: f64,
    /// How many metrics in a row may fail to improve without consequence: 10. The next one lowers the rate.
    pub patience: u64,
    /// How much better counts: `Relative(1e-4)`.
    #[doc(alias("threshold", "threshold_mode", "min_delta", "rtol"))]
    pub margin: Margin,
    /// For how many metrics after a lowering none counts as a failure: 0.
    pub cooldown: u64,
    /// What the rate does not fall below: 0.
    #[doc(alias("min_lr", "min_scale"))]
    pub min: f64,
    /// A lowering by no more than this is left out: 1e-8.
    #[doc(alias = "eps")]
    pub least_change: f64,
    /// The best metric so far.
    pub best: Option<f64>,
    /// How many metrics in a row did not improve.
    #[doc(alias = "num_bad_epochs")]
    pub waited: u64,
    /// How many metrics the cooldown still lasts.
    #[doc(alias = "cooldown_counter")]
    pub cooling: u64,
}

/// PyTorch's defaults.
impl Default for ReduceOnPlateau {
    fn default() -> Self {
        Self {
            goal: Goal::Min,
            factor: 0.1,
            patience: 10,
            margin: Margin::Relative(1e-4),
            cooldown: 0,
            min: 0.0,
            least_change: 1e-8,
            best: None,
            waited: 0,
            cooling: 0,
        }
    }
}

impl ReduceOnPlateau {
    /// Takes the next metric and the rate in use, and returns the rate to go on with. NaN is never an improvement.
    #[must_use = "this is the rate to go on with"]
    pub fn next(&mut self, rate: f64, metric: f64) -> f64 {
        if self.goal.improves(metric, self.best, self.margin) {
            self.best = Some(metric);
            self.waited = 0;
        } else {
            self.waited = self.waited.saturating_add(1); // a file may say any count
        }
        if self.cooling > 0 {
            self.cooling -= 1;
            self.waited = 0;
        }
        if self.waited <= self.patience {
            return rate;
        }
        self.waited = 0;
        self.cooling = self.cooldown;
        let lower = (rate * self.factor).max(self.min);
        if rate - lower > self.least_change { lower } else { rate }
    }
}
