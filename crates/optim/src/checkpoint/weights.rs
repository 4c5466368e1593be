//! Weights alone, without an optimizer: to use them, and to exchange them with other tools. And the choices for a file
//! that does not fit as it is, whether of weights or of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_autodiff::{Module, Tensor};

use super::content::{Checkpoint, SavedOptimizer};
use super::error::CheckpointError;
use super::format::tensor::{Element, RawTensor};
use super::report::{LoadReport, Loaded};
use super::restore::{OptimizerPlan, plan_model, plan_optimizer, put_into_model};
use crate::optimizer::Optimizer;
use crate::rule::Rule;

/// Writes parameters and buffers as safetensors, under PyTorch's names: `torch_model.load_state_dict(load_file(path))`
/// in Python loads them. As with [`save`](super::save), `path` is at every moment whole.
///
/// Needs the feature `safetensors`; without it [`Checkpoint::from_model`] and [`Checkpoint::write`] save weights in the
/// checkpoint format.
///
/// # Errors
///
/// If the file cannot be written.
#[doc(alias("save_file", "state_dict"))]
#[cfg(feature = "safetensors")]
pub fn save_weights<F: Element>(
    path: impl AsRef<Path>,
    model: &dyn Module<F>,
) -> Result<(), CheckpointError> {
    Checkpoint::from_model(model).write_safetensors(path)
}

/// Loads parameters and buffers, and nothing else, from a file of either format; a `state_dict` that PyTorch saved as
/// safetensors is one (with the feature `safetensors`). `F16` and `BF16` are widened. [`Weights`] has choices for a
/// file that does not fit as it is.
///
/// # Errors
///
/// If the file cannot be read or is damaged; [`CheckpointError::Mismatch`] unless all names, shapes and types fit. The
/// model is then unchanged.
#[doc(alias("load_file", "load_state_dict"))]
pub fn load_weights<F: Element>(
    path: impl AsRef<Path>,
    model: &mut dyn Module<F>,
) -> Result<LoadReport, CheckpointError> {
    Weights::new().load(path, model)
}

/// How weights are loaded from a file that does not fit as it is: under other names, in another precision, in part;
/// with [`load_run`](Self::load_run) also the state of the optimizer.
///
/// ```
/// # use wengert_autodiff::Param;
/// use wengert_optim::checkpoint::{Checkpoint, Weights};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("weights.wgt");
/// # let mut parallel = Checkpoint::from_model(&Param::<f64>::new([0.1, 0.2]));
/// # let tensor = parallel.model.remove("").expect("the one parameter");
/// # parallel.model.insert("module.".to_owned(), tensor);
/// # parallel.write(&path)?;
/// let mut model: Param = Param::new([0.0, 0.0]);
/// let report = Weights::new().strip_prefix("module.").cast().load(&path, &mut model)?;
/// assert_eq!((report.matched.len(), model.value()[1]), (1, 0.2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("map_location", "key_mapping", "strict"))]
pub struct Weights<'a> {
    rename: Box<dyn Fn(&str) -> String + 'a>,
    cast: bool,
}

impl Default for Weights<'_> {
    fn default() -> Self {
        Self { rename: Box::new(str::to_owned), cast: false }
    }
}

impl<'a> Weights<'a> {
    /// As [`load_weights`]: the file's own names, and no rounding.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives each tensor of the file the name under which the model has it. Several follow one another.
    #[doc(alias("key_mapping", "remap"))]
    pub fn rename(self, rename: impl Fn(&str) -> String + 'a) -> Self {
        let before = self.rename;
        Self { rename: Box::new(move |name| rename(&before(name))), ..self }
    }

    /// [`rename`](Self::rename)s what begins with `prefix`, such as `module.` or `_orig_mod.`, which PyTorch's wrappers
    /// put before every name.
    #[doc(alias = "consume_prefix_in_state_dict_if_present")]
    pub fn strip_prefix(self, prefix: &'a str) -> Self {
        self.rename(move |name| name.strip_prefix(prefix).unwrap_or(name).to_owned())
    }

    /// Takes `F64` for a model of `f32`, rounded to nearest, and `F32` for one of `f64`. A finite number that is too
    /// large for `f32` is still a mismatch.
    #[doc(alias("to_dtype", "astype", "float", "double"))]
    pub fn cast(self) -> Self {
        Self { cast: true, ..self }
    }

    /// Loads all parameters and buffers of the model; the file may have nothing else.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged, or two of its tensors get the same name;
    /// [`CheckpointError::Mismatch`], with hints, unless all names, shapes and types fit. The model is then unchanged.
    pub fn load<F: Element>(
        &self,
        path: impl AsRef<Path>,
        model: &mut dyn Module<F>,
    ) -> Result<LoadReport, CheckpointError> {
        let path = path.as_ref();
        let (mut report, tensors) = self.plan(path, Checkpoint::read(path)?.model, model)?;
        if !report.is_complete() {
            if !report.matched.is_empty() {
                report
                    .hints
                    .push("`Weights::new().load_partial` takes what fits and leaves the rest".to_owned());
            }
            return Err(mismatch(path, report));
        }
        put_into_model(tensors, model);
        Ok(report)
    }

