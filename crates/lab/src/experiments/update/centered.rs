//! Centered RMSProp, which divides by the standard deviation of the gradient.

use wengert_optim::RmsProp;

use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::evenly;
use crate::run::walker::{Walker, steps};
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[BLOW_UP, CLAMP];

const BLOW_UP: Experiment = Experiment {
    name: "centered-blow-up",
    claim: "Under a steady gradient centered RMSProp's divisor collapses and its steps grow exponentially, \
            up to η g/ε.",
    formula: "v - m² = g² ρᵗ (1 - ρᵗ), so that step_t = η / √(ρᵗ (1 - ρᵗ))",
    source: "An essay calls centering \"more stable\" and \"a hallmark of Adam\". Adam does not center: it \
             divides m by the uncentered root.",
    code: "let rule = RmsProp { lr: 1.0, rho: 0.9, centered: true, ..RmsProp::default() };",
    run: blow_up,
};

fn blow_up() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new("Centered RMSProp under g = 1", Axis::linear("step"), Axis::log("step / η"));
    // Up to where ρᵗ is still far above the rounding of v - m².
    for (rho, count, passes_100) in [(0.9, 130, 88.0), (0.99, 1000, 917.0)] {
        let rule = RmsProp { lr: 1.0, rho, centered: true, ..RmsProp::default() };
        let descents = steps(rule, vec![1.0; count]);
        let closed = formula(count, |t| (rho.powf(t) * (1.0 - rho.powf(t))).sqrt().recip());
        let passed = descents.iter().position(|&step| step > 100.0).map_or(f64::NAN, |t| t as f64 + 1.0);
        checks.push(Check::near(format!("first step above 100 η, ρ = {rho}"), passed, passes_100, 0.0));
        let error = deviation(&descents, &closed);
        checks.push(Check::near(
            format!("largest relative error of the formula, ρ = {rho}"),
            error,
            0.0,
            1e-4,
        ));
        figure = figure.with(format!("ρ = {rho}"), Style::Line, evenly(&descents)).with(
            format!("1/√(ρᵗ (1 - ρᵗ)), ρ = {rho}"),
            Style::Expected,
            evenly(&closed),
        );
    }
    let rule = RmsProp { lr: 1.0, rho: 0.9, centered: true, ..RmsProp::default() };
    let largest = steps(rule, [1.0; 3000]).into_iter().fold(0.0, f64::max);
    let cap = Expected::Between(1e6, 1e8 * (1.0 + 1e-12));
    checks.push(Check::new("largest step / η of 3000: the cap is g/ε = 1e8", largest, cap));
    Outcome { checks, figures: vec![figure] }
}

const CLAMP: Experiment = Experiment {
    name: "centered-clamp",
    claim: "In f32 rounding makes v - m² negative under a steady gradient, whose root would be NaN; ours is \
            taken as zero and counted.",
    formula: "rounding leaves up to about 2⁻²⁴/(1 - ρ) of g² in v and in m², and ρᵗ falls below that",
    source: "Of seven other implementations whose source was read, none clamps. A NumPy reference turns NaN \
             at t = 1202 for g = 0.1; the step depends on the order of operations.",
    code: "println!(\"{} variances were taken as zero\", state.clamped);",
    run: clamp,
};

fn clamp() -> Outcome {
    let gradients: Vec<f64> = (1..=20).map(|k| f64::from(k) * 0.1).collect();
    let rule = RmsProp { lr: 1.0, rho: 0.99, centered: true, ..RmsProp::default() };
    let mut walker = Walker::<RmsProp, f32>::new(rule, &vec![0.0; gradients.len()]);
    let (count, mut first, mut finite) = (4000, f64::NAN, true);
    let (mut clamped, mut first_gradient) = (Vec::new(), Vec::new());
    for t in 1..=count {
        let descents = walker.descent(&gradients);
        finite &= descents.iter().all(|step| step.is_finite());
        first_gradient.push(descents[0]);
        clamped.push(walker.state.clamped as f64);
        if first.is_nan() && walker.state.clamped > 0 {
            first = f64::from(t);
        }
    }
    // ρᵗ between the rounding of one operation and that of the two averages, each over 1/(1 - ρ) operations.
    let step_at = |share: f64| share.ln() / 0.99_f64.ln();
    let unit = 0.5_f64.powi(24);
    let checks = vec![
        Check::new(
            "the first clamp, in steps",
            first,
            Expected::Between(step_at(4.0 * unit * 100.0), step_at(unit)),
        ),
        Check::new("clamped variances of 20 elements in 4000 steps", clamped[3999], Expected::AtLeast(1.0)),
        Check::near("steps that are NaN or infinite", f64::from(u8::from(!finite)), 0.0, 0.0),
        Check::new(
            "largest step / η at g = 0.1: at most g/ε = 1e7",
            first_gradient.iter().copied().fold(0.0, f64::max),
            Expected::Between(1e3, 1.0001e7),
        ),
    ];
    let exact = formula(1400, |t| (0.99_f64.powf(t) * (1.0 - 0.99_f64.powf(t))).sqrt().recip());
    let figure =
        Figure::new("Centered in f32, g = 0.1, ρ = 0.99", Axis::linear("step"), Axis::log("step / η"))
            .with("f32", Style::Line, evenly(&first_gradient[..1400]))
            .with("1/√(ρᵗ (1 - ρᵗ))", Style::Expected, evenly(&exact));
    let counts = Figure::new(
        "Variances taken as zero",
        Axis::linear("step"),
        Axis::linear("clamped so far, 20 elements"),
    )
    .with("g = 0.1, 0.2, …, 2", Style::Line, evenly(&clamped));
    Outcome { checks, figures: vec![figure, counts] }
}
