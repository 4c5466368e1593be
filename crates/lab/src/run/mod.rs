//! Rules at work: on a vector, on a landscape, on recorded gradients, in two precisions.

mod limit_cycle;
mod lockstep;
mod precision;
mod recording;
mod runner;
mod sweep;
pub(crate) mod walker;

pub use limit_cycle::{LimitCycle, limit_cycle};
pub use lockstep::{Divergence, first_divergence};
pub use precision::compare_precisions;
pub use recording::{Recorder, Recording, RecordingError};
pub use runner::Runner;
pub use sweep::{grid, sweep};
