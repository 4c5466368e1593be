//! The first steps: what an average that starts from 0, from 1 or corrected does to them.

use wengert_optim::{Epsilon, RmsProp};

use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::in_ratios;
use crate::run::walker::{Walker, descend, steps};
use crate::{Axis, Check, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[WORKED_EXAMPLE, COLD_START, BIAS_CORRECTION, INITIAL_SCALE];

const WORKED_EXAMPLE: Experiment = Experiment {
    name: "worked-example",
    claim: "On L = w² from w = 1 with η = 0.1 and ρ = 0.9, the first step of RMSProp ends at w = 0.683772.",
    formula: "v = 0.1 · 2² = 0.4; w = 1 - 0.1 · 2 / √0.4 = 1 - √0.1",
    source: "A tutorial's worked example, which gives 0.632: that is √0.4, the divisor. The path was \
             recorded from an independent implementation.",
    code: "let w = descend(RmsProp { lr: 0.1, rho: 0.9, ..RmsProp::default() }, 1.0, 10, |w| 2.0 * w);",
    run: worked_example,
};

fn worked_example() -> Outcome {
    let rule = RmsProp { lr: 0.1, rho: 0.9, eps: Epsilon::Inside(1e-8), ..RmsProp::default() };
    let w = descend(rule, 1.0, 10, |w| 2.0 * w);
    let recorded =
        [(1, 0.683772), (2, 0.498871), (3, 0.369181), (4, 0.272825), (5, 0.199795), (10, 0.032117)];
    let mut checks: Vec<Check> =
        recorded.map(|(t, value)| Check::near(format!("w after step {t}"), w[t - 1], value, 6e-7)).into();
    checks.push(Check::about("w after step 1, closed form 1 - √0.1", w[0], 1.0 - 0.1_f64.sqrt(), 1e-7));
    // v follows from the path, as g = 2w.
    let mut walker: Walker<RmsProp> = Walker::new(rule, &[1.0]);
    for (t, v) in (1..).zip([0.4, 0.547018, 0.591865, 0.587196, 0.558250]) {
        walker.step(&[2.0 * walker.p[0]]);
        checks.push(Check::near(format!("v after step {t}"), walker.state.v[0], v, 6e-7));
    }
    let point = |(t, value): (usize, f64)| (t as f64, value);
    let path = [(0, 1.0)].into_iter().chain((1..).zip(w)).map(point).collect();
    let expected = recorded.map(point).to_vec();
    let figure = Figure::new("w on L = w²", Axis::linear("step"), Axis::log("w"))
        .with("RMSProp", Style::Line, path)
        .with("recorded", Style::Marks, expected);
    Outcome { checks, figures: vec![figure] }
}

const COLD_START: Experiment = Experiment {
    name: "cold-start",
    claim: "An average that starts from 0 makes RMSProp's first step 1/√(1 - ρ) times η, whatever the \
            gradient.",
    formula: "step_t = η / √(1 - ρᵗ) under a constant gradient",
    source: "An essay on RMSProp; the closed form follows from v_t = g² (1 - ρᵗ).",
    code: "steps(RmsProp { lr: 1.0, rho: 0.99, ..RmsProp::default() }, [3.0; 1000])",
    run: cold_start,
};

fn cold_start() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new("Steps under a constant gradient", Axis::log("step"), Axis::log("step / η"));
    for (rho, first) in [(0.9, 3.1623), (0.99, 10.0), (0.999, 31.62)] {
        let descents = steps(RmsProp { lr: 1.0, rho, ..RmsProp::default() }, [3.0; 3000]);
        let closed = formula(descents.len(), |t| (1.0 - rho.powf(t)).sqrt().recip());
        checks.push(Check::about(format!("first step / η, ρ = {rho}"), descents[0], first, 1e-4));
        let error = deviation(&descents, &closed);
        checks.push(Check::near(
            format!("largest relative error of the formula, ρ = {rho}"),
            error,
            0.0,
            1e-6,
        ));
        figure = figure.with(format!("ρ = {rho}"), Style::Line, in_ratios(&descents)).with(
            format!("1/√(1 - ρᵗ), ρ = {rho}"),
            Style::Expected,
            in_ratios(&closed),
        );
    }
    Outcome { checks, figures: vec![figure] }
}

