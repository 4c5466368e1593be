//! What a training loop holds beside the optimizer: schedules, clipping, averages of the weights, and when to stop.

pub mod clip;
mod early_stopping;
mod improvement;
mod plateau;
pub mod schedule;
mod weight_ema;

pub use early_stopping::EarlyStopping;
pub use improvement::{Goal, Margin};
pub use plateau::ReduceOnPlateau;
pub use weight_ema::{SwappedIn, WeightEma};
