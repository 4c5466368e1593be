//! Going on after an interruption, to the same bits as without one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wengert::data::ImageDataset;
use wengert::data::mnist::TrainTest;
use wengert::optim::checkpoint::{self, Checkpoint, Loaded};
use wengert::prelude::*;

use crate::Outcome;
use crate::cli::{Activation, Args, Norm, Schedule};
use crate::output::Console;
use crate::report::{Epoch, Score};

/// What the checkpoint holds beside model and optimizer. No times: equal runs write equal files.
#[derive(Serialize, Deserialize)]
pub struct Run {
    settings: Settings,
    /// The epochs that are done.
    pub history: Vec<Epoch>,
    /// Of the epoch that is under way.
    #[serde(default)]
    pub score: Score,
}

/// What must not change in the middle of a run. Names and shapes of the parameters, and the optimizer's
/// hyper-parameters, are compared by the checkpoint itself.
#[derive(Serialize, Deserialize)]
struct Settings {
    epochs: u32,
    batch_size: usize,
    dropout: f64,
    schedule: Schedule,
    seed: u64,
    /// `None`, here and below, in files from before this was noted.
    activation: Option<Activation>,
    norm: Option<Norm>,
    training: Option<String>,
    test: Option<String>,
}

impl Settings {
    fn new(args: &Args, data: &TrainTest) -> Self {
        let &Args { epochs, batch_size, dropout, schedule, seed, activation, norm, .. } = args;
        let (training, test) = (Some(fingerprint(&data.train)), Some(fingerprint(&data.test)));
        let (activation, norm) = (Some(activation), Some(norm));
        Self { epochs, batch_size, dropout, schedule, seed, activation, norm, training, test }
    }

    /// What this has and what `other` has, where they differ.
    fn difference(&self, other: &Self) -> Outcome<Option<(String, String)>> {
        let (a, b) = (serde_json::to_value(self)?, serde_json::to_value(other)?);
        let names = a.as_object().into_iter().flat_map(|a| a.keys());
        let unlike: Vec<_> = names.filter(|&name| !a[name].is_null() && a[name] != b[name]).collect();
        // Of a text that may come from anywhere, nothing steers the terminal.
        let shown =
            |value: &Value| value.as_str().map_or_else(|| value.to_string(), |text| format!("{text:?}"));
        let list = |values: &Value| {
            unlike
                .iter()
                .map(|name| format!("{name}: {}", shown(&values[name])))
                .collect::<Vec<_>>()
                .join(", ")
        };
        Ok((!unlike.is_empty()).then(|| (list(&a), list(&b))))
    }
}

/// Tells sets of images apart.
fn fingerprint(data: &ImageDataset) -> String {
    let mut crc = crc32fast::Hasher::new();
    crc.update(data.labels());
    crc.update(data.pixels());
    let (rows, columns) = data.image_size();
    format!("{} images of {rows}x{columns}, checksum {:08x}", data.len(), crc.finalize())
}

impl Run {
    /// A run that has not begun.
    pub fn new(args: &Args, data: &TrainTest) -> Self {
        Self { settings: Settings::new(args, data), history: Vec::new(), score: Score::default() }
    }

    /// The steps of the epoch that is under way.
    pub fn steps_of_epoch(&self, steps: u64, per_epoch: usize) -> Option<usize> {
        let begun = steps.checked_sub(self.history.len() as u64 * per_epoch as u64)?;
        usize::try_from(begun).ok().filter(|&begun| begun < per_epoch)
    }

    /// Whether a run can have come to this: what follows trusts it.
    fn is_possible(&self, steps: u64, per_epoch: usize) -> bool {
        let numbered = self.history.iter().zip(1..).all(|(epoch, number)| epoch.epoch == number);
        let images = self.steps_of_epoch(steps, per_epoch).map(|steps| steps * self.settings.batch_size);
        numbered
            && self.history.len() <= self.settings.epochs as usize
            && self.history.iter().all(Epoch::is_possible)
            && images.is_some_and(|images| self.score.is_possible(images))
    }
}

/// What is done; nothing without `--resume`. A new run does not write over the checkpoint of another.
pub fn load<R: Rule + Serialize + DeserializeOwned>(
    args: &Args,
    data: &TrainTest,
    per_epoch: usize,
    model: &mut Sequential,
    opt: &mut Optimizer<R>,
    console: &mut Console,
) -> Outcome<Run> {
    let new = Run::new(args, data);
    let Some(file) = &args.checkpoint else { return Ok(new) };
    if !args.resume {
        return match file.exists() {
            false => Ok(new),
            true => Err(format!(
                "--checkpoint {}: the file is there already; add --resume to go on with that run, or remove it",
                file.display()
            )
            .into()),
        };
    }
    let refuse = |why: String| Err(format!("--resume {}: {why}", file.display()).into());
    // Before the tensors: what a flag has changed is clearer than what follows from it.
    if let Ok(run) = Checkpoint::read(file)?.extra::<Run>()
        && let Some((then, now)) = run.settings.difference(&new.settings)?
    {
        return refuse(format!("the run was started with {then}, not with {now}"));
    }
    let Loaded::<Run> { extra: run, report } = checkpoint::load(file, model, opt)?;
    if !run.is_possible(opt.steps(), per_epoch) {
        let epochs = run.settings.epochs;
        return refuse(format!("no run of {epochs} epochs of {per_epoch} steps has this history"));
    }
    let place = match run.steps_of_epoch(opt.steps(), per_epoch) {
        Some(begun @ 1..) => format!("in epoch {} after {begun} of {per_epoch} steps", run.history.len() + 1),
        _ => format!("after epoch {} of {}", run.history.len(), args.epochs),
    };
    console.say(format!("resumed {place}: {report}"));
    Ok(Run { settings: new.settings, ..run })
}
