//! Momentum in RMSProp, and what Adam makes of it.

use wengert_optim::{Adam, RmsProp, Rule};

use super::recorded;
use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::evenly;
use crate::run::walker::{Walker, descend, steps};
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[ADAM_WITHOUT_MOMENTUM, NOT_ADAM, RATE_IN_MOMENTUM, NESTEROV];

const ADAM_WITHOUT_MOMENTUM: Experiment = Experiment {
    name: "adam-without-momentum",
    claim: "RMSProp with bias correction is Adam with β₁ = 0.",
    formula: "w ← w - η g / (√(v / (1 - ρᵗ)) + ε)",
    source: "Essays say \"Adam without momentum is RMSProp\" and leave out the bias correction, without \
             which it is not so.",
    code: concat!(
        "let adam = Adam { beta1: 0.0, beta2: rho, ..Adam::default() };\n",
        "let rmsprop = RmsProp { rho, bias_correction: true, ..RmsProp::default() };",
    ),
    run: adam_without_momentum,
};

fn adam_without_momentum() -> Outcome {
    let (lr, rho) = (0.05, 0.9);
    let slope = |w: f64| 2.0 * w + (7.0 * w).sin();
    let plain = RmsProp { lr, rho, ..RmsProp::default() };
    let adam = descend(Adam { lr, beta1: 0.0, beta2: rho, ..Adam::default() }, 2.0, 60, slope);
    let corrected = descend(RmsProp { bias_correction: true, ..plain }, 2.0, 60, slope);
    let uncorrected = descend(plain, 2.0, 60, slope);
    let gap = |other: &[f64]| adam.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let first_step = lr * (1.0 / (1.0 - rho).sqrt() - 1.0);
    let checks = vec![
        Check::near("largest difference of w over 60 steps", gap(&corrected), 0.0, 1e-9),
        Check::about(
            "difference after step 1 without the correction",
            adam[0] - uncorrected[0],
            first_step,
            1e-6,
        ),
    ];
    let figure = Figure::new("A bumpy valley from w = 2", Axis::linear("step"), Axis::linear("w"))
        .with("Adam, β₁ = 0", Style::Line, evenly(&adam))
        .with("RMSProp with bias correction", Style::Expected, evenly(&corrected))
        .with("RMSProp without", Style::Line, evenly(&uncorrected));
    Outcome { checks, figures: vec![figure] }
}

const NOT_ADAM: Experiment = Experiment {
    name: "momentum-is-not-adam",
    claim: "RMSProp with momentum is not Adam: its buffer collects g/√v, each divided by its own root, where \
            Adam averages g and divides once.",
    formula: "ones, then one gradient of 10: RMSProp μ + (1 - μ) 10/s, Adam (μ + (1 - μ) 10)/s with s = √(ρ \
              + 100 (1 - ρ))",
    source: "Three essays write Adam = RMSProp + momentum. RMSProp does not \"build on momentum\" either; it \
             changes AdaGrad's scale.",
    code: "let rmsprop = RmsProp { lr: 0.1, momentum: 0.9, ..RmsProp::default() }; // (1 - μ) η, for equal \
           steady steps",
    run: not_adam,
};

fn not_adam() -> Outcome {
    let (mu, rho) = (0.9, 0.99);
    let rmsprop = RmsProp { lr: 1.0 - mu, rho, momentum: mu, ..RmsProp::default() };
    let adam = Adam { lr: 1.0, beta1: mu, beta2: rho, ..Adam::default() };
    let spike = 3000;
    let gradients = |t: usize| if t == spike { 10.0 } else { 1.0 };
    let around = |descents: Vec<f64>| descents[spike - 10..].to_vec();
    let by_rmsprop = around(steps(rmsprop, (0..spike + 60).map(gradients)));
    let by_adam = around(steps(adam, (0..spike + 60).map(gradients)));
    let root = (rho + 100.0 * (1.0 - rho)).sqrt();
    let checks = vec![
        Check::about("steady step/η, RMSProp with momentum", by_rmsprop[0], 1.0, 1e-7),
        Check::about("steady step/η, Adam", by_adam[0], 1.0, 1e-7),
        Check::about(
            "step/η at the spike, RMSProp with momentum",
            by_rmsprop[10],
            mu + (1.0 - mu) * 10.0 / root,
            1e-7,
        ),
        Check::about("step/η at the spike, Adam", by_adam[10], (mu + (1.0 - mu) * 10.0) / root, 1e-7),
    ];
    // Steps since the spike, from k = 0: v - 1 and both momenta decay geometrically.
    let root_after = |k: f64| (1.0 + 99.0 * (1.0 - rho) * rho.powf(k)).sqrt();
    let adam_after =
        |k: f64| if k < 0.0 { 1.0 } else { (1.0 + 9.0 * (1.0 - mu) * mu.powf(k)) / root_after(k) };
    let buffer_after = |k: f64| {
        let share = |j: i32| if j == 0 { 10.0 } else { 1.0 } / root_after(f64::from(j));
        let fresh: f64 = (0..=k as i32).map(|j| mu.powf(k - f64::from(j)) * share(j)).sum();
        if k < 0.0 { 1.0 } else { mu.powf(k + 1.0) + (1.0 - mu) * fresh }
    };
    let figure = Figure::new("One gradient of 10 among ones", Axis::linear("step"), Axis::linear("step / η"))
        .with("RMSProp, μ = 0.9, rate (1 - μ) η", Style::Line, evenly(&by_rmsprop))
        .with("formula, RMSProp", Style::Expected, evenly(&formula(70, |t| buffer_after(t - 11.0))))
        .with("Adam", Style::Line, evenly(&by_adam))
        .with("formula, Adam", Style::Expected, evenly(&formula(70, |t| adam_after(t - 11.0))));
    Outcome { checks, figures: vec![figure] }
}

