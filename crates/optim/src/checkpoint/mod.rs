//! Files of a run: all of it, to go on as if nothing had happened, or the weights alone, to use or exchange them.
//!
//! The design decision: between model and file stands a plain value with names, [`Checkpoint`]. Two formats write it
//! and two formats read it; loading compares it with the model and the optimizer at hand, by name, and changes them
//! only when everything fits. The alternative, to serialize the optimizer as it lies in memory, ties files to the order
//! of fields, and a file that fits only partly is then half loaded, or resets the averages without a word.
//!
//! ```
//! # use wengert_autodiff::{Param, Tape};
//! use serde::{Deserialize, Serialize};
//! use wengert_optim::{Optimizer, RmsProp, checkpoint};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Position {
//!     epoch: u64, // and a schedule, a plateau, the best loss so far: whatever else the loop needs
//! }
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("run.wgt");
//! # fn start() -> (Param, Optimizer<RmsProp>) {
//! #     (Param::new([1.0]), Optimizer::new(RmsProp::default()))
//! # }
//! let (mut model, mut opt) = start();
//! # let tape = Tape::new();
//! # let grads = tape.param(&model).square().sum().backward();
//! # opt.step(&mut model, &grads);
//! checkpoint::save(&path, &model, &opt, &Position { epoch: 7 })?;
//!
//! let (mut model, mut opt) = start(); // in another process, days later
//! let loaded: checkpoint::Loaded<Position> = checkpoint::load(&path, &mut model, &mut opt)?;
//! println!("{}", loaded.report); // "all 4 tensors matched"
//! assert_eq!((loaded.extra.epoch, opt.steps()), (7, 1));
//! # assert_eq!(loaded.report.to_string(), "all 4 tensors matched");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The guide has chapters on [checkpoints] and on [exchange with PyTorch].
//!
//! [checkpoints]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/checkpoints.md
//! [exchange with PyTorch]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/exchange.md
//!
//! # Going on to the same bits
//!
//! A generator is not saved; what is drawn follows from a seed and a position instead, so that the position is all that
//! a resumed run needs:
//!
//! - dropout: `Tape::with_seed(seed)` draws from the seed and the tape's step; after loading,
//!   `tape.set_steps(opt.steps())` where there is one reset for each step;
//! - the order of the batches: from a new generator in each epoch, seeded with the seed and the epoch, such as
//!   `StdRng::seed_from_u64(seed ^ epoch << 32)`; in the middle of an epoch, skip the batches that were seen;
//! - schedules: functions of [`Optimizer::steps`](crate::Optimizer::steps), which is saved; those that remember, such
//!   as a plateau, belong in `extra`.
//!
//! Hyper-parameters are saved twice: as they were given, which must be the same when the run goes on, and as they are
//! now, after what a schedule did to them, which is restored. To go on with others on purpose, change them after
//! loading: `opt.rule_mut().lr *= 0.1`.

mod content;
mod directory;
mod error;
mod file;
mod format;
mod report;
mod restore;
mod weights;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_autodiff::Module;

use crate::optimizer::Optimizer;
use crate::rule::Rule;

pub use content::{Checkpoint, SavedOptimizer, SavedRule};
pub use directory::{Directory, SavedFile};
pub use error::CheckpointError;
pub use format::dtype::Dtype;
pub use format::tensor::{Element, RawTensor};
pub use report::{LoadReport, Loaded, Mismatch};
#[cfg(feature = "safetensors")]
pub use weights::save_weights;
pub use weights::{Weights, load_weights};

/// Writes the model, its buffers, the optimizer and `extra`. At every moment `path` holds either the old file or the
/// whole new one, also after a power cut.
///
/// `extra` is for the rest of the run: the epoch, schedules that remember, the best loss. It is kept as JSON, which has
/// no infinity and no NaN: one of these in `extra` is an error, except inside an `Option`, where it comes back as
/// `None`.
///
/// # Errors
///
/// If the file cannot be written, or something cannot be saved.
#[doc(alias("torch.save", "dump"))]
pub fn save<T, R, F>(
    path: impl AsRef<Path>,
    model: &dyn Module<F>,
    opt: &Optimizer<R, F>,
    extra: &T,
) -> Result<(), CheckpointError>
where
    T: Serialize + DeserializeOwned,
    R: Rule<F> + Serialize + DeserializeOwned,
    F: Element,
{
    let path = path.as_ref();
    let optimizer = SavedOptimizer::new(opt);
    let optimizer =
        optimizer.map_err(|error| CheckpointError::unsavable(path, "the hyper-parameters", error))?;
    let extra =
        content::to_json(extra).map_err(|error| CheckpointError::unsavable(path, "`extra`", error))?;
    Checkpoint { optimizer: Some(optimizer), extra, ..Checkpoint::from_model(model) }.write(path)
}

/// Loads what [`save`] wrote, or the same as safetensors, into a model and an optimizer made as they were then; the
/// optimizer may be new or have run. [`Weights::load_run`] has choices for a model whose names or precision differ.
///
/// # Errors
///
/// If the file cannot be read or is damaged; [`CheckpointError::Mismatch`] unless everything fits: names, shapes and
/// types, the kind of the optimizer, its hyper-parameters as they were given, its groups. Model and optimizer are
/// then unchanged.
#[doc(alias("torch.load", "resume", "load_state_dict"))]
pub fn load<T, R, F>(
    path: impl AsRef<Path>,
    model: &mut dyn Module<F>,
    opt: &mut Optimizer<R, F>,
) -> Result<Loaded<T>, CheckpointError>
where
    T: DeserializeOwned,
    R: Rule<F> + Serialize + DeserializeOwned,
    F: Element,
{
    Weights::new().load_run(path, model, opt)
}

/// Loads what fits and leaves the rest as it is: tensors of the model one by one, and if the optimizer is of the same
/// kind, its step count and the state of every parameter whose state fits as a whole; the state of the others starts
/// anew. Hyper-parameters stay those of `opt`. Read the report: it says what was not loaded.
///
/// # Errors
///
/// If the file cannot be read or is damaged, or nothing at all fits. Model and optimizer are then unchanged.
#[doc(alias = "strict")]
pub fn load_partial<R, F>(
    path: impl AsRef<Path>,
    model: &mut dyn Module<F>,
    opt: &mut Optimizer<R, F>,
) -> Result<LoadReport, CheckpointError>
where
    R: Rule<F> + Serialize + DeserializeOwned,
    F: Element,
{
    Weights::new().load_run_partial(path, model, opt)
}
