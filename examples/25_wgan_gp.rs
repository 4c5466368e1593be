//! Training through a gradient: a critic whose slope is held near 1 (Gulrajani et al., "Improved training of
//! Wasserstein GANs", 2017).
//!
//! As lesson 22, points of eight clusters are to be imitated. The critic's loss has the penalty `λ (‖∇ₓ f‖ - 1)²`. Its
//! gradient by the weights is a derivative of a derivative: how the weights' gradient changes while `x` moves along
//! `∇ₓ f`, one pass on dual numbers. In the end every cluster should be hit, most points should lie near one, and the
//! critic's slope between real and made points should be near 1.

use std::f32::consts::TAU;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::StandardNormal;
use wengert::derivatives::{Dual, grad, value_and_grad, vector_to_gradients};
use wengert::ndarray::{Array1, Axis};
use wengert::prelude::*;

type Number = Dual<f32>;
type Net = Sequential<Number>;

const CLUSTERS: usize = 8;
const SPREAD: f32 = 0.05;
const NOISE: usize = 4;
const BATCH: usize = 64;
const PENALTY: f32 = 0.3;

fn network(inputs: usize, outputs: usize, rng: &mut StdRng) -> Net {
    Sequential::new()
        .with(Dense::new(inputs, 48, rng))
        .with(Activation::Silu)
        .with(Dense::new(48, 48, rng))
        .with(Activation::Silu)
        .with(Dense::new(48, outputs, rng))
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

fn noise(rng: &mut StdRng) -> Tensor<Number> {
    Tensor::from_shape_simple_fn(vec![BATCH, NOISE], || Dual::from(rng.sample::<f32, _>(StandardNormal)))
}

fn made(generator: &Net, rng: &mut StdRng) -> Tensor {
    let tape = Tape::inference();
    Dual::values(&generator.forward(tape.constant(noise(rng))).value())
}

/// The gradient by the critic's weights of `mean f(made) - mean f(real) + λ mean (‖∇ₓ f‖ - 1)²`, and the mean `‖∇ₓ f‖`.
fn critic_gradient(critic: &Net, real: &Tensor, made: &Tensor, rng: &mut StdRng) -> (Array1<Number>, f32) {
    let (_, distance) = value_and_grad(critic, |critic, tape| {
        let mean = |points: &Tensor| critic.forward(tape.constant(points.mapv(Dual::from))).mean();
        mean(made) - mean(real)
    });
    // Somewhere on the line between a real and a made point.
    let mut between = real.clone();
    for (mut x, made) in between.rows_mut().into_iter().zip(made.rows()) {
        let share = rng.random_range(0.0..1.0);
        x.zip_mut_with(&made, |x, &made| *x += share * (made - *x));
    }
    let slopes = grad(|x| critic.forward(x[0]).sum(), &[between.mapv(Dual::from).into_shared()]).remove(0);
    let mut direction = Dual::values(&slopes);
    let mut mean_length = 0.0;
    for mut slope in direction.rows_mut() {
        let length = slope.dot(&slope).sqrt();
        mean_length += length / BATCH as f32;
        // The penalty's derivative by the slope.
        slope.mapv_inplace(|s| 2.0 * PENALTY / BATCH as f32 * (length - 1.0) / length.max(1e-6) * s);
    }
    let (_, penalty) = value_and_grad(critic, |critic, tape| {
        critic.forward(tape.constant(Dual::tensor(&between, &direction))).sum()
    });
    let gradient = distance.iter().zip(&penalty).map(|(d, p)| Dual::from(d.value + p.tangent)).collect();
    (gradient, mean_length)
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let (mut generator, mut critic) = (network(NOISE, 2, rng), network(2, 1, rng));
    let rule = Adam { lr: 3e-3, beta1: 0.5, beta2: 0.9, ..Adam::default() };
    let (mut of_generator, mut of_critic) = (Optimizer::new(rule), Optimizer::new(rule));
    let mut lengths = Vec::new();
    let steps = 4000;
    for step in 0..steps {
        let lr = 3e-3 * (1.0 - f64::from(step) / f64::from(steps));
        of_generator.rule_mut().lr = lr;
        of_critic.rule_mut().lr = lr;
        for _ in 0..4 {
            let (real, made) = (real(rng), made(&generator, rng));
            let (gradient, length) = critic_gradient(&critic, &real, &made, rng);
            let grads = vector_to_gradients(&gradient, &critic);
            of_critic.step(&mut critic, &grads);
            lengths.push(length);
        }
        let noise = noise(rng);
        critic.freeze("*");
        let (_, gradient) = value_and_grad(&generator, |generator, tape| {
            -critic.forward(generator.forward(tape.constant(noise))).mean()
        });
        critic.unfreeze("*");
        let grads = vector_to_gradients(&gradient, &generator);
        of_generator.step(&mut generator, &grads);
    }

    let (mut near, mut hits) = (0, [0; CLUSTERS]);
    for point in
        (0..16).map(|_| made(&generator, rng)).collect::<Vec<_>>().iter().flat_map(|x| x.axis_iter(Axis(0)))
    {
        for (cluster, hit) in hits.iter_mut().enumerate() {
            let [x, y] = center(cluster);
            if (point[0] - x).hypot(point[1] - y) < 5.0 * SPREAD {
                near += 1;
                *hit += 1;
            }
        }
    }
    let share = 100.0 * near as f32 / (16 * BATCH) as f32;
    let late = &lengths[lengths.len() - 1000..];
    let length = late.iter().sum::<f32>() / late.len() as f32;
    println!("{share:.0} % of the points lie near a cluster, {hits:?} by cluster");
    println!("the critic's mean slope is {length:.2}");
    assert!(share > 60.0, "only {share} % lie near a cluster");
    assert!(hits.iter().all(|&hit| hit > 0), "a cluster was not hit: {hits:?}");
    assert!((0.7..1.3).contains(&length), "the slope is {length}");
}
