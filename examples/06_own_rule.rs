//! A rule of one's own: the arithmetic on one tensor; names, groups and the walk over the model come with `Optimizer`.
//!
//! Shows `Rule` with a state of named fields, here SignSGD with majority memory: the direction is the sign of a running
//! mean of the gradient. Should fit the two clouds to 100 % and print the state it kept under each parameter's name.

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use wengert::layers::Dense;
use wengert::ndarray::Array2;
use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::*;

/// `m ← β m + (1 - β) g`, `p ← p - η sign(m)`.
#[derive(Clone, Debug)]
struct SignMomentum {
    lr: f64,
    beta: f64,
}

#[derive(Clone, Debug)]
struct Memory<F: Real> {
    m: Tensor<F>,
    steps: u64,
}

state!(Memory { m, steps });

impl<F: Real> Rule<F> for SignMomentum {
    const NAME: &'static str = "SignMomentum";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        let fits = (0.0..1.0).contains(&self.beta);
        InvalidHyperparameter::unless(fits, "beta", self.beta, "at least 0 and below 1")
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { m: Tensor::zeros(param.raw_dim()), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        // 1 - β before it is rounded: in `f32` the difference would be wrong in the fifth digit where β is 0.999.
        let [lr, beta, fresh] = [self.lr, self.beta, 1.0 - self.beta].map(F::from_f64);
        state.steps += 1;
        state.m.zip_mut_with(grad, |m, &g| *m = beta * *m + fresh * g);
        param.zip_mut_with(&state.m, |p, &m| *p -= lr * m.sign()); // and not `signum`, which is 1 at 0
    }
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    // Two clouds of points around (-2, -2) and (2, 2).
    let labels: Vec<usize> = (0..200).map(|i| i % 2).collect();
    let points = Array2::from_shape_fn((200, 2), |(i, _)| {
        let noise: f32 = StandardNormal.sample(rng);
        [-2.0, 2.0][labels[i]] + 0.7 * noise
    });
    let points: Tensor = points.into_tensor();

    let mut model: Dense = Dense::new(2, 2, rng);
    let mut opt = Optimizer::new(SignMomentum { lr: 0.01, beta: 0.9 });
    let mut tape = Tape::new();
    for _ in 0..100 {
        tape.reset();
        let grads = model.forward(tape.constant(points.clone())).cross_entropy(&labels).backward();
        opt.step(&mut model, &grads);
    }

    let tape = Tape::inference();
    let logits = model.forward(tape.constant(points)).value();
    let correct =
        logits.rows().into_iter().zip(&labels).filter(|(row, label)| usize::from(row[1] > row[0]) == **label);
    println!("{} of 200 correct", correct.count());
    for (name, state) in opt.states() {
        println!("{name}: after {} steps m = {:.5}", state.steps, state.m);
    }
}
