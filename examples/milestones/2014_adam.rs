//! 2014: averages that start right (Kingma and Ba, "Adam: a method for stochastic optimization", arXiv 1412.6980).
//!
//! Adam is RMSProp with momentum whose averages are divided by `1 - βᵗ`, because they start at 0. Section 6.4 of the
//! paper asks what that is worth: with β₂ near 1, as sparse gradients need it, steps without the correction are too
//! long at first. The first is η (1 - β₁) / √(1 - β₂), 3.16 η for β₁ = 0.9 and β₂ = 0.999, where Adam's is η. Both
//! should be seen to a thousandth in the weights of a network. At a rate that Adam takes, the loss without the
//! correction should jump above ten times what guessing costs, ln 10, while Adam's stays below one and a half. (At a
//! tenth of this rate the long steps do no harm here.)

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::synthetic;
use wengert::prelude::*;
use wengert_lab::{Axis, Figure, Style};

const RATE: f64 = 0.03;
const STEPS: usize = 150;

fn network() -> Sequential {
    let rng = &mut StdRng::seed_from_u64(0);
    let hidden = Sequential::new().with(Dense::new(784, 64, rng)).with(Activation::Relu);
    hidden.with(Dense::new(64, 10, rng))
}

/// The loss before each step, and the length of the longest first step of a weight.
fn train<R: Rule>(rule: R) -> (Vec<f64>, f64) {
    let data = synthetic::digits(STEPS * 50, 0);
    let (mut net, mut opt, mut tape) = (network(), Optimizer::new(rule), Tape::new());
    let (mut losses, mut longest) = (Vec::new(), 0.0);
    for batch in data.batches(50) {
        tape.reset();
        let loss = net.forward(tape.constant(batch.x)).cross_entropy(&batch.labels);
        losses.push(f64::from(loss.item()));
        let grads = loss.backward();
        opt.step(&mut net, &grads);
        if losses.len() == 1 {
            let (now, before) = (net.state_dict(), network().state_dict());
            let moved = now.iter().flat_map(|(name, now)| (now - &before[name]).into_iter().map(f32::abs));
            longest = f64::from(moved.fold(0.0, f32::max));
        }
    }
    (losses, longest)
}

fn main() {
    let (adam, first) = train(Adam { lr: RATE, ..Adam::default() });
    // Adam's m holds a tenth of each gradient, where RMSProp's buffer holds all of it.
    let rms = RmsProp { lr: RATE * (1.0 - 0.9), rho: 0.999, momentum: 0.9, ..RmsProp::default() };
    let (uncorrected, too_long) = train(rms);
    let highest = |losses: &[f64]| losses.iter().copied().fold(0.0, f64::max);
    let [of_adam, of_uncorrected] = [&adam, &uncorrected].map(|losses| highest(losses));
    println!("first step, in η:  Adam {:.3}, without correction {:.3}", first / RATE, too_long / RATE);
    println!("highest loss:      Adam {of_adam:.2}, without correction {of_uncorrected:.2}");
    let about = |measured: f64, expected: f64| (measured / expected - 1.0).abs() < 1e-3;
    assert!(about(first, RATE), "Adam's first step is {first}");
    assert!(about(too_long / first, (1.0 - 0.9) / f64::sqrt(1.0 - 0.999)), "the other's is {too_long}");
    let guess = f64::ln(10.0);
    assert!(of_adam < 1.5 * guess && of_uncorrected > 10.0 * guess, "the correction is worth nothing");

    let over_steps = |losses: Vec<f64>| (1..).map(f64::from).zip(losses).collect();
    let figure = Figure::new("The first steps, β₂ = 0.999", Axis::linear("step"), Axis::log("loss"))
        .with("Adam", Style::Line, over_steps(adam))
        .with("without bias correction", Style::Line, over_steps(uncorrected))
        .with("guessing, ln 10", Style::Expected, vec![(1.0, guess), (STEPS as f64, guess)]);
    wengert_milestones::draw("2014_adam", &figure);
}
