//! LeNet-5 on MNIST, the form of PyTorch's tutorial: how long an epoch takes, and what it reads.
//!
//! `cargo run --release -p wengert-benches --example lenet -- DIR`, with MNIST's four files in DIR. The same in PyTorch
//! is `benches/peers/lenet_torch.py`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use rand::{SeedableRng, rngs::StdRng};
use wengert::data::metrics::Accuracy;
use wengert::data::{ImageDataset, mnist};
use wengert::layers::{Conv2d, Flatten, MaxPool2d};
use wengert::optim::Schedule;
use wengert::prelude::*;

#[derive(Parser)]
struct Args {
    /// MNIST's four files.
    dir: PathBuf,
    #[arg(long, default_value_t = 1)]
    epochs: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Adam's rate.
    #[arg(long, default_value_t = 3e-4)]
    lr: f64,
    /// Let the rate fall to zero, along half a cosine.
    #[arg(long)]
    cosine: bool,
}

const BATCH: usize = 128;

/// 28 × 28 → 6 × 12 × 12 → 16 × 4 × 4 → 120 → 84 → 10.
fn lenet(rng: &mut StdRng) -> Sequential {
    Sequential::new()
        .with(Conv2d::new(1, 6, [5, 5], rng))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Conv2d::new(6, 16, [5, 5], rng))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Flatten)
        .with(Dense::new(256, 120, rng))
        .with(Activation::Relu)
        .with(Dense::new(120, 84, rng))
        .with(Activation::Relu)
        .with(Dense::new(84, 10, rng))
}

fn images<'t>(tape: &'t Tape, batch: &wengert::data::Batch) -> Var<'t> {
    tape.constant(batch.x.clone()).reshape(&[batch.labels.len(), 1, 28, 28])
}

/// The share of the images that are read correctly.
fn accuracy(net: &Sequential, data: &ImageDataset) -> f64 {
    let mut tape = Tape::inference();
    let mut accuracy = Accuracy::new();
    for batch in data.batches(500) {
        tape.reset();
        accuracy.update(&net.forward(images(&tape, &batch)).value(), &batch.labels);
    }
    accuracy.value()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    wengert::set_threads(args.threads)?;
    let data = mnist::load(&args.dir)?;
    let rng = &mut StdRng::seed_from_u64(args.seed);
    let mut net = lenet(rng);
    let mut opt = Optimizer::new(Adam { lr: args.lr, ..Adam::default() });
    let steps = (args.epochs * data.train.len().div_ceil(BATCH)) as u64;
    let lr = if args.cosine { Schedule::cosine(args.lr, 0.0, steps) } else { Schedule::constant(args.lr) };
    let mut tape = Tape::new();
    for epoch in 1..=args.epochs {
        let start = Instant::now();
        for batch in data.train.batches(BATCH).shuffle(rng) {
            tape.reset();
            opt.rule_mut().lr = lr.at(opt.steps());
            let grads = net.forward(images(&tape, &batch)).cross_entropy(&batch.labels).backward();
            opt.step(&mut net, &grads);
        }
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "epoch {epoch}: {seconds:.3} s with {} threads, reads {:.2} % of the test images",
            args.threads,
            100.0 * accuracy(&net, &data.test)
        );
    }
    Ok(())
}
