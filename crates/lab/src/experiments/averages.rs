//! What the moving average of the squared gradient is and how long it remembers.

use ndarray::arr1;
use wengert_autodiff::Tensor;
use wengert_optim::{RmsProp, Rule};

use crate::{Axis, Check, Experiment, Figure, Outcome, Style};

pub(super) const ALL: &[Experiment] = &[CONSTANT_GRADIENT];

const CONSTANT_GRADIENT: Experiment = Experiment {
    name: "constant-gradient",
    claim: "Under a constant gradient g, the average v goes to g².",
    formula: "v_t = g² (1 - ρᵗ)",
    source: "A common remark about RMSProp; the closed form is the sum of a geometric series.",
    code: "let mut state = rule.init(&p);\nfor _ in 0..t {\n    rule.update(&mut p, &g, &mut state);\n}\nprintln!(\"{}\", state.v);",
    run: constant_gradient,
};

fn constant_gradient() -> Outcome {
    let g = 3.0;
    let mut checks = Vec::new();
    let mut figure = Figure::new("v under g = 3", Axis::log("step"), Axis::linear("v (squared gradient)"));
    for (rho, steps_to_95) in [(0.9, 29), (0.99, 299), (0.999, 2995)] {
        let v = average(&RmsProp { rho, ..RmsProp::default() }, &vec![g; 3500]);
        let closed: Vec<f64> = (1..=v.len()).map(|t| g * g * (1.0 - f64::powi(rho, t as i32))).collect();
        let error =
            v.iter().zip(&closed).map(|(v, closed)| ((v - closed) / closed).abs()).fold(0.0, f64::max);
        checks.push(Check::near(format!("largest relative error of v, ρ = {rho}"), error, 0.0, 1e-12));
        let reached = v.iter().position(|&v| v >= 0.95 * g * g).map_or(f64::NAN, |t| t as f64 + 1.0);
        checks.push(Check::near(
            format!("steps to 95 % of g², ρ = {rho}"),
            reached,
            f64::from(steps_to_95),
            0.0,
        ));
        let points = |v: &[f64]| (1..).map(f64::from).zip(v.iter().copied()).collect();
        figure = figure.with(format!("ρ = {rho}"), Style::Line, points(&v)).with(
            format!("g² (1 - ρᵗ), ρ = {rho}"),
            Style::Expected,
            points(&closed),
        );
    }
    Outcome { checks, figures: vec![figure] }
}

/// `v` of one number after each of the gradients.
fn average(rule: &RmsProp, gradients: &[f64]) -> Vec<f64> {
    let mut p: Tensor<f64> = arr1(&[0.0]).into_dyn().into();
    let mut state = rule.init(&p);
    let mut step = |&g: &f64| {
        rule.update(&mut p, &arr1(&[g]).into_dyn().into(), &mut state);
        state.v[0]
    };
    gradients.iter().map(&mut step).collect()
}
