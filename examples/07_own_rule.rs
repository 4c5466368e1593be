//! A rule of your own: the arithmetic on one tensor. Names, groups and the walk over the model come with `Optimizer`.
//!
//! Shows `Rule` with a state of named fields, here Signum: every element moves by the rate, in the direction that the
//! moving average of its gradient has. Should tell the 200 points of two clouds apart, take a first step of the length
//! of the rate, and leave alone what never has a gradient.

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use wengert::ndarray::{Array2, Axis};
use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::*;

/// Signum (Bernstein et al., "signSGD: Compressed Optimisation for Non-Convex Problems", 2018):
///
/// ```text
/// m ← β m + (1 - β) g         m starts at 0
/// p ← p - η sign(m)           sign(0) = 0
/// ```
#[derive(Clone, Debug)]
struct Signum {
    lr: f64,
    beta: f64,
}

#[derive(Clone, Debug)]
struct Memory<F: Real> {
    m: Tensor<F>,
    steps: u64,
}

state!(Memory { m, steps });

impl<F: Real> Rule<F> for Signum {
    const NAME: &'static str = "Signum";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        let fits = (0.0..1.0).contains(&self.beta);
        InvalidHyperparameter::unless(fits, "beta", self.beta, "at least 0 and below 1")
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { m: Tensor::zeros(param.raw_dim()), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        // 1 - β before it is rounded: in f32, 1 - 0.999 would be wrong in the fifth digit.
        let [lr, beta, fresh] = [self.lr, self.beta, 1.0 - self.beta].map(F::from_f64);
        state.steps += 1;
        state.m.zip_mut_with(grad, |m, &g| *m = beta * *m + fresh * g);
        // Not `signum`, which is 1 at 0: an element without a gradient would move.
        param.zip_mut_with(&state.m, |p, &m| *p -= lr * m.sign());
    }
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    // Two clouds of points around (-2, -2) and (2, 2), and a third coordinate that is always 0: no gradient there.
    let labels: Vec<usize> = (0..200).map(|i| i % 2).collect();
    let points = Array2::from_shape_fn((200, 3), |(i, j)| {
        let noise: f32 = StandardNormal.sample(rng);
        if j == 2 { 0.0 } else { [-2.0, 2.0][labels[i]] + 0.7 * noise }
    });
    let points: Tensor = points.into_tensor();

    let mut model: Dense = Dense::new(3, 2, rng);
    let start = model.weight.value().clone();
    let mut opt = Optimizer::new(Signum { lr: 0.01, beta: 0.9 });
    let mut tape = Tape::new();
    for _ in 0..100 {
        tape.reset();
        let grads = model.forward(tape.constant(points.clone())).cross_entropy(&labels).backward();
        opt.step(&mut model, &grads);
        if opt.steps() == 1 {
            let moved = (model.weight.value() - &start).abs();
            let expected: Tensor = [0.01, 0.01, 0.0].into_tensor();
            let as_far = (&moved - &expected).iter().all(|off| off.abs() < 1e-6);
            assert!(as_far, "in the first step the weights moved by {moved}, not by the rate");
        }
    }

    let tape = Tape::inference();
    let logits = model.forward(tape.constant(points)).value();
    let correct =
        logits.rows().into_iter().zip(&labels).filter(|(row, label)| usize::from(row[1] > row[0]) == **label);
    let correct = correct.count();
    println!("{correct} of 200 correct");
    assert_eq!(correct, 200, "the clouds should be told apart");
    let idle = |weight: &Tensor| weight.select(Axis(1), &[2]);
    assert_eq!(idle(model.weight.value()), idle(&start), "a weight without a gradient moved");
    for (name, state) in opt.states() {
        println!("{name}: after {} steps m = {:.5}", state.steps, state.m);
    }
}
