//! A GRU and an LSTM of 64 units over 50 steps of 32 sequences: microseconds per training step, forward and backward.
//!
//! `cargo run --release -p wengert-benches --example recurrent`; the same in PyTorch is
//! `benches/peers/recurrent_torch.py`.

use std::time::Instant;

use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::layers::{Gru, Lstm};
use wengert::prelude::*;

const STEPS: usize = 50;
const BATCH: usize = 32;
const INPUTS: usize = 64;
const UNITS: usize = 64;

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Training steps of each of five rounds.
    #[arg(long, default_value_t = 200)]
    steps: usize,
}

/// The median of five rounds.
fn measure(name: &str, layer: &impl Layer, steps: usize) {
    let rng = &mut StdRng::seed_from_u64(1);
    let x = Tensor::from_shape_simple_fn(vec![STEPS, BATCH, INPUTS], || rng.random_range(-1.0..1.0));
    let mut tape = Tape::new();
    let mut rounds: Vec<_> = (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..steps {
                tape.reset();
                drop(layer.forward(tape.constant(x.clone())).square().mean().backward());
            }
            start.elapsed().as_secs_f64() / steps as f64
        })
        .collect();
    rounds.sort_unstable_by(f64::total_cmp);
    println!("{name}: {:.0} µs", 1e6 * rounds[2]);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    wengert::set_threads(args.threads)?;
    let rng = &mut StdRng::seed_from_u64(0);
    measure("GRU", &Gru::new(INPUTS, UNITS, rng), args.steps);
    measure("LSTM", &Lstm::new(INPUTS, UNITS, rng), args.steps);
    Ok(())
}
