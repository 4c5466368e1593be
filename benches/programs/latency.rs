//! Inference through the public API: how long one image takes, and how many a second go through.
//!
//!     cargo run --release --example latency -- --threads 1
//!     cargo run --release --example latency -- --clients 2
//!     cargo run --release --example latency -- --prepared
//!
//! The network is the default one of the mnist example (784-256-128-10, batch norm, ReLU, dropout) with fresh weights.
//! A call takes rows of an ordinary array to an array of logits; each thread resets one tape between its calls. Prints
//! one JSON line for calls of one image and one for calls of 256; or, with `--clients N`, one for N threads of the
//! operating system that share the model, each calling with one image at a time. With `--prepared` the model is a
//! `Prepared`, which needs no tape.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use wengert::layers::{Activation, Prepared};
use wengert::ndarray::{Array2, s};
use wengert::prelude::*;

const ROWS: usize = 1024;
const INPUT: usize = 784;
const HIDDEN: [usize; 2] = [256, 128];
const CLASSES: usize = 10;
const BATCH: usize = 256;

#[derive(Parser)]
struct Args {
    /// Threads for the matrix products
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Measure this many threads that share the model, and nothing else
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    clients: Option<u16>,
    /// Prepare the model for inference first
    #[arg(long)]
    prepared: bool,
    /// How long each measurement goes on, after a tenth of it to warm up
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

fn main() {
    let args = Args::parse();
    wengert::set_threads(args.threads).expect("the first pool");
    let rng = &mut StdRng::seed_from_u64(0);
    let model = Model::new(network(rng), args.prepared);
    let images = Array2::from_shape_simple_fn((ROWS, INPUT), || rng.random::<f32>());
    let seconds = Duration::from_secs_f64(args.seconds);
    let print = |mut line: Value| {
        line["peer"] = json!(if args.prepared { "wengert prepared" } else { "wengert" });
        line["version"] = json!(env!("CARGO_PKG_VERSION"));
        line["kind"] = json!("inference");
        line["threads"] = json!(args.threads);
        println!("{line}");
    };

    if let Some(n) = args.clients {
        let images_per_s = clients(n.into(), &model, &images, seconds);
        print(json!({ "workload": format!("{n} clients"), "images_per_s": images_per_s }));
        return;
    }
    let times = measure(&model, &images, 1, seconds);
    let quantile = |q: f64| times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e6;
    let (median, p99) = (quantile(0.5), quantile(0.99));
    print(json!({ "workload": "batch 1", "median_us": median, "p99_us": p99, "calls": times.len() }));

    let times = measure(&model, &images, BATCH, seconds);
    let images_per_s = (BATCH * times.len()) as f64 / times.iter().sum::<Duration>().as_secs_f64();
    print(json!({ "workload": "batch 256", "images_per_s": images_per_s, "calls": times.len() }));
}

fn network(rng: &mut StdRng) -> Sequential {
    let mut model = Sequential::new();
    let mut width = INPUT;
    for hidden in HIDDEN {
        model.push(Dense::new(width, hidden, rng));
        model.push(BatchNorm::new(hidden));
        model.push(Activation::Relu);
        model.push(Dropout::new(0.2));
        width = hidden;
    }
    model.with(Dense::new(width, CLASSES, rng))
}

enum Model {
    Layers(Sequential),
    Prepared(Prepared),
}

impl Model {
    fn new(layers: Sequential, prepared: bool) -> Self {
        if prepared {
            Self::Prepared(Prepared::new(&layers).expect("dense layers"))
        } else {
            Self::Layers(layers)
        }
    }

    /// The `i`-th call with `batch` rows: what a server would do with a request.
    fn call(&self, tape: &mut Tape, images: &Array2<f32>, i: usize, batch: usize) -> Tensor {
        let start = i * batch % ROWS;
        let rows = images.slice(s![start..start + batch, ..]);
        match self {
            Self::Layers(layers) => {
                let rows = rows.to_owned().into_dyn();
                tape.reset();
                layers.forward(tape.constant(rows)).value()
            }
            Self::Prepared(prepared) => prepared.predict(rows).into_dyn().into_shared(),
        }
    }
}

/// The time of every call, in rising order.
fn measure(model: &Model, images: &Array2<f32>, batch: usize, seconds: Duration) -> Vec<Duration> {
    let mut tape = Tape::inference();
    let mut run = |seconds: Duration| {
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < seconds {
            let before = Instant::now();
            black_box(model.call(&mut tape, images, times.len(), batch));
            times.push(before.elapsed());
        }
        times
    };
    run(seconds / 10);
    let mut times = run(seconds);
    times.sort();
    times
}

/// Images per second of `n` threads together.
fn clients(n: usize, model: &Model, images: &Array2<f32>, seconds: Duration) -> f64 {
    let together = Barrier::new(n);
    let client = || {
        let mut tape = Tape::inference();
        let mut run = |seconds: Duration| {
            let (start, mut calls) = (Instant::now(), 0);
            while start.elapsed() < seconds {
                black_box(model.call(&mut tape, images, calls, 1));
                calls += 1;
            }
            calls as f64 / start.elapsed().as_secs_f64()
        };
        run(seconds / 10);
        together.wait();
        run(seconds)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n).map(|_| scope.spawn(client)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}
