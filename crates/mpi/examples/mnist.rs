//! The example `mnist` on several processes, with the same bits at any number of them:
//!
//!     cargo build --release --features mpi --example mnist
//!     mpirun -n 2 target/release/examples/mnist --checkpoint run.wgt
//!
//! The network is the main example's: dense layers, batch norm, ReLU, dropout. Rank 0 alone prints and writes files.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use wengert::data::metrics::Accuracy;
use wengert::data::mnist::{self, TrainTest};
use wengert::data::{Batches, ImageDataset, Rows, synthetic};
use wengert::optim::checkpoint;
use wengert::prelude::*;
use wengert_mpi::{Group, Shards, World};

/// Trains a multi-layer perceptron on handwritten digits, under `mpirun`.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
struct Args {
    /// A directory with the four MNIST files [default: generated digits]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many digits are generated for training
    #[arg(long, default_value_t = 40_000, value_parser = at_least::<16>, conflicts_with = "data")]
    digits: usize,
    /// Steps of the run
    #[arg(long, default_value_t = 1000)]
    steps: u64,
    /// Images per step, over all processes
    #[arg(long, default_value_t = 128, value_parser = at_least::<2>)]
    batch_size: usize,
    /// Shards per batch: part of the run, and the most processes that it can have
    #[arg(long, default_value_t = 8, value_parser = at_least::<1>)]
    shards: usize,
    /// Widths of the hidden layers
    #[arg(long, default_value = "256,128", value_delimiter = ',', value_parser = at_least::<1>)]
    hidden: Vec<usize>,
    /// Share of the activations that dropout sets to zero
    #[arg(long, default_value_t = 0.2, value_parser = probability)]
    dropout: f64,
    /// RMSProp's hyper-parameters as JSON, all of them [default: lr 0.001, the rest as in PyTorch]
    #[arg(long, value_name = "JSON", value_parser = rule)]
    rmsprop: Option<RmsProp>,
    /// Seed of everything random: initial weights, order of the images, dropout
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads of each process
    #[arg(long, default_value_t = 1, value_parser = at_least::<1>)]
    threads: usize,
    /// Steps between evaluations on the test images, each with a checkpoint
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Write one JSON object per evaluation to this file
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Write all that is needed to go on to this file, and go on from it if it is there: all processes read it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Seconds that a process waits for another
    #[arg(long, default_value_t = 60.0, value_parser = seconds)]
    deadline: f64,
}

fn at_least<const LEAST: usize>(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|error| format!("{error}"))?;
    if number < LEAST { Err(format!("at least {LEAST} is needed")) } else { Ok(number) }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(p) if (0.0..1.0).contains(&p) => Ok(p),
        _ => Err("a number from 0 up to, but not including, 1 is needed".to_owned()),
    }
}

fn rule(json: &str) -> Result<RmsProp, String> {
    let rule: RmsProp = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Rule::<f32>::validate(&rule).map_err(|error| error.to_string())?;
    Ok(rule)
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if 0.0 < seconds && seconds < 1e9 => Ok(seconds),
        _ => Err("a number of seconds above 0 is needed".to_owned()),
    }
}

/// What has to be the same when the run goes on, too.
#[derive(PartialEq, Serialize, Deserialize)]
struct Settings {
    batch_size: usize,
    shards: usize,
    dropout: f64,
    seed: u64,
    training: String,
}

/// What has to be the same on all ranks.
#[derive(Serialize)]
struct Alike<'a> {
    steps: u64,
    every: u64,
    #[serde(flatten)]
    settings: &'a Settings,
}

#[derive(Serialize, Deserialize)]
struct Run {
    settings: Settings,
    history: Vec<Point>,
}

#[derive(Serialize, Deserialize)]
struct Point {
    step: u64,
    loss: f64,
    test_loss: f64,
    test_accuracy: f64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    World::run(Duration::from_secs_f64(args.deadline), |world| train(&args, world))
}

fn train(args: &Args, world: &World) -> Result<(), Box<dyn Error>> {
    wengert::set_threads(args.threads)?;
    let data = load(args)?;
    if data.train.len() < 2 || data.test.is_empty() {
        return Err("--data: too few images".into());
    }
    let index: Vec<usize> = (0..data.train.len()).collect();
    let mut model = network(args, &data.train);
    let rule = args.rmsprop.unwrap_or(RmsProp { lr: 1e-3, ..RmsProp::default() });
    let mut opt = Optimizer::new(rule);
    let mut run = Run { settings: settings(args, &data.train), history: Vec::new() };
    if let Some(file) = args.checkpoint.as_deref().filter(|file| file.exists()) {
        run = resume(file, run.settings, &mut model, &mut opt)?;
    }
    let shards = Shards::new(world, args.shards)?;
    let (steps, every) = (args.steps, args.every);
    shards.check(&model, &opt, &Alike { steps, every, settings: &run.settings })?;

    let mut tape = Tape::with_seed(args.seed);
    tape.set_steps(opt.steps());
    let mut losses = 0.0; // since the last evaluation
    let (first, mut spent) = (opt.steps(), Duration::ZERO);
    while opt.steps() < args.steps {
        for rows in batches(args, &index, opt.steps()) {
            let start = Instant::now();
            let (loss, grads) = shards.step(&mut tape, &model, &rows, |tape, rows| {
                let batch = data.train.gather(rows);
                model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels)
            })?;
            opt.step_if_finite(&mut model, &grads)?;
            spent += start.elapsed();
            losses += f64::from(loss);
            if opt.steps() % args.every == 0 || opt.steps() == args.steps {
                shards.check(&model, &opt, &Alike { steps, every, settings: &run.settings })?;
                if world.rank() == 0 {
                    evaluate(args, &model, &opt, &data.test, losses, &mut run)?;
                }
                losses = 0.0;
            }
            if opt.steps() == args.steps {
                break;
            }
        }
    }
    if world.rank() == 0 {
        let steps = opt.steps() - first;
        let each = 1e3 * spent.as_secs_f64() / steps.max(1) as f64;
        eprintln!("{} processes, {steps} steps of {each:.3} ms", world.size());
    }
    Ok(())
}

