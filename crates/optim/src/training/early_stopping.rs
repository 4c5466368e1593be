use serde::{Deserialize, Serialize};

use crate::training::improvement::{Goal, Margin};

/// Says when a metric has not improved for too long. Plain data, to be asked once per epoch in any loop and saved with
/// it.
///
/// ```
/// use wengert_optim::EarlyStopping;
///
/// let mut stopping = EarlyStopping { patience: 2, ..EarlyStopping::default() };
/// let losses = [0.9, 0.5, 0.6, 0.55, 0.1];
/// let stopped = losses.iter().position(|&loss| stopping.should_stop(loss));
/// assert_eq!(stopped, Some(3)); // the second loss in a row that is not below 0.5
/// assert_eq!(stopping.best, Some(0.5));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// How many metrics in a row may fail to improve: with the last of them it is time to stop. 10, and 0 counts as 1.
    pub patience: u64,
    /// Which way is better: less.
    #[doc(alias = "mode")]
    pub goal: Goal,
    /// How much better counts: anything does.
    #[doc(alias("min_delta", "threshold"))]
    pub margin: Margin,
    /// The best metric so far.
    pub best: Option<f64>,
    /// How many metrics came since the best.
    #[doc(alias("wait", "wait_count"))]
    pub waited: u64,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 10, goal: Goal::Min, margin: Margin::Absolute(0.0), best: None, waited: 0 }
    }
}

impl EarlyStopping {
    /// Takes the next metric, and says whether to stop. NaN is never an improvement. `waited` is 0 afterwards exactly
    /// when this metric is the best so far, which is the moment to save the model.
    #[must_use]
    pub fn should_stop(&mut self, metric: f64) -> bool {
        if self.goal.improves(metric, self.best, self.margin) {
            self.best = Some(metric);
            self.waited = 0;
        } else {
            self.waited = self.waited.saturating_add(1); // a file may say any count
        }
        self.waited >= self.patience.max(1)
    }
}
