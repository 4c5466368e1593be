//! 2012: forget old gradients (Tieleman and Hinton, "Lecture 6.5 - RMSProp", Coursera).
//!
//! AdaGrad (Duchi, Hazan and Singer, 2011) divides by the root of the sum `r` of all squared gradients, which can only
//! grow. That is right where the goal stands still. RMSProp, a slide of a lecture and never a paper, divides by the
//! root of their moving average. Here the goal moves by `c` in each step. To keep up, AdaGrad needs a gradient, that is
//! a lag, of `g = c √r / η`; the lag adds `g²` to `r`; so the lag grows by the factor e in `2 (η / c)²` steps. A larger
//! rate puts that off, and no rate prevents it. For three rates the measured growth should agree to within a fifth,
//! until each has lost the goal; RMSProp should stay within its longest step, η / √(1 - ρ).

use wengert::optim::{AdaGrad, RmsProp, Rule};
use wengert_lab::{Axis, Figure, Landscape, Runner, Style};

/// How far the goal moves in a step.
const SPEED: f64 = 0.01;
const STEPS: u64 = 60_000;

/// How far behind the goal the rule is, after each step.
fn lags<R: Rule<f64>>(rule: R) -> Vec<f64> {
    let drift = Landscape::Drifting { velocity: [SPEED, 0.0], step: 0 };
    let path = Runner::at("", rule, [0.0, 0.0]).descend(drift, STEPS);
    (0..).zip(path).map(|(step, [x, _])| (SPEED * f64::from(step) - x).abs()).collect()
}

/// The steps in which the lag grows from a tenth to one, in factors of e.
fn steps_per_factor(lags: &[f64]) -> f64 {
    // The last time that it is so near: the first steps overshoot.
    let [from, to] = [0.1, 1.0].map(|far| lags.iter().rposition(|&lag| lag < far).expect("it starts near"));
    (to - from) as f64 / f64::ln(10.0)
}

fn main() {
    let rule = RmsProp { lr: 0.02, ..RmsProp::hinton() };
    let longest = rule.lr / (1.0 - rule.rho).sqrt();
    let rms = lags(rule);
    let farthest = rms.iter().copied().fold(0.0, f64::max);
    println!("RMSProp, η = {}: at most {farthest:.3} behind", rule.lr);
    assert!(farthest < longest, "farther than {longest}");

    // One point in 600 steps.
    let points =
        |lags: &[f64]| (0..).map(|i| 600.0 * f64::from(i)).zip(lags.iter().copied().step_by(600)).collect();
    let mut figure = Figure::new("Behind a goal that moves", Axis::linear("step"), Axis::log("distance"))
        .with(format!("RMSProp, η = {}", rule.lr), Style::Line, points(&rms));
    for lr in [0.2, 0.3, 0.4] {
        let lags = lags(AdaGrad { lr, ..AdaGrad::default() });
        let (measured, expected) = (steps_per_factor(&lags), 2.0 * (lr / SPEED).powi(2));
        let last = lags[lags.len() - 1];
        println!(
            "AdaGrad, η = {lr}: e times as far in {measured:.0} steps ({expected:.0}), {last:.0} in the end"
        );
        assert!((measured / expected - 1.0).abs() < 0.2, "{measured} steps, not {expected}");
        assert!(last > 100.0 * farthest, "AdaGrad keeps up");
        figure = figure.with(format!("AdaGrad, η = {lr}"), Style::Line, points(&lags));
    }
    wengert_milestones::draw("2012_rmsprop", &figure);
}