fn load(args: &Args) -> Result<TrainTest, Box<dyn Error>> {
    if let Some(directory) = &args.data {
        return Ok(mnist::load(directory)?);
    }
    let (train, test) = synthetic::digits(args.digits + args.digits / 8, 0).split_at(args.digits);
    Ok(TrainTest { train, test })
}

/// Dense, batch norm, ReLU, dropout for each hidden layer; then a dense layer to the classes.
fn network(args: &Args, data: &ImageDataset) -> Sequential {
    let rng = &mut StdRng::seed_from_u64(args.seed);
    let (rows, columns) = data.image_size();
    let mut width = rows * columns;
    let mut model = Sequential::new();
    for &hidden in &args.hidden {
        model.push(Dense::new(width, hidden, rng));
        model.push(BatchNorm::new(hidden));
        model.push(Activation::Relu);
        model.push(Dropout::new(args.dropout));
        width = hidden;
    }
    model.with(Dense::new(width, data.classes(), rng))
}

fn settings(args: &Args, data: &ImageDataset) -> Settings {
    let &Args { batch_size, shards, dropout, seed, .. } = args;
    let mut crc = crc32fast::Hasher::new();
    crc.update(data.labels());
    crc.update(data.pixels());
    let training = format!("{} images with checksum {:08x}", data.len(), crc.finalize());
    Settings { batch_size, shards, dropout, seed, training }
}

/// From where the checkpoint is, which may have been written at another number of processes.
fn resume(
    file: &Path,
    settings: Settings,
    model: &mut Sequential,
    opt: &mut Optimizer<RmsProp>,
) -> Result<Run, Box<dyn Error>> {
    let run: Run = checkpoint::load(file, model, opt)?.extra;
    if run.settings != settings {
        let shown = serde_json::to_string(&run.settings)?;
        return Err(format!("{}: the run was started with {shown}", file.display()).into());
    }
    Ok(run)
}

/// The rows of the batches that are left of the epoch at `step`, in an order that follows from seed and epoch alone.
fn batches<'a>(args: &Args, index: &'a Vec<usize>, step: u64) -> impl Iterator<Item = Vec<usize>> + use<'a> {
    // One image alone has no variance, so that batch norm could not take it.
    let alone = index.len() % args.batch_size == 1;
    let order = Batches::new(index, args.batch_size);
    let order = if alone { order.drop_last() } else { order };
    let per_epoch = order.len() as u64;
    let rng = &mut StdRng::seed_from_u64(args.seed ^ (step / per_epoch + 1) << 32);
    order.shuffle(rng).skip((step % per_epoch) as usize)
}

/// Rank 0 alone: what the network has learnt, and the files.
fn evaluate(
    args: &Args,
    model: &Sequential,
    opt: &Optimizer<RmsProp>,
    test: &ImageDataset,
    losses: f64,
    run: &mut Run,
) -> Result<(), Box<dyn Error>> {
    let (mut test_loss, mut accuracy) = (0.0, Accuracy::new());
    for batch in test.batches(1000) {
        let tape = Tape::inference();
        let logits = model.forward(tape.constant(batch.x));
        test_loss += f64::from(logits.cross_entropy(&batch.labels).item()) * batch.labels.len() as f64;
        accuracy.update(&logits.value(), &batch.labels);
    }
    let steps = opt.steps() - run.history.last().map_or(0, |point| point.step);
    let point = Point {
        step: opt.steps(),
        loss: losses / steps as f64,
        test_loss: test_loss / test.len() as f64,
        test_accuracy: accuracy.value(),
    };
    println!(
        "step {:>5}  loss {:.4}  test loss {:.4}  test accuracy {:.4}",
        point.step, point.loss, point.test_loss, point.test_accuracy
    );
    run.history.push(point);
    // The checkpoint last: a run that ends between the two writes its metrics again.
    if let Some(file) = &args.metrics {
        let lines = run.history.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        wengert_files::write(file, |out| out.write_all((lines.join("\n") + "\n").as_bytes()))?;
    }
    if let Some(file) = &args.checkpoint {
        checkpoint::save(file, model, opt, run)?;
    }
    Ok(())
}
