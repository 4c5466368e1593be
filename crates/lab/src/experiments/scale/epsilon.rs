//! ε: where it stands, what it does to scale invariance, and its unit.

use wengert_optim::Epsilon::{self, Inside, Outside};
use wengert_optim::RmsProp;

use crate::experiments::closed_form::deviation;
use crate::experiments::points::evenly;
use crate::run::walker::{Walker, descend};
use crate::{Axis, Check, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[PLACEMENT, PERTURBATION, UNITS];

const PLACEMENT: Experiment = Experiment {
    name: "epsilon-placement",
    claim: "ε inside and outside the root are different algorithms: the smallest divisor is √ε inside and ε \
            outside.",
    formula: "steady state: step/η = g/(g + ε) outside, g/√(g² + ε) inside",
    source: "Two notes put ε = 1e-8 outside, three inside, all without a word; inside it acts like 1e-4 \
             outside.",
    code: concat!(
        "let outside = RmsProp { eps: Epsilon::Outside(1e-8), ..RmsProp::default() };\n",
        "let inside = RmsProp { eps: Epsilon::Inside(1e-8), ..outside };",
    ),
    run: placement,
};

/// `step / η` for each size of a constant gradient, once `v` is `g²` to the last bit but one.
fn steady(eps: Epsilon, gradients: &[f64]) -> Vec<f64> {
    let mut walker: Walker<RmsProp> =
        Walker::new(RmsProp { lr: 1.0, rho: 0.9, eps, ..RmsProp::default() }, &vec![0.0; gradients.len()]);
    (0..400).for_each(|_| walker.step(gradients));
    walker.descent(gradients)
}

fn placement() -> Outcome {
    let cases = [
        (Outside(1e-8), "outside, ε = 1e-8", [0.990, 0.9999, 0.999_999]),
        (Inside(1e-8), "inside, ε = 1e-8", [0.0100, 0.5_f64.sqrt(), 0.999_95]),
        (Outside(1e-4), "outside, ε = 1e-4", [0.0099, 0.5, 0.990_099]),
    ];
    let gradients = [1e-6, 1e-4, 1e-2];
    let sizes: Vec<f64> = (0..=40).map(|k| 10_f64.powf(-9.0 + f64::from(k) * 0.2)).collect();
    let mut checks = Vec::new();
    let mut figure =
        Figure::new("Steady step under a constant gradient", Axis::log("gradient g"), Axis::log("step / η"));
    for (eps, name, recorded) in cases {
        for ((g, step), recorded) in gradients.iter().zip(steady(eps, &gradients)).zip(recorded) {
            checks.push(Check::about(format!("step/η at g = {g:e}, {name}"), step, recorded, 5e-3));
        }
        let closed = |&g: &f64| match eps {
            Inside(eps) => g / (g * g + eps).sqrt(),
            _ => g / (g + eps.value()),
        };
        let (measured, closed) = (steady(eps, &sizes), sizes.iter().map(closed).collect::<Vec<_>>());
        let error = deviation(&measured, &closed);
        checks.push(Check::near(format!("largest relative error of the formula, {name}"), error, 0.0, 1e-12));
        let over = |values: &[f64]| sizes.iter().copied().zip(values.iter().copied()).collect();
        figure = figure.with(name, Style::Line, over(&measured)).with(
            format!("formula, {name}"),
            Style::Expected,
            over(&closed),
        );
    }
    let [outside, inside] = [Outside(1e-8), Inside(1e-8)].map(|eps| steady(eps, &[1e-2])[0]);
    checks.push(Check::near("difference of the places at g = 1e-2", outside - inside, 5e-5, 2e-6));
    Outcome { checks, figures: vec![figure] }
}

const PERTURBATION: Experiment = Experiment {
    name: "epsilon-perturbation",
    claim: "ε breaks the invariance under L → cL a little; the usual first-order estimate holds only for \
            small ε/s and c ≥ 1.",
    formula: "step(cg)/step(g) = (s + ε)/(s + ε/c) ≈ 1 + (c - 1)/c · ε/s outside; √((v + ε)/(v + ε/c²)) \
              inside",
    source: "An essay gives the first-order formula without its range; for c = 0.1 it says 0.1 where the \
             truth is 0.55.",
    code: "let ratio = steady(eps, &[c * s])[0] / steady(eps, &[s])[0];",
    run: perturbation,
};

fn perturbation() -> Outcome {
    let ratio = |eps, s: f64, c: f64| steady(eps, &[c * s])[0] / steady(eps, &[s])[0];
    let first_order = |eps: f64, s: f64, c: f64| 1.0 + (c - 1.0) / c * eps / s;
    let mut checks = Vec::new();
    for (s, eps, c, exact, estimate) in [
        (0.01, 0.001, 10.0, 1.08911, 1.09),
        (1e-8, 1e-8, 1000.0, 1.998, 1.999),
        (0.01, 0.001, 0.1, 0.55, 0.1),
    ] {
        let case = format!("s = {s:e}, ε = {eps:e}, c = {c}");
        checks.push(Check::near(format!("ratio, {case}"), ratio(Outside(eps), s, c), exact, 5e-6));
        checks.push(Check::near(
            format!("first-order estimate, {case}"),
            first_order(eps, s, c),
            estimate,
            1e-9,
        ));
    }
    let scales: Vec<f64> = (0..=40).map(|k| 10_f64.powf(-1.0 + 0.1 * f64::from(k))).collect();
    let (s, eps) = (0.01, 0.001);
    let exact = |c: f64| (s + eps) / (s + eps / c);
    let inside = |c: f64| ((s * s + eps * eps) / (s * s + eps * eps / (c * c))).sqrt();
    let curve = |of: &dyn Fn(f64) -> f64| scales.iter().map(|&c| (c, of(c))).collect::<Vec<_>>();
    let places = [
        ("ε = 0.001 outside", Outside(eps), &exact as &dyn Fn(f64) -> f64),
        ("ε = 0.001² inside", Inside(eps * eps), &inside),
    ];
    let mut figure = Figure::new(
        "What ε leaves of scale invariance, at s = 0.01",
        Axis::log("scale c of the loss"),
        Axis::linear("step(c g) / step(g)"),
    );
    for (name, eps, closed) in places {
        let measured = curve(&|c| ratio(eps, s, c));
        let error = measured.iter().map(|&(c, ratio)| (ratio / closed(c) - 1.0).abs()).fold(0.0, f64::max);
        checks.push(Check::near(format!("largest relative error of the formula, {name}"), error, 0.0, 1e-12));
        figure = figure.with(name, Style::Line, measured).with(
            format!("formula, {name}"),
            Style::Expected,
            curve(closed),
        );
    }
    figure = figure.with("first-order estimate, outside", Style::Marks, curve(&|c| first_order(eps, s, c)));
    Outcome { checks, figures: vec![figure] }
}

const UNITS: Experiment = Experiment {
    name: "epsilon-units",
    claim: "ε has the unit of the gradient outside the root and of its square inside: scaled along with the \
            loss, it leaves the path as it was.",
    formula: "(L, ε) → (cL, cε) outside, (cL, c²ε) inside; (w, η, ε) → (kw, kη, ε/k) outside",
    source: "Dimensional analysis in an essay on RMSProp. A power of two scales without rounding, so the \
             paths agree to the last bit.",
    code: "let scaled = descend(RmsProp { eps: Epsilon::Outside(c * eps), ..rule }, 1.0, 100, |w| c * \
           slope(w));",
    run: units,
};

fn units() -> Outcome {
    // The slope of log cosh 2w, which has no scale of its own.
    let slope = |w: f64| 2.0 * (2.0 * w).tanh();
    let path = |eps, c: f64| {
        let rule = RmsProp { lr: 0.02, rho: 0.9, eps, ..RmsProp::default() };
        descend(rule, 1.0, 100, |w| c * slope(w))
    };
    let (eps, c) = (0.5, 1024.0);
    let mut checks = Vec::new();
    for (name, original, scaled) in
        [("outside", Outside(eps), Outside(c * eps)), ("inside", Inside(eps), Inside(c * c * eps))]
    {
        let differing = path(original, 1.0).iter().zip(&path(scaled, c)).filter(|(a, b)| a != b).count();
        checks.push(Check::near(
            format!("steps that differ in any bit, ε {name}, c = 1024"),
            differing as f64,
            0.0,
            0.0,
        ));
    }
    let decimal = deviation(&path(Outside(1000.0 * eps), 1000.0), &path(Outside(eps), 1.0));
    checks.push(Check::near("largest relative difference, ε outside, c = 1000", decimal, 0.0, 1e-9));

    let k = 64.0;
    let rule = RmsProp { lr: 0.02 * k, rho: 0.9, eps: Outside(eps / k), ..RmsProp::default() };
    let wide: Vec<f64> = descend(rule, k, 100, |w| slope(w / k) / k).iter().map(|w| w / k).collect();
    let differing = wide.iter().zip(&path(Outside(eps), 1.0)).filter(|(a, b)| a != b).count();
    checks.push(Check::near(
        "steps that differ in any bit, w, η and 1/ε times 64",
        differing as f64,
        0.0,
        0.0,
    ));

    let figure = Figure::new("ε scaled with the loss, or not", Axis::linear("step"), Axis::linear("w"))
        .with("L, ε = 0.5", Style::Line, evenly(&path(Outside(eps), 1.0)))
        .with("1024 L, ε = 512: the same path", Style::Expected, evenly(&path(Outside(c * eps), c)))
        .with("1024 L, ε = 0.5", Style::Line, evenly(&path(Outside(eps), c)));
    Outcome { checks, figures: vec![figure] }
}