    /// Loads the tensors that fit, one by one, and leaves the others of the model as they are. Read the report: it says
    /// what was not loaded.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load), but a mismatch is an error only if nothing at all fits.
    #[doc(alias = "strict")]
    pub fn load_partial<F: Element>(
        &self,
        path: impl AsRef<Path>,
        model: &mut dyn Module<F>,
    ) -> Result<LoadReport, CheckpointError> {
        let path = path.as_ref();
        let (report, tensors) = self.plan(path, Checkpoint::read(path)?.model, model)?;
        if report.matched.is_empty() {
            return Err(mismatch(path, report));
        }
        put_into_model(tensors, model);
        Ok(report)
    }

    /// Like [`checkpoint::load`](super::load), with these choices: a field of the optimizer's state goes by the name of
    /// its parameter, so that one is renamed with the other, and it is of the same precision. A group of the file
    /// belongs to the optimizer's group of the same pattern, or of the pattern that it gets as if it were a name.
    ///
    /// ```
    /// # use wengert_autodiff::{Param, Tape};
    /// # use wengert_optim::{Optimizer, RmsProp, checkpoint::{self, Loaded, Weights}};
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("run.wgt");
    /// # let (mut parallel, mut opt) = (vec![vec![Param::<f32>::new([0.5])]], Optimizer::new(RmsProp::default()));
    /// # let tape = Tape::new();
    /// # let grads = tape.param(&parallel[0][0]).square().sum().backward();
    /// # opt.step(&mut parallel, &grads);
    /// checkpoint::save(&path, &parallel, &opt, &())?; // of f32, and its parameter is `0.0`
    ///
    /// let mut model: Vec<Param<f64>> = vec![Param::new([0.0])]; // whose parameter is `0`
    /// let mut opt = Optimizer::new(RmsProp::default());
    /// let weights = Weights::new().strip_prefix("0.").cast();
    /// let Loaded { extra: (), .. } = weights.load_run(&path, &mut model, &mut opt)?;
    /// assert_eq!((opt.steps(), opt.state("0").unwrap().v[0]), (1, 0.01_f32.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`checkpoint::load`](super::load), with hints; or if two tensors of the file get the same name. Model and
    /// optimizer are then unchanged.
    #[doc(alias("resume", "load_state_dict"))]
    pub fn load_run<T, R, F>(
        &self,
        path: impl AsRef<Path>,
        model: &mut dyn Module<F>,
        opt: &mut Optimizer<R, F>,
    ) -> Result<Loaded<T>, CheckpointError>
    where
        T: DeserializeOwned,
        R: Rule<F> + Serialize + DeserializeOwned,
        F: Element,
    {
        let path = path.as_ref();
        let file = Checkpoint::read(path)?;
        let extra = file.extra().map_err(|error| {
            let expected = format!("`extra` as {}", std::any::type_name::<T>());
            CheckpointError::malformed(path, expected, error.to_string())
        })?;
        let (report, tensors, optimizer) = self.plan_run(path, file, model, opt)?;
        match optimizer {
            Some(optimizer) if report.is_complete() => {
                put_into_model(tensors, model);
                optimizer.put_into(opt);
                Ok(Loaded { extra, report })
            }
            _ => Err(mismatch(path, report)),
        }
    }

    /// Like [`checkpoint::load_partial`](super::load_partial), with these choices.
    ///
    /// # Errors
    ///
    /// As [`checkpoint::load_partial`](super::load_partial); or if two tensors of the file get the same name. Model and
    /// optimizer are then unchanged.
    pub fn load_run_partial<R, F>(
        &self,
        path: impl AsRef<Path>,
        model: &mut dyn Module<F>,
        opt: &mut Optimizer<R, F>,
    ) -> Result<LoadReport, CheckpointError>
    where
        R: Rule<F> + Serialize + DeserializeOwned,
        F: Element,
    {
        let path = path.as_ref();
        let (report, tensors, optimizer) = self.plan_run(path, Checkpoint::read(path)?, model, opt)?;
        if report.matched.is_empty() {
            return Err(mismatch(path, report));
        }
        put_into_model(tensors, model);
        if let Some(optimizer) = optimizer {
            optimizer.without_rules().put_into(opt);
        }
        Ok(report)
    }

    fn plan<F: Element>(
        &self,
        path: &Path,
        file: BTreeMap<String, RawTensor>,
        model: &dyn Module<F>,
    ) -> Result<(LoadReport, Tensors<F>), CheckpointError> {
        let file = renamed(path, file, &self.rename)?;
        let mut report = LoadReport::default();
        let tensors = plan_model(&file, model, self.cast, &mut report);
        if !report.mismatched.is_empty() && !self.cast {
            let mut cast = LoadReport::default();
            plan_model(&file, model, true, &mut cast);
            if cast.matched.len() > report.matched.len() {
                report.hints.push("`Weights::new().cast()` converts between F32 and F64".to_owned());
            }
        }
        report.hints.extend(rename_hint(&report.missing, &report.unexpected));
        Ok((report, tensors))
    }

