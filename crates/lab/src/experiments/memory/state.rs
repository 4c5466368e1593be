//! What acts beside the gradient: weight decay, and the state that a resumed run needs.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use wengert_optim::{RmsProp, Rule, Sgd, WeightDecay};

use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::in_ratios;
use crate::run::walker::{Walker, descend};
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[DECAY, RESUME];

const DECAY: Experiment = Experiment {
    name: "decay-normalised-away",
    claim: "An L2 term in the gradient is divided away by RMSProp: where the loss is flat, w falls equally \
            fast for every λ. Decoupled decay does not have this.",
    formula: "L2: step ≈ η/√(1 - ρᵗ) whatever λ; decoupled: w_t = (1 - ηλ)ᵗ",
    source: "Loshchilov and Hutter, 2019; the notes name decoupled decay only. w of the L2 form was recorded \
             from a NumPy reference.",
    code: concat!(
        "let rule = RmsProp { weight_decay: WeightDecay::L2(1e-4), ..RmsProp::default() };\n",
        "let w = descend(rule, 1.0, 100, |_| 0.0);",
    ),
    run: decay,
};

fn decay() -> Outcome {
    let flat = |weight_decay| descend(RmsProp { weight_decay, ..RmsProp::default() }, 1.0, 100, |_| 0.0);
    let plain = |lambda| {
        let rule = Sgd { lr: 0.01, weight_decay: WeightDecay::L2(lambda), ..Sgd::default() };
        descend(rule, 1.0, 100, |_| 0.0)
    };
    let fallen = |w: &[f64]| in_ratios(&w.iter().map(|w| 1.0 - w).collect::<Vec<_>>());
    let mut checks = Vec::new();
    let mut figure = Figure::new(
        "Weight decay alone, η = 0.01, ρ = 0.99",
        Axis::log("step"),
        Axis::log("1 - w, the way to 0 so far"),
    );
    let first = [(1e-4, 0.9001), (1e-2, 0.9000)];
    for (lambda, after_one) in first {
        let w = flat(WeightDecay::L2(lambda));
        checks.push(Check::near(format!("w after 1 step, L2, λ = {lambda:e}"), w[0], after_one, 6e-5));
        checks.push(Check::near(format!("w after 100 steps, L2, λ = {lambda:e}"), w[99], 0.0119, 2e-4));
        figure = figure.with(format!("L2 in the gradient, λ = {lambda:e}"), Style::Line, fallen(&w));
    }
    for lambda in [1e-4, 1e-2] {
        let w = flat(WeightDecay::Decoupled(lambda));
        let closed = formula(100, |t| (1.0 - 0.01 * lambda).powf(t));
        let error = deviation(&w, &closed);
        checks.push(Check::near(
            format!("largest relative error of (1 - ηλ)ᵗ, decoupled, λ = {lambda:e}"),
            error,
            0.0,
            1e-13,
        ));
        let error = deviation(&plain(lambda), &closed);
        checks.push(Check::near(format!("the same for Sgd with L2, λ = {lambda:e}"), error, 0.0, 1e-13));
        figure = figure.with(format!("decoupled, λ = {lambda:e}"), Style::Line, fallen(&w)).with(
            format!("(1 - ηλ)ᵗ, λ = {lambda:e}"),
            Style::Expected,
            fallen(&closed),
        );
    }
    let w = flat(WeightDecay::Decoupled(1e-4));
    checks.push(Check::near("w after 1 step, decoupled, λ = 1e-4", w[0], 0.999_999, 1e-9));
    checks.push(Check::near("w after 100 steps, decoupled, λ = 1e-4", w[99], 0.99990, 1e-8));
    Outcome { checks, figures: vec![figure] }
}

const RESUME: Experiment = Experiment {
    name: "resume-without-state",
    claim: "A run that resumes without v takes one step of η/√(1 - ρ) in every coordinate: the next loss is \
            some hundred times as large.",
    formula: "loss after the step ≈ ½ Σ h (η/√(1 - ρ))² near the minimum",
    source: "Two notes say that RMSProp keeps its average. A NumPy reference of this kind went from 0.00022 \
             to 0.02323, a factor of 106; the factor depends on the noise.",
    code: "state = rule.init(&p); // instead of the state from the checkpoint",
    run: resume,
};

/// The step before which the state is lost.
const LOST: usize = 1500;

fn resume() -> Outcome {
    // 20 curvatures from 1 to 100 in equal ratios.
    let h: Vec<f64> = (0..20).map(|i| 100_f64.powf(f64::from(i) / 19.0)).collect();
    let (kept, _) = noisy_descent(&h, false);
    let (lost, moves) = noisy_descent(&h, true);
    let jump = 1e-3 / 0.01_f64.sqrt();
    let predicted = 0.5 * h.iter().sum::<f64>() * jump * jump;
    let (least, most) = moves.iter().fold((f64::MAX, 0.0), |(a, b): (f64, f64), m| (a.min(*m), b.max(*m)));
    let checks = vec![
        Check::about("the smallest move of a coordinate without v, expected 10 η", least, jump, 1e-2),
        Check::about("the largest", most, jump, 1e-6),
        Check::about("loss after it, expected ½ Σ h (10 η)²", lost[LOST], predicted, 0.3),
        Check::new(
            "that loss over the one before",
            lost[LOST] / lost[LOST - 1],
            Expected::Between(50.0, 200.0),
        ),
        Check::new("the same with v kept", kept[LOST] / kept[LOST - 1], Expected::AtMost(3.0)),
        Check::near("steps that differ before the loss of v", differing(&kept, &lost), 0.0, 0.0),
    ];
    let near = |losses: &[f64]| {
        let points = (LOST - 100..LOST + 200).map(|t| (t as f64 + 1.0, losses[t]));
        points.collect::<Vec<_>>()
    };
    let figure = Figure::new(
        "Noisy quadratic of 20 dimensions, v lost after step 1500",
        Axis::linear("step"),
        Axis::log("loss"),
    )
    .with("v lost", Style::Line, near(&lost))
    .with("v kept", Style::Line, near(&kept))
    .with("½ Σ h (10 η)²", Style::Expected, vec![(1490.0, predicted), (1530.0, predicted)]);
    Outcome { checks, figures: vec![figure] }
}

fn differing(kept: &[f64], lost: &[f64]) -> f64 {
    kept[..LOST].iter().zip(&lost[..LOST]).filter(|(a, b)| a != b).count() as f64
}

/// The loss `½ Σ h w²` after each step, and how far each coordinate moved in the step after [`LOST`].
fn noisy_descent(h: &[f64], lose: bool) -> (Vec<f64>, Vec<f64>) {
    let mut rng = StdRng::seed_from_u64(40);
    let rule = RmsProp { lr: 1e-3, rho: 0.99, ..RmsProp::default() };
    let mut walker: Walker<RmsProp> = Walker::new(rule, &vec![0.5; h.len()]);
    let (mut losses, mut moves) = (Vec::new(), Vec::new());
    for t in 0..LOST + 200 {
        if lose && t == LOST {
            walker.state = rule.init(&walker.p);
        }
        let slopes = h.iter().zip(&walker.p).map(|(h, w)| h * w);
        let grad: Vec<f64> =
            slopes.map(|slope| slope + 0.05 * rng.sample::<f64, _>(StandardNormal)).collect();
        let before = walker.p.clone();
        walker.step(&grad);
        losses.push(h.iter().zip(&walker.p).map(|(h, w)| 0.5 * h * w * w).sum());
        if t == LOST {
            moves = walker.p.iter().zip(&before).map(|(a, b)| (a - b).abs()).collect();
        }
    }
    (losses, moves)
}
