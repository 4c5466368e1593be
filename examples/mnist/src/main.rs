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
mod output;
mod plots;
mod report;
mod resume;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert::data::mnist::TrainTest;
use wengert::data::{Batches, ImageDataset};
use wengert::layers::RmsNorm;
use wengert::optim::{AdaGrad, Adadelta, Adamax, Lion, NAdam, RAdam, checkpoint};
use wengert::prelude::*;

use crate::cli::{Args, Norm, OptimizerName};
use crate::output::Metrics;
use crate::report::{Confusion, Epoch, Score, evaluate};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> Outcome<()> {
    // Before anything else makes the pool: this thread trains, so it is one of them. 0 leaves the number to rayon.
    let threads = args.threads.unwrap_or(0);
    wengert::set_threads(threads)?;
    if args.batch_size == 1 && args.norm == Norm::Batch {
        return Err("--batch-size 1 with --norm batch: one image has no variance".into());
    }
    let data = data::load(args)?;
    output::prepare(args)?;
    /// Calls `train` with the rule; a rate from the command line goes before its own.
    macro_rules! train_with {
        ($rule:expr) => {{
            let mut rule = $rule;
            rule.lr = args.lr.unwrap_or(rule.lr);
            train(args, &data, rule, |rule| &mut rule.lr)
        }};
    }
    match args.optimizer {
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
    }
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

/// The training loop. `lr` finds the learning rate among the hyper-parameters of `rule`.
fn train<R: Rule + Serialize + DeserializeOwned>(
    args: &Args,
    data: &TrainTest,
    mut rule: R,
    lr: fn(&mut R) -> &mut f64,
) -> Outcome<()> {
    let mut model = network(args, &data.train, &mut StdRng::seed_from_u64(args.seed));
    let steps = batches(args, &data.train, 1).len() * args.epochs as usize;
    let schedule = args.schedule.over(*lr(&mut rule), steps as u64);
    let mut opt = Optimizer::new(rule);
    let mut tape = Tape::with_seed(args.seed);
    let mut history = resume::load(args, &mut model, &mut opt)?;
    tape.set_steps(opt.steps());
    let mut metrics = Metrics::create(args)?;
    for epoch in &history {
        metrics.write(epoch)?;
    }
    if !args.quiet {
        let (train, test) = (data.train.len(), data.test.len());
        println!("{} parameters, {train} training images, {test} test images", model.parameter_count());
    }

    let last = args.stop_after.unwrap_or(args.epochs).min(args.epochs);
    for epoch in history.len() as u32 + 1..=last {
        let start = Instant::now();
        let mut score = Score::default();
        let batches = batches(args, &data.train, epoch);
        let bar = progress_bar(args, epoch, batches.len());
        for batch in batches {
            *lr(opt.rule_mut()) = schedule.at(opt.steps());

            tape.reset();
            let logits = model.forward(tape.constant(batch.x));
            let loss = logits.cross_entropy(&batch.labels);
            let grads = loss.backward();
            opt.step(&mut model, &grads);

            score.add(loss.item(), &logits.value(), &batch.labels);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let epoch = Epoch::new(epoch, &score, start.elapsed(), &evaluate(&model, &data.test));
        metrics.write(&epoch)?;
        if !args.quiet {
            println!("{epoch}");
        }
        history.push(epoch);
        resume::save(args, &model, &opt, &history)?;
    }
    finish(args, &model, &data.test, &history)
}

fn finish(args: &Args, model: &Sequential, test: &ImageDataset, history: &[Epoch]) -> Outcome<()> {
    let confusion = Confusion::of(model, test);
    if let Some(file) = &args.save {
        checkpoint::save_weights(file, model)?;
    }
    if let Some(directory) = &args.plots {
        plots::draw(directory, history, &confusion.mistakes, test)?;
    }
    if !args.quiet {
        println!("\n{confusion}\n");
    }
    let correct = test.len() - confusion.mistakes.len();
    println!("test accuracy {:.4} ({correct}/{})", correct as f64 / test.len() as f64, test.len());
    Ok(())
}

/// The images in an order that follows from the seed and the epoch alone, so that a resumed run sees the same one. The
/// last batch is smaller than the others. Where one image would remain, batch norm could not take its variance: that
/// image is left out of the epoch.
fn batches<'a>(args: &Args, train: &'a ImageDataset, epoch: u32) -> Batches<'a> {
    let rng = &mut StdRng::seed_from_u64(args.seed ^ u64::from(epoch) << 32);
    let batches = train.batches(args.batch_size).shuffle(rng);
    if train.len() % args.batch_size == 1 { batches.drop_last() } else { batches }
}

fn progress_bar(args: &Args, epoch: u32, steps: usize) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta}").expect("a valid template");
    ProgressBar::new(steps as u64).with_style(style).with_prefix(format!("epoch {epoch:>2}"))
}
