//! Training at the edge of stability.

use rayon::prelude::*;
use wengert_optim::inspect::Explain;
use wengert_optim::{Adam, RmsProp, Sgd};

use super::network::{Sample, train};
use crate::experiments::series::tail_mean;
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[EDGE, ADAPTIVE];

const EDGE: Experiment = Experiment {
    name: "edge-of-stability",
    claim: "Descent on the whole set does not stay where it is stable: the sharpness grows until it is 2/η, \
            and stays there while the loss goes on falling.",
    formula: "the largest eigenvalue of the Hessian, times η, → 2",
    source: "Cohen et al., \"Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability\" \
             (2021). Here tanh units and squared loss, as where they see it clearest; the mean of the second \
             half of the run, three seeds.",
    code: concat!(
        "let top = largest_eigenpairs(n, 1, 1e-3, rng, |v| {\n",
        "    hvp(&mut net, v, |net, tape| loss(net, tape)).product\n",
        "});\n",
        "println!(\"{} of {}\", top[0].value, 2.0 / lr);",
    ),
    run: edge,
};

const ADAPTIVE: Experiment = Experiment {
    name: "adaptive-edge-of-stability",
    claim: "Adaptive rules train at the edge of stability too, with the curvature as their rates see it: \
            RMSProp, and Adam without its first moment, at 2; Adam with β₁ = 0.9 at 38.",
    formula: "the largest eigenvalue of R^½ H R^½ with R = η/(√v̂ + ε) → 2 (1 + β₁)/(1 - β₁)",
    source: "Cohen et al., \"Adaptive Gradient Methods at the Edge of Stability\" (2022), who divide by η: \
             2/η and 38/η. The limit holds for rates that stand still; v moves, hence the 15 %.",
    code: concat!(
        "let roots = rates.mapv(f64::sqrt); // of opt.effective_lr(name), parameter by parameter\n",
        "let top = largest_eigenpairs(n, 1, 1e-3, rng, |v| {\n",
        "    hvp(&mut net, &(v * &roots), |net, tape| loss(net, tape)).product * &roots\n",
        "});",
    ),
    run: adaptive,
};

const SEEDS: u64 = 3;
const STEPS: usize = 2000;
const SAMPLES: usize = 40;

fn over_seeds<R: Explain<f64>>(rule: R) -> Vec<Vec<Sample>> {
    (0..SEEDS).into_par_iter().map(|seed| train(rule.clone(), STEPS, SAMPLES, seed)).collect()
}

/// The mean sharpness in the second half.
fn late(run: &[Sample]) -> f64 {
    let sharpness: Vec<f64> = run.iter().map(|sample| sample.sharpness).collect();
    tail_mean(&sharpness, run.len() - run.len() / 2)
}

fn points(run: &[Sample], of: impl Fn(&Sample) -> f64) -> Vec<(f64, f64)> {
    run.iter().map(|sample| (sample.step as f64, of(sample))).collect()
}

fn edge() -> Outcome {
    let mut checks = Vec::new();
    let mut figure =
        Figure::new("Sharpness under descent, times η", Axis::linear("step"), Axis::linear("η λ"));
    let mut losses =
        Figure::new("Its loss, at the edge as before it", Axis::linear("step"), Axis::log("loss"));
    for lr in [0.5, 0.25] {
        for (seed, run) in over_seeds(Sgd { lr, ..Sgd::default() }).iter().enumerate() {
            let name = format!("η = {lr}, seed {seed}");
            checks.push(Check::new(
                format!("η λ after one step, {name}"),
                run[0].sharpness,
                Expected::AtMost(2.0),
            ));
            checks.push(Check::about(
                format!("mean of η λ in the second half, {name}"),
                late(run),
                2.0,
                0.05,
            ));
            let middle = run[run.len() / 2].loss;
            checks.push(Check::new(
                format!("loss at the end over that in the middle, {name}"),
                run[run.len() - 1].loss / middle,
                Expected::AtMost(0.5),
            ));
            figure = figure.with(&name, Style::Line, points(run, |sample| sample.sharpness));
            losses = losses.with(&name, Style::Line, points(run, |sample| sample.loss));
        }
    }
    let figure = figure.with("2", Style::Expected, vec![(0.0, 2.0), (STEPS as f64, 2.0)]);
    Outcome { checks, figures: vec![figure, losses] }
}

fn adaptive() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new(
        "Sharpness as the rates see it, η = 0.002",
        Axis::linear("step"),
        Axis::log("largest eigenvalue of R^½ H R^½"),
    );
    let (lr, rho) = (0.002, 0.99);
    let rms = RmsProp { lr, rho, bias_correction: true, ..RmsProp::default() };
    let adam = Adam { lr, beta2: rho, ..Adam::default() };
    let runs = [
        ("RMSProp", 0.0, over_seeds(rms)),
        ("Adam, β₁ = 0", 0.0, over_seeds(Adam { beta1: 0.0, ..adam })),
        ("Adam, β₁ = 0.9", 0.9, over_seeds(Adam { beta1: 0.9, ..adam })),
    ];
    for (name, beta1, runs) in &runs {
        let limit = 2.0 * (1.0 + beta1) / (1.0 - beta1);
        for (seed, run) in runs.iter().enumerate() {
            checks.push(Check::about(
                format!("mean in the second half, {name}, seed {seed}"),
                late(run),
                limit,
                0.15,
            ));
        }
        figure = figure.with(*name, Style::Line, points(&runs[0], |sample| sample.sharpness));
    }
    for limit in [2.0, 38.0] {
        figure = figure.with(limit.to_string(), Style::Expected, vec![(0.0, limit), (STEPS as f64, limit)]);
    }
    Outcome { checks, figures: vec![figure] }
}
