//! 1969, and the answer of 1986: what one layer cannot learn, and how two learn it.
//!
//! Minsky and Papert ("Perceptrons", 1969) proved what perceptrons cannot do, parity for one; XOR is the parity of two
//! bits. Whatever its weights, one layer gets at most three of the four right, and the least cross entropy it can have
//! is that of answering ½ to everything, ln 2. Rumelhart, Hinton and Williams ("Learning representations by
//! back-propagating errors", Nature 323, 1986) train a layer between, with the chain rule and momentum. Both should be
//! seen: the loss of one layer goes to ln 2 and stays there, that of two goes below a twentieth of it.

use std::f64::consts::LN_2;

use rand::{SeedableRng, rngs::StdRng};
use wengert::prelude::*;
use wengert_lab::{Axis, Figure, Style};

const STEPS: usize = 4000;

/// The loss after each step, and how many of the four are right in the end.
fn train(mut net: Sequential) -> (Vec<f64>, usize) {
    // The paper's ε and α for its first network, which sees all cases before each step, too.
    let mut opt = Optimizer::new(Sgd { lr: 0.1, momentum: 0.9, ..Sgd::default() });
    let x: Tensor = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].into_tensor();
    let target: Tensor = [[0.0], [1.0], [1.0], [0.0]].into_tensor();
    let (mut tape, mut losses) = (Tape::new(), Vec::new());
    for _ in 0..STEPS {
        tape.reset();
        let logits = net.forward(tape.constant(x.clone()));
        let loss = logits.bce_with_logits(tape.constant(target.clone()));
        losses.push(f64::from(loss.item()));
        let grads = loss.backward();
        opt.step(&mut net, &grads);
    }
    let logits = net.forward(Tape::inference().constant(x)).value();
    let right = logits.iter().zip(&target).filter(|(logit, target)| (**logit > 0.0) == (**target > 0.5));
    (losses, right.count())
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let (one, right_of_one) = train(Sequential::new().with(Dense::new(2, 1, rng)));
    let two = Sequential::new().with(Dense::new(2, 2, rng)).with(Activation::Sigmoid);
    let (two, right_of_two) = train(two.with(Dense::new(2, 1, rng)));
    let [last_of_one, last_of_two] = [&one, &two].map(|losses| losses[STEPS - 1]);
    println!("one layer:  loss {last_of_one:.4}, {right_of_one} of 4 right");
    println!("two layers: loss {last_of_two:.4}, {right_of_two} of 4 right");
    assert!(one.iter().all(|&loss| loss > LN_2 - 1e-6), "one layer is below ln 2");
    assert!((last_of_one - LN_2).abs() < 1e-4 && right_of_one <= 3, "one layer found {last_of_one}");
    assert!(last_of_two < LN_2 / 20.0 && right_of_two == 4, "two layers found {last_of_two}");

    // One point in twenty steps.
    let over_steps = |losses: Vec<f64>| (0..STEPS).map(|i| i as f64).zip(losses).step_by(20).collect();
    let figure = Figure::new("XOR: one layer and two", Axis::linear("step"), Axis::log("cross entropy"))
        .with("one layer", Style::Line, over_steps(one))
        .with("two layers", Style::Line, over_steps(two))
        .with("ln 2: ½ to everything", Style::Expected, vec![(0.0, LN_2), (STEPS as f64, LN_2)]);
    wengert_milestones::draw("1986_xor", &figure);
}
