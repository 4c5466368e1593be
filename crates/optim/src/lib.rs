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
mod epsilon;
mod group;
mod lion;
mod moments;
mod momentum;
mod nadam;
mod optimizer;
mod presets;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
mod sgd;
mod sign;
mod slot;
mod state;
mod weight_decay;

pub use adadelta::{Adadelta, AdadeltaState};
pub use adagrad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use adamax::{Adamax, AdamaxState};
pub use epsilon::Epsilon;
pub use group::{Row, Table};
pub use lion::{Lion, LionState};
pub use nadam::{NAdam, NAdamState};
pub use optimizer::Optimizer;
pub use radam::{RAdam, RAdamState};
pub use rmsprop::{RmsProp, RmsPropState};
pub use rprop::{Rprop, RpropState};
pub use rule::{HyperError, Rule};
pub use sgd::{Sgd, SgdState};
pub use state::{AsField, Field, FieldMut, State};
pub use weight_decay::WeightDecay;

// For `state!`, so that it works where only this crate is in scope.
#[doc(hidden)]
pub use wengert_autodiff::Real;
