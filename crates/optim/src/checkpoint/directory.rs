use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_autodiff::Module;

use super::error::CheckpointError;
use super::format::tensor::Element;
use super::save;
use crate::optimizer::Optimizer;
use crate::rule::Rule;

/// A directory of checkpoints, of which the latest and the best are kept.
///
/// Step and loss stand in the names of the files, `step-000000001200-loss-3.1e-2.wgt`, so that a run that goes on after
/// an interruption knows them all, and nothing else has to be remembered. Files with other names are left alone.
///
/// ```
/// # use wengert_autodiff::Param;
/// # use wengert_optim::{Optimizer, Sgd, checkpoint::{self, Loaded, Directory}};
/// # let mut model: Param = ndarray::arr1(&[1.0]).into();
/// # let mut opt: Optimizer<Sgd> = Optimizer::new(Sgd::default());
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("run");
/// let directory = Directory { path, latest: 3, best: 1 };
/// let mut epoch = 0;
/// if let Some(saved) = directory.latest()? {
///     epoch = checkpoint::load(&saved.path, &mut model, &mut opt)?.extra;
/// }
/// let loss = 0.031; // of the validation set
/// directory.save(&model, &opt, &(epoch + 1), Some(loss))?;
/// # assert_eq!(directory.best()?, directory.latest()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("Series", "CheckpointManager", "ModelCheckpoint", "max_to_keep", "save_top_k"))]
#[derive(Clone, Debug)]
pub struct Directory {
    /// Where it is; it is made when the first file is saved.
    pub path: PathBuf,
    /// How many of the latest are kept.
    pub latest: usize,
    /// How many of those with the lowest loss are kept, beside the latest.
    pub best: usize,
}

/// A file of a [`Directory`].
#[doc(alias = "Saved")]
#[derive(Clone, Debug, PartialEq)]
pub struct SavedFile {
    /// Where it is.
    pub path: PathBuf,
    /// [`Optimizer::steps`] when it was written.
    pub step: u64,
    /// The loss, if [`Directory::save`] was given one.
    pub loss: Option<f64>,
}

impl Directory {
    /// [`save`]s to a file of its own and then removes those of earlier steps that are neither among the latest nor the
    /// best. Files of later steps, from another run or from before this one went back, are left alone and do not count
    /// among the latest.
    ///
    /// # Errors
    ///
    /// As [`save`]; or if an old file cannot be removed. One that another process has removed is not an error, and
    /// where the directory may not be listed, nothing is removed.
    pub fn save<T, R, F>(
        &self,
        model: &dyn Module<F>,
        opt: &Optimizer<R, F>,
        extra: &T,
        loss: Option<f64>,
    ) -> Result<PathBuf, CheckpointError>
    where
        T: Serialize + DeserializeOwned,
        R: Rule<F> + Serialize + DeserializeOwned,
        F: Element,
    {
        fs::create_dir_all(&self.path).map_err(CheckpointError::io(&self.path, "create"))?;
        let loss = loss.map_or_else(String::new, |loss| format!("-loss-{loss:e}"));
        let path = self.path.join(format!("step-{:012}{loss}.wgt", opt.steps()));
        save(&path, model, opt, extra)?;
        self.prune(&path, opt.steps())?;
        Ok(path)
    }

    /// The files, by step.
    ///
    /// # Errors
    ///
    /// If the directory is there but cannot be read.
    pub fn all(&self) -> Result<Vec<SavedFile>, CheckpointError> {
        let failed = |error| CheckpointError::io(&self.path, "list")(error);
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut all = Vec::new();
        for entry in entries {
            all.extend(SavedFile::from_path(&entry.map_err(failed)?.path()));
        }
        all.sort_by(|a, b| a.step.cmp(&b.step).then_with(|| a.path.cmp(&b.path)));
        Ok(all)
    }

    /// The file of the highest step.
    ///
    /// # Errors
    ///
    /// As [`all`](Directory::all).
    pub fn latest(&self) -> Result<Option<SavedFile>, CheckpointError> {
        Ok(self.all()?.pop())
    }

    /// The file of the lowest loss, and the earliest of several.
    ///
    /// # Errors
    ///
    /// As [`all`](Directory::all).
    pub fn best(&self) -> Result<Option<SavedFile>, CheckpointError> {
        Ok(ranked(self.all()?).into_iter().next())
    }

    /// After `saved` was written, at `step`.
    fn prune(&self, saved: &Path, step: u64) -> Result<(), CheckpointError> {
        let all = match self.all() {
            Err(CheckpointError::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => {
                return Ok(());
            }
            all => all?,
        };
        let best: Vec<_> = ranked(all.clone()).into_iter().take(self.best).collect();
        let others: Vec<_> = all.into_iter().filter(|file| file.step <= step && file.path != saved).collect();
        let old = others.len().saturating_sub(self.latest.saturating_sub(1)); // the new one is among the latest
        for file in others[..old].iter().filter(|file| !best.contains(file)) {
            match fs::remove_file(&file.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => (), // another process was faster
                removed => removed.map_err(CheckpointError::io(&file.path, "remove"))?,
            }
        }
        Ok(())
    }
}

/// Those with a loss that is a number, the lowest first.
fn ranked(mut all: Vec<SavedFile>) -> Vec<SavedFile> {
    all.retain(|saved| saved.loss.is_some_and(|loss| !loss.is_nan()));
    all.sort_by(|a, b| a.loss.partial_cmp(&b.loss).expect("none is NaN"));
    all
}

impl SavedFile {
    fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("step-")?.strip_suffix(".wgt")?;
        let (step, loss) = name.split_once("-loss-").map_or((name, None), |(step, loss)| (step, Some(loss)));
        let loss = loss.map(str::parse).transpose().ok()?;
        Some(Self { path: path.to_owned(), step: step.parse().ok()?, loss })
    }
}
