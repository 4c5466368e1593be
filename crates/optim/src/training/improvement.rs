//! Whether a metric got better: what early stopping and the plateau rule share.

use serde::{Deserialize, Serialize};

/// Which way is better.
#[doc(alias = "mode")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Goal {
    /// Less is better, as for a loss.
    #[default]
    Min,
    /// More is better, as for an accuracy.
    Max,
}

/// How much better than the best so far a metric must be to count.
#[doc(alias("min_delta", "threshold", "threshold_mode"))]
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Margin {
    /// By this part of the best value, which should then be positive: better than `best (1 ± margin)`.
    Relative(f64),
    /// By this amount: better than `best ± margin`. With 0 every improvement counts.
    Absolute(f64),
}

impl Goal {
    /// Whether `metric` is better than `best` by more than the margin. NaN never is; anything else is better than
    /// nothing.
    pub fn improves(self, metric: f64, best: Option<f64>, margin: Margin) -> bool {
        let Some(best) = best else { return !metric.is_nan() };
        let margin = match margin {
            Margin::Relative(part) => best * part,
            Margin::Absolute(amount) => amount,
        };
        match self {
            Self::Min => metric < best - margin,
            Self::Max => metric > best + margin,
        }
    }
}