const RATE_IN_MOMENTUM: Experiment = Experiment {
    name: "rate-in-momentum",
    claim: "Whether the rate stands inside the momentum buffer (TensorFlow, optax) or outside (PyTorch) \
            matters only when the rate changes.",
    formula: "outside: b ← μ b + u, w ← w - η b; inside: b ← μ b + η u, w ← w - b",
    source: "Source of PyTorch and optax; the notes give one form each. The two values of w are from a NumPy \
             reference.",
    code: "walker.rule.lr = if t < 6 { 0.1 } else { 0.05 };",
    run: rate_in_momentum,
};

fn rate_in_momentum() -> Outcome {
    let path = |lr_in_momentum: bool, halve_at: usize| {
        let rule = RmsProp { lr: 0.1, rho: 0.9, momentum: 0.9, lr_in_momentum, ..RmsProp::default() };
        let mut walker = Walker::new(rule, &[1.0]);
        let mut next = |t: usize| {
            walker.rule.lr = if t < halve_at { 0.1 } else { 0.05 };
            walker.step(&[2.0 * walker.p[0]]);
            walker.p[0]
        };
        (1..=40).map(&mut next).collect::<Vec<f64>>()
    };
    let (outside, inside) = (path(false, 6), path(true, 6));
    let constant =
        path(false, 99).iter().zip(&path(true, 99)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let checks = vec![
        Check::near("w at t = 10, rate outside", outside[9], -0.132217, 6e-7),
        Check::near("w at t = 10, rate inside", inside[9], -0.347432, 6e-7),
        Check::near("largest difference at a constant rate", constant, 0.0, 1e-12),
        Check::near("largest difference before the rate changes", (outside[4] - inside[4]).abs(), 0.0, 1e-12),
    ];
    let figure = Figure::new("L = w² from 1, η halved from step 6", Axis::linear("step"), Axis::linear("w"))
        .with("rate outside the buffer", Style::Line, evenly(&outside))
        .with("rate inside", Style::Line, evenly(&inside))
        .with("recorded at t = 10", Style::Marks, vec![(10.0, -0.132217), (10.0, -0.347432)]);
    Outcome { checks, figures: vec![figure] }
}

const NESTEROV: Experiment = Experiment {
    name: "nesterov",
    claim: "Nesterov's momentum is heavy-ball momentum one step ahead: under a constant gradient its step t \
            is the other's step t + 1.",
    formula: "b ← μ b + u, step u + μ b = (1 - μ^(t+1))/(1 - μ)",
    source: "Not in the notes; optax offers it with RMSProp in this form; a path of optax 0.2.8 was \
             recorded. v starts from g² here, so that u = 1.",
    code: "let rule = RmsProp { momentum: 0.9, nesterov: true, v0: 1.0, ..RmsProp::default() };",
    run: nesterov,
};

fn nesterov() -> Outcome {
    let mu = 0.9;
    let heavy = RmsProp { lr: 1.0, momentum: mu, v0: 1.0, ..RmsProp::default() };
    let ahead = steps(RmsProp { nesterov: true, ..heavy }, [1.0; 60]);
    let behind = steps(heavy, [1.0; 61]);
    let closed = formula(60, |t| (1.0 - mu.powf(t + 1.0)) / (1.0 - mu));
    // A gradient that stops: the buffer goes on, and Nesterov's step is a factor μ below it.
    let stop = |rule| steps(rule, (0..60).map(|t| if t < 30 { 1.0 } else { 0.0 }));
    let (ahead_after, heavy_after) = (stop(RmsProp { nesterov: true, ..heavy })[30], stop(heavy)[30]);
    let checks = vec![
        Check::near("largest relative error of the formula", deviation(&ahead, &closed), 0.0, 2e-8),
        Check::near(
            "largest relative difference from the other's next step",
            deviation(&ahead, &behind[1..]),
            0.0,
            1e-12,
        ),
        Check::about(
            "step after the gradient stops, as a share of the other's",
            ahead_after / heavy_after,
            mu,
            1e-12,
        ),
        recorded::nesterov(),
        Check::new("the rule refuses Nesterov without momentum", refused(), Expected::AtLeast(1.0)),
    ];
    let figure = Figure::new("Steps under g = 1, μ = 0.9", Axis::linear("step"), Axis::linear("step / η"))
        .with("Nesterov", Style::Line, evenly(&ahead))
        .with("(1 - μ^(t+1))/(1 - μ)", Style::Expected, evenly(&closed))
        .with("heavy ball", Style::Line, evenly(&behind[..60]))
        .with("(1 - μᵗ)/(1 - μ)", Style::Expected, evenly(&formula(60, |t| (1.0 - mu.powf(t)) / (1.0 - mu))));
    Outcome { checks, figures: vec![figure] }
}

/// 1 if Nesterov's momentum of strength 0 is an error.
fn refused() -> f64 {
    let rule = RmsProp { nesterov: true, ..RmsProp::default() };
    f64::from(u8::from(Rule::<f64>::validate(&rule).is_err()))
}
