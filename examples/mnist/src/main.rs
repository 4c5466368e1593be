//! Trains a multi-layer perceptron on handwritten digits: the main job of the project.
//!
//!     cargo run --release --example mnist                                  # generated digits, nothing to download
//!     cargo run --release --example mnist -- --download                    # the real MNIST
//!     cargo run --release --example mnist -- --data DIR --plots out        # MNIST from DIR, with pictures
//!     cargo run --release --example mnist -- --checkpoint run.wgt          # may be interrupted: go on with --resume
//!
//! With the defaults (784-256-128-10, batch norm, dropout 0.2, RMSProp) it should reach more than 97 % on the generated
//! test digits and more than 98.2 % on the real ones. Everything random comes from `--seed`: the same seed gives the
//! same network, bit for bit, at any `--threads`.

mod cli;
mod data;
mod divergence;
mod output;
mod plots;
mod report;
mod resume;
mod signals;
mod training;

use std::error::Error;
use std::io::{self, Write};
use std::iter;
use std::process::ExitCode;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert::data::ImageDataset;
use wengert::data::mnist::TrainTest;
use wengert::layers::RmsNorm;
use wengert::optim::{AdaGrad, Adadelta, Adamax, Lion, NAdam, RAdam};
use wengert::prelude::*;

use crate::cli::{Args, Norm, OptimizerName};
use crate::divergence::Diverged;
use crate::output::Console;
use crate::report::EVALUATION_BATCH;
use crate::signals::Signals;
use crate::training::Training;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// More numbers than this, 1 GB of them, are a typing error; and memory that the system does not have ends a program
/// without a word.
const MOST_NUMBERS: u128 = 1 << 28;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let diverged = error.is::<Diverged>();
            let kept = args.checkpoint.filter(|file| diverged && file.exists());
            let kept = kept.map_or_else(String::new, |file| format!("; {} is as it was", file.display()));
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "error: {error}{kept}");
            ExitCode::from(if diverged { 3 } else { 2 })
        }
    }
}

/// The exit code of a run without errors.
fn run(args: &Args) -> Outcome<u8> {
    let signals = Signals::install()?;
    let mut console = Console::new(args);
    // Before anything else makes the pool: this thread trains, so it is one of them. 0 leaves the number to the pool.
    wengert::set_threads(args.threads.unwrap_or(0))?;
    if args.batch_size == 1 && args.norm == Norm::Batch {
        return Err("--batch-size 1 with --norm batch: one image has no variance".into());
    }
    let data = data::load(args, &mut console)?;
    check_size(args, &data)?;
    output::prepare(args, &data::files(args))?;
    /// Trains with the rule; a rate from the command line goes before its own.
    macro_rules! train_with {
        ($rule:expr) => {{
            let mut rule = $rule;
            rule.lr = args.lr.unwrap_or(rule.lr);
            let model = network(args, &data.train, &mut StdRng::seed_from_u64(args.seed));
            Training::start(args, &data, model, rule, |rule| &mut rule.lr, &mut console)?
                .run(&signals, &mut console)
        }};
    }
    let code = match args.optimizer {
        OptimizerName::Rmsprop => train_with!(RmsProp { lr: 1e-3, rho: 0.99, ..RmsProp::default() }),
        OptimizerName::Sgd => train_with!(Sgd { lr: 0.1, momentum: 0.9, ..Sgd::default() }),
        OptimizerName::Adagrad => train_with!(AdaGrad::default()),
        OptimizerName::Adadelta => train_with!(Adadelta::default()),
        OptimizerName::Adam => train_with!(Adam::default()),
        OptimizerName::Adamw => train_with!(Adam::w()),
        OptimizerName::Adamax => train_with!(Adamax::default()),
        OptimizerName::Nadam => train_with!(NAdam::default()),
        OptimizerName::Radam => train_with!(RAdam::default()),
        OptimizerName::Lion => train_with!(Lion::default()),
    }?;
    console.close()?;
    Ok(code)
}

/// Refuses networks and batches for which no machine has the memory.
fn check_size(args: &Args, data: &TrainTest) -> Outcome<()> {
    let (rows, columns) = data.train.image_size();
    let widths = iter::once(rows * columns).chain(args.hidden.iter().copied()).chain([data.train.classes()]);
    let widths: Vec<u128> = widths.map(|width| width as u128).collect();
    let parameters = widths.windows(2).fold(0, |sum: u128, pair| sum.saturating_add(pair[0] * pair[1]));
    let batch = args.batch_size.min(data.train.len()).max(EVALUATION_BATCH.min(data.test.len()));
    let activations = widths.iter().fold(0, |sum: u128, width| sum.saturating_add(width * batch as u128));
    let hidden = args.hidden.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    for (numbers, what) in [(parameters, "parameters"), (activations, "activations of a batch")] {
        if numbers > MOST_NUMBERS {
            return Err(format!(
                "--hidden {hidden} --batch-size {} on images of {rows}x{columns}: {numbers} {what}, at most \
                 {MOST_NUMBERS} are allowed",
                args.batch_size
            )
            .into());
        }
    }
    Ok(())
}

/// Dense, normalization, activation, dropout for each hidden layer; then a dense layer to the classes.
fn network(args: &Args, data: &ImageDataset, rng: &mut StdRng) -> Sequential {
    let (rows, cols) = data.image_size();
    let mut width = rows * cols;
    let mut model = Sequential::new();
    for &hidden in &args.hidden {
        model.push(Dense::new(width, hidden, rng));
        match args.norm {
            Norm::Batch => model.push(BatchNorm::new(hidden)),
            Norm::Layer => model.push(LayerNorm::new(hidden)),
            Norm::Rms => model.push(RmsNorm::new(hidden)),
            Norm::None => (),
        }
        model.push(args.activation.layer());
        if args.dropout > 0.0 {
            model.push(Dropout::new(args.dropout));
        }
        width = hidden;
    }
    model.with(Dense::new(width, data.classes(), rng))
}
