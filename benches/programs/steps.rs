//! Steps per second of a training loop, written as a user would write it.
//!
//!     cargo run --release --example bench -- --workload S --threads 1
//!
//! Prints one JSON line. The workloads are three-layer networks 784-h-h'-10 with ReLU under RMSProp (η 1e-3, ρ 0.99) on
//! 8192 fixed rows of noise with random labels: S 128-64 with batches of 32, M 512-512 with 128, M-BN the same with
//! batch norm, L 2048-2048 with 512. The loss is read every 50 steps.

use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use rand::{SeedableRng, rngs::StdRng};
use serde::Serialize;
use wengert::layers::Activation;
use wengert::ndarray::{Array2, s};
use wengert::prelude::*;

const ROWS: usize = 8192;
const INPUT: usize = 784;
const CLASSES: usize = 10;
const LOSS_EVERY: usize = 50;

#[derive(Parser)]
struct Args {
    /// The network and the batch size
    #[arg(long, value_enum)]
    workload: Workload,
    /// Threads for the matrix products
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// At least this long is timed, for each repetition
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Repetitions; the median counts
    #[arg(long, default_value_t = 1)]
    reps: usize,
    /// No more steps than this in all: with random labels, the units of S die after some 6,000 steps
    #[arg(long, default_value_t = 4000)]
    max_steps: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Workload {
    #[value(name = "S")]
    S,
    #[value(name = "M")]
    M,
    #[value(name = "M-BN")]
    MBn,
    #[value(name = "L")]
    L,
}

struct Spec {
    name: &'static str,
    hidden: [usize; 2],
    batch: usize,
    batch_norm: bool,
    warm_up: usize,
}

impl Workload {
    fn spec(self) -> Spec {
        match self {
            Self::S => Spec { name: "S", hidden: [128, 64], batch: 32, batch_norm: false, warm_up: 50 },
            Self::M => Spec { name: "M", hidden: [512, 512], batch: 128, batch_norm: false, warm_up: 20 },
            Self::MBn => Spec { name: "M-BN", hidden: [512, 512], batch: 128, batch_norm: true, warm_up: 20 },
            Self::L => Spec { name: "L", hidden: [2048, 2048], batch: 512, batch_norm: false, warm_up: 3 },
        }
    }
}

#[derive(Serialize)]
struct Line {
    peer: &'static str,
    version: &'static str,
    workload: &'static str,
    threads: usize,
    steps_per_s: f64,
    samples_per_s: f64,
    peak_rss_mb: f64,
    note: &'static str,
    rep_steps_per_s: Vec<f64>,
    steps: usize,
    loss_first: f32,
    loss_last: f32,
}

fn main() {
    let args = Args::parse();
    wengert::set_threads(args.threads).expect("the first pool");
    let spec = args.workload.spec();
    let (x, labels) = data();
    let mut model = network(&spec, &mut StdRng::seed_from_u64(0));
    let mut opt = Optimizer::new(RmsProp { lr: 1e-3, rho: 0.99, ..RmsProp::default() });
    let mut tape = Tape::new();
    let mut losses = Vec::new();
    let mut step = |i: usize| {
        let start = i * spec.batch % ROWS;
        let rows = start..start + spec.batch;
        tape.reset();
        let batch: Tensor = x.slice(s![rows.clone(), ..]).to_owned().into_tensor();
        let loss = model.forward(tape.constant(batch)).cross_entropy(&labels[rows]);
        let grads = loss.backward();
        opt.step(&mut model, &grads);
        if i.is_multiple_of(LOSS_EVERY) {
            losses.push(loss.item());
        }
    };

    let mut steps = 0;
    while steps < spec.warm_up {
        step(steps);
        steps += 1;
    }
    let mut rates = Vec::new();
    while rates.len() < args.reps && steps < args.max_steps {
        let (start, before) = (Instant::now(), steps);
        while steps < args.max_steps
            && (steps == before || start.elapsed() < Duration::from_secs_f64(args.seconds))
        {
            step(steps);
            steps += 1;
        }
        rates.push((steps - before) as f64 / start.elapsed().as_secs_f64());
    }
    let mut sorted = rates.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    let line = Line {
        peer: "wengert",
        version: env!("CARGO_PKG_VERSION"),
        workload: spec.name,
        threads: args.threads,
        steps_per_s: median,
        samples_per_s: median * spec.batch as f64,
        peak_rss_mb: peak_rss_mb(),
        note: "Sequential of Dense and ReLU through the public API",
        rep_steps_per_s: rates,
        steps,
        loss_first: losses[0],
        loss_last: losses[losses.len() - 1],
    };
    println!("{}", serde_json::to_string(&line).expect("numbers and names"));
}

fn network(spec: &Spec, rng: &mut StdRng) -> Sequential {
    let mut model = Sequential::new();
    let mut width = INPUT;
    for hidden in spec.hidden {
        model.push(Dense::new(width, hidden, rng));
        if spec.batch_norm {
            model.push(BatchNorm::new(hidden));
        }
        model.push(Activation::Relu);
        width = hidden;
    }
    model.with(Dense::new(width, CLASSES, rng))
}

/// The rows and labels that every framework is measured on: SplitMix64 of a counter.
fn data() -> (Array2<f32>, Vec<usize>) {
    let unit = |i: u64| (mix(i) >> 40) as f32 / (1u64 << 24) as f32;
    let x = Array2::from_shape_fn((ROWS, INPUT), |(row, column)| unit((row * INPUT + column) as u64));
    let labels = (0..ROWS as u64).map(|row| (mix((1 << 40) + row) % CLASSES as u64) as usize).collect();
    (x, labels)
}

fn mix(i: u64) -> u64 {
    let mut z = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The most memory the process ever had, as Linux tells it; 0 elsewhere.
fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
