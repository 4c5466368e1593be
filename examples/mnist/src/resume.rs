//! Going on after an interruption, to the same bits as without one.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wengert::optim::checkpoint::{self, Loaded};
use wengert::prelude::*;

use crate::Outcome;
use crate::cli::{Args, Schedule};
use crate::report::Epoch;

/// What the checkpoint holds beside model and optimizer.
#[derive(Serialize, Deserialize)]
struct Run {
    settings: Settings,
    history: Vec<Epoch>,
}

/// What must not change in the middle of a run. The network and the optimizer's hyper-parameters are compared by the
/// checkpoint itself.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    epochs: u32,
    batch_size: usize,
    dropout: f64,
    schedule: Schedule,
    seed: u64,
}

impl Settings {
    fn of(args: &Args) -> Self {
        let &Args { epochs, batch_size, dropout, schedule, seed, .. } = args;
        Self { epochs, batch_size, dropout, schedule, seed }
    }
}

/// The epochs that are done; none without `--resume`. A new run does not write over the checkpoint of another.
pub fn load<R: Rule + Serialize + DeserializeOwned>(
    args: &Args,
    model: &mut Sequential,
    opt: &mut Optimizer<R>,
) -> Outcome<Vec<Epoch>> {
    let Some(file) = &args.checkpoint else { return Ok(Vec::new()) };
    if !args.resume {
        return match file.exists() {
            false => Ok(Vec::new()),
            true => Err(format!(
                "--checkpoint {}: the file is there already; add --resume to go on with that run, or remove it",
                file.display()
            )
            .into()),
        };
    }
    let Loaded::<Run> { extra: run, report } = checkpoint::load(file, model, opt)?;
    if run.settings != Settings::of(args) {
        let (then, now) = (run.settings, Settings::of(args));
        return Err(format!(
            "--resume {}: the run was started with {then:?}, not with {now:?}",
            file.display()
        )
        .into());
    }
    if !args.quiet {
        println!("resumed after epoch {} of {}: {report}", run.history.len(), args.epochs);
    }
    Ok(run.history)
}

/// Writes the checkpoint, if one is wanted.
pub fn save<R: Rule + Serialize + DeserializeOwned>(
    args: &Args,
    model: &Sequential,
    opt: &Optimizer<R>,
    history: &[Epoch],
) -> Outcome<()> {
    if let Some(file) = &args.checkpoint {
        let run = Run { settings: Settings::of(args), history: history.to_vec() };
        checkpoint::save(file, model, opt, &run)?;
    }
    Ok(())
}
