//! State that can be read, explained, edited, translated to another rule and recorded step by step.

mod accumulator;
mod edit;
pub(crate) mod explanation;
mod log;
mod quantiles;
mod record;
mod translate;

pub use accumulator::{Accumulator, Statistic};
pub use edit::{Edit, Edited};
pub use explanation::{EpsilonShare, Explanation};
pub use log::{Csv, JsonLines};
pub use quantiles::Quantiles;
pub use record::{StepRecord, StepSummary};
pub use translate::{Translated, Translation};
