//! Two networks, two optimizers, one game (Goodfellow et al., 2014).
//!
//! A generator turns noise into points, a discriminator tells them from the points of eight clusters on a circle. Each
//! step has two halves; in the second the gradient flows through the discriminator into the generator, and only the
//! generator takes a step. In the end at least 85 of 100 points
//! should lie near a cluster, and every cluster should be hit.

use std::f32::consts::TAU;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::StandardNormal;
use wengert::prelude::*;

const CLUSTERS: usize = 8;
const SPREAD: f32 = 0.05;
const NOISE: usize = 8;
const BATCH: usize = 128;

fn network(inputs: usize, outputs: usize, rng: &mut StdRng) -> Sequential {
    Sequential::new()
        .with(Dense::new(inputs, 64, rng))
        .with(Activation::LeakyRelu(0.2))
        .with(Dense::new(64, 64, rng))
        .with(Activation::LeakyRelu(0.2))
        .with(Dense::new(64, outputs, rng))
}

fn center(cluster: usize) -> [f32; 2] {
    let angle = TAU * cluster as f32 / CLUSTERS as f32;
    [angle.cos(), angle.sin()]
}

fn real(rng: &mut StdRng) -> Tensor {
    let mut points = Tensor::zeros(vec![BATCH, 2]);
    for mut row in points.rows_mut() {
        for (x, center) in row.iter_mut().zip(center(rng.random_range(0..CLUSTERS))) {
            *x = center + SPREAD * rng.sample::<f32, _>(StandardNormal);
        }
    }
    points
}

fn noise(rng: &mut StdRng) -> Tensor {
    Tensor::from_shape_simple_fn(vec![BATCH, NOISE], || rng.sample(StandardNormal))
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let (mut generator, mut discriminator) = (network(NOISE, 2, rng), network(2, 1, rng));
    let rule = |lr| Adam { lr, beta1: 0.5, ..Adam::default() };
    let (mut generators, mut discriminators) = (Optimizer::new(rule(5e-4)), Optimizer::new(rule(1e-3)));
    let mut tape = Tape::new();
    for step in 1..=8000 {
        // Real is 1, made is 0. `detach`: the generator is not asked here.
        tape.reset();
        let made = generator.forward(tape.constant(noise(rng))).detach();
        let (ones, zeros) = (Tensor::ones(vec![BATCH, 1]), Tensor::zeros(vec![BATCH, 1]));
        let on_real =
            discriminator.forward(tape.constant(real(rng))).bce_with_logits(tape.constant(ones.clone()));
        let on_made = discriminator.forward(made).bce_with_logits(tape.constant(zeros));
        let grads = (on_real + on_made).backward();
        discriminators.step(&mut discriminator, &grads);

        // The generator wants its points to be taken for real.
        tape.reset();
        let made = generator.forward(tape.constant(noise(rng)));
        let fooled = discriminator.forward(made).bce_with_logits(tape.constant(ones));
        let grads = fooled.backward();
        generators.step(&mut generator, &grads);
        if step % 1000 == 0 {
            println!("step {step}: the generator's loss is {:.2}", fooled.item());
        }
    }

    let tape = Tape::inference();
    let mut hits = [0; CLUSTERS];
    for _ in 0..8 {
        let points = generator.forward(tape.constant(noise(rng))).value();
        for point in points.rows() {
            let near = |&cluster: &usize| {
                let [x, y] = center(cluster);
                (point[0] - x).hypot(point[1] - y) < 5.0 * SPREAD
            };
            if let Some(cluster) = (0..CLUSTERS).find(near) {
                hits[cluster] += 1;
            }
        }
    }
    let share = hits.iter().sum::<usize>() as f64 / (8 * BATCH) as f64;
    println!("{:.0} % of the points are near a cluster: {hits:?}", 100.0 * share);
    assert!(share > 0.85 && hits.iter().all(|&hits| hits > 0), "{share}: {hits:?}");
}
