//! The rules: a file each, which reads as its paper. What they share is in `parts`.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod lion;
mod nadam;
pub(crate) mod parts;
mod presets;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;

pub use adadelta::{Adadelta, AdadeltaState};
pub use adagrad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use adamax::{Adamax, AdamaxState};
pub use lion::{Lion, LionState};
pub use nadam::{NAdam, NAdamState};
pub use parts::epsilon::Epsilon;
pub use parts::weight_decay::WeightDecay;
pub use radam::{RAdam, RAdamState};
pub use rmsprop::{RmsProp, RmsPropState};
pub use rprop::{Rprop, RpropState};
pub use sgd::{Sgd, SgdState};
