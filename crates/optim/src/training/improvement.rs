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
    /// By this part of the best value's size: better than `best ± |best| · margin`. (PyTorch's `best · (1 ± margin)` is
    /// the same above 0; below, it takes what is worse for better.)
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
            // A part of infinity is infinite, and from there nothing would be an improvement.
            Margin::Relative(_) if best.is_infinite() => 0.0,
            Margin::Relative(part) => best.abs() * part,
            Margin::Absolute(amount) => amount,
        };
        match self {
            Self::Min => metric < best - margin,
            Self::Max => metric > best + margin,
        }
    }
}
