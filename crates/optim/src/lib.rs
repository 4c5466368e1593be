//! Optimizers for Wengert whose per-tensor state has names.
//!
//! The design decision: an optimizer is two halves. A [`Rule`] is the paper's arithmetic on one tensor, `init` and
//! `update`, and knows nothing of models. [`Optimizer`] is everything else, written once for all rules: it walks the
//! model, keeps each tensor's state under the parameter's dotted name, and applies parameter groups. The alternative,
//! PyTorch's list of tensors without names, makes every rule repeat the traversal and ties state to a position in a
//! list: a reordered model then gets another tensor's averages without a word.
//!
//! - [`rules`]: SGD, RMSProp, Adam and their kin, a struct each. A new hyper-parameter is a minor release: write
//!   `..RmsProp::default()` rather than all fields.
//! - [`optimizer`]: the walk, the groups, the guard against NaN.
//! - [`training`]: schedules, clipping, early stopping, averages of the weights.
//! - [`inspect`]: state that can be read, explained, edited, translated and logged.
//! - [`checkpoint`]: files of a run.
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
//!
//! Chapters of the guide: [training loops], [the state], [where ε is], [checkpoints], [exchange with PyTorch].
//!
//! [training loops]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/training.md
//! [the state]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/state.md
//! [where ε is]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/epsilon.md
//! [checkpoints]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/checkpoints.md
//! [exchange with PyTorch]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/exchange.md
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod inspect;
pub mod optimizer;
mod rule;
pub mod rules;
mod state;
pub mod training;

pub use optimizer::{NotFinite, Optimizer, check_finite};
pub use rule::{InvalidHyperparameter, Rule};
pub use rules::*;
pub use state::{Field, FieldMut, State};
pub use training::schedule::{Curve, Interpolation, Schedule};
pub use training::{EarlyStopping, Goal, Margin, ReduceOnPlateau, WeightEma, clip};

// For `state!`, so that it works where only this crate is in scope.
#[doc(hidden)]
pub use state::AsField;
#[doc(hidden)]
pub use wengert_autodiff::Real;
