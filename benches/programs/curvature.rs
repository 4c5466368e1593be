//! What a product with the Hessian costs beside a gradient, by turns, on the networks of the program `bench`.
//!
//!     cargo run --release --example curvature -- --workload S --threads 1
//!
//! Prints the median time of a gradient and of a product, the memory that the first of each takes at most, and both
//! quotients.

use std::time::Instant;

use cap::Cap;
use clap::Parser;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert::autodiff::Real;
use wengert::derivatives::{Dual, hvp, lift, value_and_grad};
use wengert::layers::Activation;
use wengert::ndarray::{Array1, Array2};
use wengert::prelude::*;

#[global_allocator]
static MEMORY: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

#[derive(Parser)]
struct Args {
    /// S, M or M-BN
    #[arg(long)]
    workload: String,
    /// Threads for the matrix products
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Pairs of measurements
    #[arg(long, default_value_t = 30)]
    reps: usize,
}

const WORKLOADS: [(&str, [usize; 2], usize, bool); 3] =
    [("S", [128, 64], 32, false), ("M", [512, 512], 128, false), ("M-BN", [512, 512], 128, true)];

fn net<F: Real>([first, second]: [usize; 2], norm: bool) -> Sequential<F> {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut net = Sequential::new();
    for (inputs, outputs) in [(784, first), (first, second)] {
        net = net.with(Dense::new(inputs, outputs, rng));
        net = if norm { net.with(BatchNorm::new(outputs)) } else { net };
        net = net.with(Activation::Relu);
    }
    net.with(Dense::new(second, 10, rng))
}

/// What `f` takes, in seconds.
fn seconds<R>(f: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    std::hint::black_box(f());
    start.elapsed().as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    let args = Args::parse();
    wengert::set_threads(args.threads).expect("the first to ask for threads");
    let known = WORKLOADS.iter().find(|(name, ..)| *name == args.workload);
    let &(name, hidden, batch, norm) = known.expect("a workload: S, M or M-BN");
    let rng = &mut StdRng::seed_from_u64(1);
    let x = Array2::from_shape_simple_fn((batch, 784), || rng.random_range(-1.0_f32..1.0));
    let labels: Vec<usize> = (0..batch).map(|_| rng.random_range(0..10)).collect();
    let model = net::<f32>(hidden, norm);
    let mut dual = net::<Dual<f32>>(hidden, norm);
    lift(&model, &mut dual).expect("one network");
    let v = Array1::from_shape_simple_fn(model.parameter_count(), || rng.random_range(-1.0_f32..1.0));
    let gradient = || {
        value_and_grad(&model, |model, tape| model.forward(tape.constant(x.view())).cross_entropy(&labels))
    };
    let mut product = || {
        hvp(&mut dual, &v, |model, tape| {
            model.forward(tape.constant(x.mapv(Dual::from))).cross_entropy(&labels)
        })
    };
    // Beside the models and the batch.
    let before = MEMORY.allocated();
    gradient();
    let memory = MEMORY.max_allocated() - before;
    product();
    let dual_memory = MEMORY.max_allocated() - before;
    let (mut gradients, mut products) = (Vec::new(), Vec::new());
    for _ in 0..args.reps {
        gradients.push(seconds(gradient));
        products.push(seconds(&mut product));
    }
    let (time, dual_time) = (median(gradients), median(products));
    println!(
        "{name}: gradient {:.3} ms, product {:.3} ms, {:.2} times; {:.2} MB and {:.2} MB, {:.2} times",
        time * 1e3,
        dual_time * 1e3,
        dual_time / time,
        memory as f64 / 1e6,
        dual_memory as f64 / 1e6,
        dual_memory as f64 / memory as f64,
    );
}
