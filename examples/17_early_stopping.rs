//! Stops before the network learns the noise, and predicts in another program.
//!
//! Shows `EarlyStopping` on a validation part, the standardisation saved in the file of the best network, and both read
//! back by a program that has seen no training data: this one starts itself again for it. 60 noisy points of a sine are
//! learnt by far too many neurons. Training should stop before the last of 2000 epochs, the network that was saved
//! should be better on new points than the one at the end, and the other program's predictions should be the same to
//! the last bit.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use wengert::data::{Dataset, Standardization, split};
use wengert::metrics::Regression;
use wengert::ndarray::{Array2, Axis};
use wengert::optim::checkpoint::{self, Checkpoint};
use wengert::optim::{EarlyStopping, Goal};
use wengert::prelude::*;

const EPOCHS: u32 = 2000;

/// `x` somewhere between 100 and 106, `sin(x)` with noise.
fn points(n: usize, noise: f32, rng: &mut StdRng) -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_simple_fn((n, 1), || rng.random_range(100.0..106.0));
    let y = x.mapv(|x: f32| {
        let normal: f32 = StandardNormal.sample(rng);
        x.sin() + noise * normal
    });
    (x, y)
}

fn network() -> Sequential {
    let rng = &mut StdRng::seed_from_u64(1);
    Sequential::new()
        .with(Dense::new(1, 256, rng))
        .with(Activation::Tanh)
        .with(Dense::new(256, 256, rng))
        .with(Activation::Tanh)
        .with(Dense::new(256, 1, rng))
}

fn predict(net: &Sequential, by: &Standardization, x: &Array2<f32>) -> Tensor {
    let tape = Tape::inference();
    net.forward(tape.constant(by.apply(x))).value()
}

fn error(net: &Sequential, by: &Standardization, (x, y): &(Array2<f32>, Array2<f32>)) -> f64 {
    let mut errors = Regression::default();
    errors.update(&predict(net, by, x), y);
    errors.mse()
}

/// Where the other program is asked.
fn questions() -> Array2<f32> {
    Array2::from_shape_fn((20, 1), |(i, _)| 100.0 + 0.3 * i as f32)
}

/// The other program: it knows the file, and what the network looks like.
fn answer(file: &Path) -> Result<(), Box<dyn Error>> {
    let mut net = network();
    checkpoint::load_weights(file, &mut net)?;
    let by: Standardization = Checkpoint::read(file)?.extra()?;
    for prediction in predict(&net, &by, &questions()) {
        println!("{}", prediction.to_bits());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(file) = env::args_os().nth(1) {
        return answer(Path::new(&file));
    }
    let rng = &mut StdRng::seed_from_u64(0);
    let (x, y) = points(60, 0.4, rng);
    let (train, valid) = split::random(60, 0.6, rng);
    let by = Standardization::fit(&x.select(Axis(0), &train))?;
    let data = Dataset::new(by.rows(x.clone()), y.clone())?.subset(&train);
    let validation = (x.select(Axis(0), &valid), y.select(Axis(0), &valid));

    let directory = tempfile::tempdir()?;
    let file = directory.path().join("best.wgt");
    let (mut net, mut opt, mut tape) = (network(), Optimizer::new(Adam::default()), Tape::new());
    let mut stopping = EarlyStopping { patience: 200, goal: Goal::Min, ..EarlyStopping::default() };
    let mut best = (0, net.clone());
    let mut last = EPOCHS;
    for epoch in 1..=EPOCHS {
        for batch in data.batches(12).shuffle(rng) {
            tape.reset();
            let loss = net.forward(tape.constant(batch.x)).mse(tape.constant(batch.y));
            opt.step(&mut net, &loss.backward());
        }
        let stop = stopping.should_stop(error(&net, &by, &validation));
        if stopping.waited == 0 {
            checkpoint::save(&file, &net, &opt, &by)?;
            best = (epoch, net.clone());
        }
        if stop {
            last = epoch;
            break;
        }
    }
    let new = points(2000, 0.0, rng);
    let errors = [&best.1, &net].map(|net| error(net, &by, &new));
    println!("best in epoch {}, stopped after {last}", best.0);
    println!("mean squared error on new points: {:.4} then, {:.4} at the end", errors[0], errors[1]);
    assert!(last < EPOCHS, "it should have stopped before the end");
    assert!(errors[0] < errors[1], "the network that was saved should be the better one");

    let output = Command::new(env::current_exe()?).arg(&file).output()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let other: Vec<u32> =
        String::from_utf8(output.stdout)?.lines().map(str::parse).collect::<Result<_, _>>()?;
    let own: Vec<u32> = predict(&best.1, &by, &questions()).iter().map(|x| x.to_bits()).collect();
    assert_eq!(own, other, "not the bits that this program predicts");
    println!("the other program predicts the same, bit for bit");
    Ok(())
}