const BIAS_CORRECTION: Experiment = Experiment {
    name: "bias-correction",
    claim: "With bias correction the first step is η for any gradient that ε does not reach.",
    formula: "v / (1 - ρᵗ), so that step_1 = η g / (|g| + ε)",
    source: "An essay on RMSProp says \"for any gradient\"; to be exact, up to a share of ε/|g|.",
    code: "let rule = RmsProp { lr: 1.0, bias_correction: true, ..RmsProp::default() };",
    run: bias_correction,
};

fn bias_correction() -> Outcome {
    let rule = RmsProp { lr: 1.0, rho: 0.99, bias_correction: true, ..RmsProp::default() };
    let mut checks = Vec::new();
    for g in [1e-7, 1e-3, 2.0, 1e6] {
        let first = steps(rule, [g])[0];
        checks.push(Check::about(format!("first step / η, g = {g:e}"), first, g / (g + 1e-8), 1e-12));
    }
    let worked = RmsProp { lr: 0.1, rho: 0.9, bias_correction: true, ..RmsProp::default() };
    let w = descend(worked, 1.0, 1, |w| 2.0 * w)[0];
    checks.push(Check::near("w after step 1 of the worked example: 1 - η", w, 0.9, 1e-8));

    let corrected = steps(rule, [2.0; 1000]);
    let plain = steps(RmsProp { bias_correction: false, ..rule }, [2.0; 1000]);
    let error = deviation(&corrected, &[1.0; 1000]);
    checks.push(Check::near("largest deviation of a later step from η, g = 2", error, 0.0, 1e-8));
    let closed = formula(plain.len(), |t| (1.0 - 0.99_f64.powf(t)).sqrt().recip());
    let figure = Figure::new("Steps under g = 2, ρ = 0.99", Axis::log("step"), Axis::log("step / η"))
        .with("with bias correction", Style::Line, in_ratios(&corrected))
        .with("η", Style::Expected, in_ratios(&[1.0; 1000]))
        .with("without", Style::Line, in_ratios(&plain))
        .with("1/√(1 - ρᵗ)", Style::Expected, in_ratios(&closed));
    Outcome { checks, figures: vec![figure] }
}

const INITIAL_SCALE: Experiment = Experiment {
    name: "initial-scale",
    claim: "An average that starts from 1, as in TensorFlow 1, timm and dfdx, makes the first steps tiny \
            where gradients are small.",
    formula: "step_t = η g / √(ρᵗ v₀ + g² (1 - ρᵗ) + ε)",
    source: "Source of those projects; the notes do not mention it. The steps were recorded from an \
             independent implementation.",
    code: "let ones = RmsProp { lr: 1.0, ..RmsProp::tf1() };\nlet zeros = RmsProp { v0: 0.0, ..ones };",
    run: initial_scale,
};

fn initial_scale() -> Outcome {
    let g = 1e-3;
    let mut checks = Vec::new();
    let mut figure = Figure::new("Steps under g = 0.001, ρ = 0.9", Axis::log("step"), Axis::log("step / η"));
    for (v0, recorded) in [(0.0, [3.161, 1.239, 1.003, 1.000]), (1.0, [0.001, 0.0017, 0.0139, 0.190])] {
        let rule = RmsProp { lr: 1.0, v0, ..RmsProp::tf1() };
        let descents = steps(rule, vec![g; 300]);
        let digits = if v0 == 0.0 { 5.1e-4 } else { 6e-5 };
        for (t, recorded) in [1, 10, 50, 100].into_iter().zip(recorded) {
            // The last of them was recorded with three digits only.
            let digits = if t == 100 { 5.1e-4 } else { digits };
            checks.push(Check::near(
                format!("step/η at t = {t}, v₀ = {v0}"),
                descents[t - 1],
                recorded,
                digits,
            ));
        }
        let closed = formula(descents.len(), |t| {
            let kept = 0.9_f64.powf(t);
            g / (kept * v0 + g * g * (1.0 - kept) + 1e-10).sqrt()
        });
        let error = deviation(&descents, &closed);
        checks.push(Check::near(
            format!("largest relative error of the formula, v₀ = {v0}"),
            error,
            0.0,
            1e-12,
        ));
        figure = figure.with(format!("v₀ = {v0}"), Style::Line, in_ratios(&descents)).with(
            format!("formula, v₀ = {v0}"),
            Style::Expected,
            in_ratios(&closed),
        );
    }
    Outcome { checks, figures: vec![figure] }
}
