//! RMSProp with ε in either place, beside the projects that mean it so.
//!
//! The paths are element 4 of tensor `a` in the problem `stream` of `tests/golden/optim`, whose scripts and versions
//! are described there; recorded on 2026-11-21 in f64.

use wengert_optim::{Epsilon, RmsProp};

use crate::experiments::closed_form::deviation;
use crate::experiments::points::evenly;
use crate::run::walker::Walker;
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[OUTSIDE, INSIDE];

/// Where the number starts.
const START: f64 = -0.35;

/// The gradients of one number in the recording, of which some are far below ε and some far above.
const GRADIENTS: [f64; 12] = [
    0.2931, -7.056, 0.005356, 0.01356, 0.0, -0.001258, -0.0001067, -0.005566, 0.323, 0.0, 4.896e-06,
    -4.912e-05,
];

/// `torch.optim.RMSprop` with ρ = 0.9 and ε = 1e-3, which stands outside; PyTorch 2.15.0.
const TORCH: [f64; 12] = [
    -0.3812852378478816,
    -0.3497011309801867,
    -0.34972640176256553,
    -0.3497938397315537,
    -0.3497938397315537,
    -0.349786888545451,
    -0.34978626709220767,
    -0.349752096535787,
    -0.35183768444451974,
    -0.35183768444451974,
    -0.35183771956769094,
    -0.35183734814146744,
];

/// `optax.rmsprop` with ρ = 0.99 and ε = 1e-3, which stands inside; optax 0.2.8.
const OPTAX: [f64; 12] = [
    -0.41797782025676233,
    -0.3181631435157391,
    -0.31823929077707624,
    -0.3184330447264349,
    -0.3184330447264349,
    -0.3184148884280226,
    -0.31841334072039057,
    -0.3183321987869932,
    -0.3230593189295263,
    -0.3230593189295263,
    -0.3230593913049117,
    -0.3230586615358494,
];

/// The same with Nesterov's momentum of 0.9.
const NESTEROV: [f64; 12] = [
    -0.47915785848784853,
    -0.34457200708788194,
    -0.31342262969137347,
    -0.28568779000309386,
    -0.2605520557292194,
    -0.23789539791574907,
    -0.21751780590769595,
    -0.19902519636386204,
    -0.19143640378528193,
    -0.18035208233628008,
    -0.17037633054541068,
    -0.16139670223456304,
];

const OUTSIDE: Experiment = Experiment {
    name: "rmsprop-outside",
    claim: "RMSProp in PyTorch's form divides by √v + ε.",
    formula: "v ← ρ v + (1 - ρ) g²; w ← w - η g / (√v + ε)",
    source: "Two essays, and torch.optim.RMSprop of PyTorch 2.15.0, whose path is drawn beside ours.",
    code: "let rule = RmsProp { rho: 0.9, eps: Epsilon::Outside(1e-3), ..RmsProp::torch() };",
    run: outside,
};

fn outside() -> Outcome {
    let rule = RmsProp { rho: 0.9, eps: Epsilon::Outside(1e-3), ..RmsProp::torch() };
    beside(rule, "PyTorch", &TORCH, RmsProp { eps: Epsilon::Inside(1e-3), ..rule })
}

const INSIDE: Experiment = Experiment {
    name: "rmsprop-inside",
    claim: "RMSProp in TensorFlow's, Keras's and optax's form divides by √(v + ε).",
    formula: "v ← ρ v + (1 - ρ) g²; w ← w - η g / √(v + ε)",
    source: "Two notes, which call this ε by the same name, and optax.rmsprop of optax 0.2.8, whose path is \
             drawn beside ours.",
    code: "let rule = RmsProp { rho: 0.99, eps: Epsilon::Inside(1e-3), ..RmsProp::optax() };",
    run: inside,
};

fn inside() -> Outcome {
    let rule = RmsProp { rho: 0.99, eps: Epsilon::Inside(1e-3), ..RmsProp::optax() };
    beside(rule, "optax", &OPTAX, RmsProp { eps: Epsilon::Outside(1e-3), ..rule })
}

/// The path of the rule beside the recorded one, and what another place of ε would have made of it.
fn beside(rule: RmsProp, project: &str, recorded: &[f64], other: RmsProp) -> Outcome {
    let (ours, others) = (path(rule), path(other));
    let checks = vec![
        Check::near(
            format!("largest relative difference of w from {project}"),
            deviation(&ours, recorded),
            0.0,
            1e-12,
        ),
        // The recording tells the places apart: else the first check would say nothing about ε.
        Check::new(
            "the same with ε in the other place",
            deviation(&others, recorded),
            Expected::AtLeast(1e-3),
        ),
    ];
    let figure = Figure::new("Gradients from 5e-6 to 7, ε = 1e-3", Axis::linear("step"), Axis::linear("w"))
        .with("ours", Style::Line, evenly(&ours))
        .with(project, Style::Expected, evenly(recorded))
        .with("ours, ε in the other place", Style::Line, evenly(&others));
    Outcome { checks, figures: vec![figure] }
}

/// Nesterov's momentum beside optax.
pub(super) fn nesterov() -> Check {
    let optax = RmsProp { rho: 0.99, eps: Epsilon::Inside(1e-3), ..RmsProp::optax() };
    let rule = RmsProp { momentum: 0.9, nesterov: true, ..optax };
    let error = deviation(&path(rule), &NESTEROV);
    Check::near("largest relative difference of w from optax 0.2.8 on a rough stream", error, 0.0, 1e-12)
}

fn path(rule: RmsProp) -> Vec<f64> {
    let mut walker = Walker::new(rule, &[START]);
    let step = |g: f64| {
        walker.step(&[g]);
        walker.p[0]
    };
    GRADIENTS.map(step).to_vec()
}
