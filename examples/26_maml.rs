//! Learning to learn: a start from which one step suffices (Finn et al., "Model-Agnostic Meta-Learning", 2017).
//!
//! A task is a sine wave of its own amplitude and phase, ten points of it to learn from and ten to be measured on. The
//! gradient of the loss *after* one step is `(I - α H) g'`, with the Hessian before the step and the gradient after it:
//! one product. First order leaves `H` out. On new waves, one step from such a start should leave at most a third of
//! what one step leaves from a start that was trained on all waves at once, and the least if `H` was not left out.

use std::f32::consts::PI;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::derivatives::{
    Dual, hvp, lift, parameters_to_vector, value_and_grad, vector_to_gradients, vector_to_parameters,
};
use wengert::ndarray::Array2;
use wengert::prelude::*;

/// The rate of the one step.
const ALPHA: f32 = 0.03;
const SHOTS: usize = 10;
const TASKS_PER_STEP: usize = 8;
const STEPS: usize = 3000;

fn network<F: Real>(seed: u64) -> Sequential<F> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Sequential::new()
        .with(Dense::new(1, 40, rng))
        .with(Activation::Tanh)
        .with(Dense::new(40, 40, rng))
        .with(Activation::Tanh)
        .with(Dense::new(40, 1, rng))
}

struct Points {
    x: Array2<f32>,
    y: Array2<f32>,
}

impl Points {
    fn loss<'t, F: Real>(&self, net: &Sequential<F>, tape: &'t Tape<F>) -> Var<'t, F> {
        let of = |x: &Array2<f32>| tape.constant(x.mapv(|x| F::from_f64(x.into())));
        net.forward(of(&self.x)).mse(of(&self.y))
    }
}

/// The points to learn from and those to be measured on.
fn task(rng: &mut StdRng) -> [Points; 2] {
    let (amplitude, phase) = (rng.random_range(0.5..3.0), rng.random_range(0.0..PI));
    [(); 2].map(|()| {
        let x = Array2::from_shape_simple_fn((SHOTS, 1), || rng.random_range(-3.0..3.0));
        let y = x.mapv(|x: f32| amplitude * (x + phase).sin());
        Points { x, y }
    })
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    AllAtOnce,
    FirstOrder,
    SecondOrder,
}

fn train(start: Start) -> Sequential {
    let rng = &mut StdRng::seed_from_u64(1);
    let (mut net, mut moved) = (network::<f32>(0), network::<f32>(0));
    let mut dual = network::<Dual<f32>>(0);
    let mut opt = Optimizer::new(Adam { lr: 3e-3, ..Adam::default() });
    for step in 0..STEPS {
        opt.rule_mut().lr = 3e-3 * (1.0 - step as f64 / STEPS as f64);
        lift(&net, &mut dual).expect("one network");
        let at = parameters_to_vector(&net);
        let mut sum = at.mapv(|_| 0.0);
        for _ in 0..TASKS_PER_STEP {
            let [learn, measure] = task(rng);
            if start == Start::AllAtOnce {
                sum += &value_and_grad(&net, |net, tape| measure.loss(net, tape)).1;
                continue;
            }
            let (_, before) = value_and_grad(&net, |net, tape| learn.loss(net, tape));
            vector_to_parameters(&(&at - &(before * ALPHA)), &mut moved);
            let (_, after) = value_and_grad(&moved, |net, tape| measure.loss(net, tape));
            sum += &after;
            if start == Start::SecondOrder {
                sum.scaled_add(-ALPHA, &hvp(&mut dual, &after, |net, tape| learn.loss(net, tape)).product);
            }
        }
        let grads = vector_to_gradients(&(sum / TASKS_PER_STEP as f32), &net);
        opt.step(&mut net, &grads);
    }
    net
}

/// The mean loss on new tasks after one step.
fn after_a_step(net: &Sequential) -> f32 {
    let rng = &mut StdRng::seed_from_u64(2);
    let mut moved = network::<f32>(0);
    let losses = (0..500).map(|_| {
        let [learn, measure] = task(rng);
        let (_, gradient) = value_and_grad(net, |net, tape| learn.loss(net, tape));
        vector_to_parameters(&(parameters_to_vector(net) - gradient * ALPHA), &mut moved);
        measure.loss(&moved, &Tape::inference()).item()
    });
    losses.sum::<f32>() / 500.0
}

fn main() {
    let [all, first, second] = [Start::AllAtOnce, Start::FirstOrder, Start::SecondOrder].map(|start| {
        let loss = after_a_step(&train(start));
        println!("{start:?}: mean square error {loss:.3} after one step on a new wave");
        loss
    });
    assert!(first < all / 3.0, "first order: {first} against {all}");
    assert!(second < first, "second order: {second} against {first}");
}