    fn plan_run<R, F>(
        &self,
        path: &Path,
        file: Checkpoint,
        model: &dyn Module<F>,
        opt: &Optimizer<R, F>,
    ) -> Result<RunPlan<R, F>, CheckpointError>
    where
        R: Rule<F> + Serialize + DeserializeOwned,
        F: Element,
    {
        let (mut report, tensors) = self.plan(path, file.model, model)?;
        let Some(optimizer) = file.optimizer else {
            report.missing.push("optimizer".to_owned());
            return Ok((report, tensors, None));
        };
        let optimizer = self.renamed_optimizer(path, optimizer, opt)?;
        let optimizer = plan_optimizer(&optimizer, model, opt, self.cast, &mut report);
        Ok((report, tensors, optimizer))
    }

    fn renamed_optimizer<R: Rule<F>, F: Element>(
        &self,
        path: &Path,
        mut file: SavedOptimizer,
        opt: &Optimizer<R, F>,
    ) -> Result<SavedOptimizer, CheckpointError> {
        file.state = renamed(path, file.state, &|name: &str| match name.rsplit_once('/') {
            Some((param, field)) => format!("{}/{field}", (self.rename)(param)),
            None => (self.rename)(name),
        })?;
        for pattern in file.rules.iter_mut().filter_map(|rule| rule.pattern.as_mut()) {
            if !opt.groups.initial().any(|own| own.pattern == Some(pattern.as_str())) {
                *pattern = (self.rename)(pattern);
            }
        }
        Ok(file)
    }
}

type Tensors<F> = BTreeMap<String, Tensor<F>>;
type RunPlan<R, F> = (LoadReport, Tensors<F>, Option<OptimizerPlan<R, F>>);

fn renamed(
    path: &Path,
    file: BTreeMap<String, RawTensor>,
    rename: &dyn Fn(&str) -> String,
) -> Result<BTreeMap<String, RawTensor>, CheckpointError> {
    let mut renamed = BTreeMap::new();
    for (name, tensor) in file {
        let name = rename(&name);
        if renamed.contains_key(&name) {
            let found = format!("`{name}` twice, as they were renamed");
            return Err(CheckpointError::malformed(path, "every name once", found));
        }
        renamed.insert(name, tensor);
    }
    Ok(renamed)
}

fn mismatch(path: &Path, report: LoadReport) -> CheckpointError {
    CheckpointError::Mismatch { path: path.to_owned(), report: Box::new(report) }
}

/// How many of the model's names are compared with the whole file to find what its names have too much or too little.
/// Where one does not fit, the next does: all of a file is rarely wrapped in the same way.
const SAMPLES: usize = 8;

/// The one change of names that makes most of `missing` and `unexpected` the same, as the call that makes it.
fn rename_hint(missing: &[String], unexpected: &[String]) -> Option<String> {
    if missing.is_empty() || unexpected.is_empty() {
        return None;
    }
    let fits = |rename: &dyn Fn(&str) -> String| {
        let renamed: BTreeSet<_> = unexpected.iter().map(|name| rename(name)).collect();
        missing.iter().filter(|&name| renamed.contains(name)).count()
    };
    let mut best = (0, "`Weights::new().rename(…)` gives the file's names as the model has them".to_owned());
    let mut consider = |count, call: String| {
        if count > best.0 {
            best = (count, format!("{count} more names fit with `Weights::new().{call}`"));
        }
    };
    for (front, part) in inserted(missing, unexpected) {
        match front {
            true => consider(
                fits(&|name| name.strip_prefix(&part).unwrap_or(name).to_owned()),
                format!("strip_prefix({part:?})"),
            ),
            false => consider(
                fits(&|name| name.replace(&part, "")),
                format!("rename(|name| name.replace({part:?}, \"\"))"),
            ),
        }
    }
    for (_, part) in inserted(unexpected, missing).into_iter().filter(|(front, _)| *front) {
        let count = fits(&|name| format!("{part}{name}"));
        let braced = part.replace('{', "{{").replace('}', "}}");
        consider(count, format!("rename(|name| format!({:?}))", format!("{braced}{{name}}")));
    }
    Some(best.1)
}

/// What some names of `long` have in addition to names of `short`, as `module.` in `module.fc.weight`, and whether it
/// is in front.
fn inserted(short: &[String], long: &[String]) -> BTreeSet<(bool, String)> {
    let mut parts = BTreeSet::new();
    for short in short.iter().take(SAMPLES) {
        let short: Vec<_> = short.split('.').collect();
        for long in long {
            let long: Vec<_> = long.split('.').collect();
            let same = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
            let Some(more) = long.len().checked_sub(short.len()).filter(|&more| more > 0) else { continue };
            if same < short.len() && short[same..] == long[same + more..] && parts.len() < SAMPLES {
                parts.insert((same == 0, long[same..same + more].join(".") + "."));
            }
        }
    }
    parts
}
