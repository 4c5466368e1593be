//! Optimizers for Wengert whose per-tensor state has names.
//!
//! The design decision: an optimizer is two halves. A [`Rule`] is the paper's arithmetic on one tensor, `init` and
//! `update`, and knows nothing of models. [`Optimizer`] is everything else, written once for all rules: it walks the
//! model, keeps each tensor's state under the parameter's dotted name, and applies parameter groups. The alternative, PyTorch's
//! list of tensors without names, makes every rule repeat the traversal and ties state to a position in a list: a
//! reordered model then gets another tensor's averages without a word.
//!
//! ```
//! use wengert_autodiff::{Param, Tape, module};
//! use wengert_optim::{Optimizer, RmsProp};
//!
//! struct Line {
//!     slope: Param,
//! }
//!
//! module!(Line { slope });
//!
//! let mut model = Line { slope: ndarray::arr1(&[1.0]).into() };
//! let mut opt = Optimizer::new(RmsProp { lr: 0.1, rho: 0.9, ..RmsProp::default() });
//! let tape = Tape::new();
//! let grads = tape.param(&model.slope).square().sum().backward(); // the gradient is 2
//! opt.step(&mut model, &grads);
//! assert!((opt.state("slope").unwrap().v[0] - 0.4).abs() < 1e-6); // 0.1 · 2²
//! assert!((model.slope.value()[0] - 0.683772).abs() < 1e-6); // 1 - 0.1 · 2 / √0.4
//! ```
#![forbid(unsafe_code)]

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod average;
pub mod checkpoint;
pub mod clip;
mod each;
mod early_stopping;
mod edit;
mod ema;
mod epsilon;
mod explain;
mod finite;
mod group;
mod lion;
mod memory;
mod moments;
mod momentum;
mod nadam;
mod observe;
mod optimizer;
mod pattern;
mod plateau;
mod presets;
mod progress;
mod quantiles;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
pub mod schedule;
mod sgd;
mod sign;
mod sink;
mod slot;
mod state;
mod translate;
mod weight_decay;

pub use adadelta::{Adadelta, AdadeltaState};
pub use adagrad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use adamax::{Adamax, AdamaxState};
pub use early_stopping::EarlyStopping;
pub use edit::{Edit, Edited};
pub use ema::{SwappedIn, WeightEma};
pub use epsilon::Epsilon;
pub use explain::{Explanation, Floor};
pub use finite::{NotFinite, check_finite};
pub use group::{Row, Table};
pub use lion::{Lion, LionState};
pub use memory::{Memory, Of};
pub use nadam::{NAdam, NAdamState};
pub use observe::{Observed, Summary};
pub use optimizer::Optimizer;
pub use plateau::ReduceOnPlateau;
pub use progress::{Goal, Margin};
pub use quantiles::Quantiles;
pub use radam::{RAdam, RAdamState};
pub use rmsprop::{RmsProp, RmsPropState};
pub use rprop::{Rprop, RpropState};
pub use rule::{HyperError, Rule};
pub use schedule::{Curve, Ease, Schedule};
pub use sgd::{Sgd, SgdState};
pub use sink::{Csv, JsonLines};
pub use state::{AsField, Field, FieldMut, State};
pub use translate::{Translated, Translation};
pub use weight_decay::WeightDecay;

// For `state!`, so that it works where only this crate is in scope.
#[doc(hidden)]
pub use wengert_autodiff::Real;
