//! A majority and a minority, 95 : 5, that follow different rules: does the minority gain from an adaptive optimizer?
//!
//! The groups' losses are compared when the majority's, on people not seen in training, first is a given goal: which
//! optimizer is faster, or has the better rate, then does not matter. The means over five seeds should be about these:
//!
//! - A linear model with features of its own for each group, goal 0.1: yes. The minority's loss is 0.31 under SGD, and
//!   half of that, 0.15 and 0.16, under AdaGrad and RMSProp. Its weights have gradients 19 times smaller, and these
//!   two divide by the gradients' size.
//! - A network that shares its hidden layer, goal 0.1: no. The minority is judged by the majority's rule, with a loss
//!   of about 2 under all three, far worse than the ln 2 of not knowing. The optimizer scales weights, not groups.
//! - The same network later, goal 0.05: 0.56 under SGD, 0.43 under AdaGrad, 0.52 under RMSProp. AdaGrad gains; with
//!   RMSProp the difference is small against that between seeds (over 15 seeds: 0.62, 0.43 and 0.46).
//!
//! In no case is the minority as well off as the majority.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use wengert::ndarray::Array2;
use wengert::optim::AdaGrad;
use wengert::prelude::*;

/// What is known of a person.
const FEATURES: usize = 10;
const BATCH: usize = 100;
const MINORITY: f64 = 0.05;
const SEEDS: u64 = 5;

/// Inputs `[n, …]` and labels.
struct People {
    x: Tensor,
    labels: Vec<usize>,
}

/// How the group enters the input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Input {
    /// A block of features for each group, of which one is 0; for a linear model, which then learns a rule for each.
    Blocks,
    /// The features and one column that says the group; for a network, which shares its hidden layer between both.
    Flag,
}

/// `n` people, each in the minority with probability `minority`. The majority's label is the sign of the sum of the
/// first five features, the minority's that of the other five.
fn people(n: usize, minority: f64, input: Input, rng: &mut StdRng) -> People {
    let width = match input {
        Input::Blocks => 2 * FEATURES,
        Input::Flag => FEATURES + 1,
    };
    let mut x = Array2::zeros((n, width));
    let labels = x.rows_mut().into_iter().map(|mut row| {
        let group = usize::from(rng.random_bool(minority));
        let person: [f32; FEATURES] = std::array::from_fn(|_| StandardNormal.sample(rng));
        let start = if input == Input::Blocks { group * FEATURES } else { 0 };
        for (i, &feature) in person.iter().enumerate() {
            row[start + i] = feature;
        }
        if input == Input::Flag {
            row[FEATURES] = group as f32;
        }
        usize::from(person[5 * group..][..5].iter().sum::<f32>() > 0.0)
    });
    let labels = labels.collect();
    People { x: x.into_tensor(), labels }
}

fn loss(model: &Sequential, people: &People) -> f32 {
    let tape = Tape::inference();
    model.forward(tape.constant(people.x.clone())).cross_entropy(&people.labels).item()
}

/// Trains until the majority's loss is `goal`; returns the number of steps and both groups' losses on people not seen.
fn train<R: Rule>(rule: R, input: Input, goal: f32, seed: u64) -> (usize, [f32; 2]) {
    let rng = &mut StdRng::seed_from_u64(seed);
    let groups = [0.0, 1.0].map(|minority| people(2000, minority, input, rng));
    let mut model = match input {
        Input::Blocks => Sequential::new().with(Dense::new(2 * FEATURES, 2, rng)),
        Input::Flag => Sequential::new()
            .with(Dense::new(FEATURES + 1, 32, rng))
            .with(Activation::Tanh)
            .with(Dense::new(32, 2, rng)),
    };
    let (mut opt, mut tape) = (Optimizer::new(rule), Tape::new());
    for step in 1..=20000 {
        let batch = people(BATCH, MINORITY, input, rng);
        tape.reset();
        let grads = model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels).backward();
        opt.step(&mut model, &grads);
        if step % 10 == 0 {
            let losses = [0, 1].map(|group| loss(&model, &groups[group]));
            if losses[0] <= goal {
                return (step, losses);
            }
        }
    }
    panic!("seed {seed}: the majority's loss should reach {goal}");
}

/// The minority's loss, mean over the seeds, when the majority's is `goal`.
fn row<R: Rule>(input: Input, goal: f32, rule: R) -> f32 {
    let runs: Vec<_> = (0..SEEDS).map(|seed| train(rule.clone(), input, goal, seed)).collect();
    let mean = |of: fn(&(usize, [f32; 2])) -> f32| runs.iter().map(of).sum::<f32>() / SEEDS as f32;
    let minority = mean(|run| run.1[1]);
    let (low, high) =
        runs.iter().fold((f32::MAX, 0.0), |(l, h): (f32, f32), r| (l.min(r.1[1]), h.max(r.1[1])));
    println!(
        "{:<7} {goal:>5}  {:<8} {:>5.0} {:>9.3} {minority:>9.3}   {low:.3} to {high:.3}",
        format!("{input:?}"),
        R::NAME,
        mean(|run| run.0 as f32),
        mean(|run| run.1[0])
    );
    assert!(minority > mean(|run| run.1[0]), "{input:?}, {}: the minority should be worse off", R::NAME);
    minority
}

/// The minority's losses under SGD, AdaGrad and RMSProp.
fn compare(input: Input, goal: f32) -> [f32; 3] {
    [
        row(input, goal, Sgd { lr: 0.3, ..Sgd::default() }),
        row(input, goal, AdaGrad { lr: 0.1, ..AdaGrad::default() }),
        row(input, goal, RmsProp { lr: 0.01, ..RmsProp::default() }),
    ]
}

fn main() {
    println!("input    goal  rule     steps  majority  minority   over the seeds");
    let [sgd, adagrad, rmsprop] = compare(Input::Blocks, 0.1);
    assert!(adagrad.max(rmsprop) < 0.65 * sgd, "with features of its own, the minority should gain");
    let early = compare(Input::Flag, 0.1);
    assert!(
        early.iter().all(|&loss| loss > 1.5),
        "in the shared network no optimizer should have helped yet"
    );
    let later = compare(Input::Flag, 0.05);
    assert!(later[1] < 0.9 * later[0], "later the minority should gain from AdaGrad in the network, too");
    assert!(later.iter().all(|&loss| loss > 0.2), "the minority should still be worse off than the majority");
}
