//! What AdaGrad's sum and RMSProp's average make of old gradients.

use wengert_optim::inspect::Explain;
use wengert_optim::{AdaGrad, Adam, RmsProp};

use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::{evenly, in_ratios};
use crate::run::walker::{Walker, descend, steps};
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] =
    &[STEEP_TO_FLAT, ADAGRAD_FORMULA, ADAGRAD_SHRINKS, ADAGRAD_CONVERGES, ALTERNATING];

const STEEP_TO_FLAT: Experiment = Experiment {
    name: "steep-to-flat",
    claim: "After a steep stretch RMSProp recovers its rate on the flat; AdaGrad, whose sum keeps the early \
            large gradients, never does.",
    formula: "half of η after ln(3 g₂² / (v - g₂²)) / ln ρ steps; v is what the steep stretch left",
    source: "Essays on AdaGrad and RMSProp; one of them blames \"early large learning rates\", but it is the \
             gradients that the sum keeps.",
    code: "let gradients = (0..1000).map(|t| if t < 100 { 10.0 } else { 0.1 });",
    run: steep_to_flat,
};

/// The gradient on the first hundred steps, and on those after them.
const STEEP: f64 = 10.0;
const FLAT: f64 = 0.1;
/// η of all rules here.
const LR: f64 = 0.01;

fn slope(t: usize) -> f64 {
    if t < 100 { STEEP } else { FLAT }
}

fn steep_to_flat() -> Outcome {
    let mut figure = Figure::new(
        "Effective rate: 100 steps at g = 10, then g = 0.1",
        Axis::linear("step"),
        Axis::log("effective rate η / (√v + ε)"),
    );
    let mut checks = adagrad_stays_slow();
    let sum = |t: f64| t.min(100.0) * STEEP * STEEP + (t - 100.0).max(0.0) * FLAT * FLAT;
    let rate = rates(AdaGrad { lr: LR, ..AdaGrad::default() }, 1000, slope);
    figure = figure.with("AdaGrad", Style::Line, evenly(&rate)).with(
        "AdaGrad: η / √Σg²",
        Style::Expected,
        evenly(&formula(1000, |t| LR / sum(t).sqrt())),
    );
    for (rho, half) in [(0.9, 77.0), (0.99, 762.0)] {
        checks.extend(rmsprop_recovers(rho, half));
        let peak = STEEP * STEEP * (1.0 - f64::powi(rho, 100));
        let v = |t: f64| {
            let forgotten = rho.powf((t - 100.0).max(0.0));
            if t <= 100.0 {
                STEEP * STEEP * (1.0 - rho.powf(t))
            } else {
                peak * forgotten + FLAT * FLAT * (1.0 - forgotten)
            }
        };
        let rate = rates(RmsProp { lr: LR, rho, ..RmsProp::default() }, 1000, slope);
        figure = figure.with(format!("RMSProp, ρ = {rho}"), Style::Line, evenly(&rate)).with(
            format!("RMSProp, ρ = {rho}: η / √v"),
            Style::Expected,
            evenly(&formula(1000, |t| LR / v(t).sqrt())),
        );
    }
    Outcome { checks, figures: vec![figure] }
}

fn adagrad_stays_slow() -> Vec<Check> {
    let descents = steps(AdaGrad { lr: LR, ..AdaGrad::default() }, (0..1000).map(slope));
    let step = |t: usize| Check::about(format!("AdaGrad's step at t = {t}"), descents[t - 1], 1.0e-5, 1e-3);
    let mut checks: Vec<Check> = [101, 200, 1000].map(step).into();
    let reached = descents[100..].iter().copied().fold(0.0, f64::max) / LR;
    let what = "AdaGrad's largest step on the flat, as a share of η";
    checks.push(Check::new(what, reached, Expected::AtMost(0.01)));
    checks
}

/// `half`: after how many steps on the flat its step is half of η again.
fn rmsprop_recovers(rho: f64, half: f64) -> Vec<Check> {
    let descents = steps(RmsProp { lr: LR, rho, ..RmsProp::default() }, (0..1000).map(slope));
    let mut checks = Vec::new();
    if rho == 0.9 {
        for (t, step, digits) in [(101, 1.05e-4, 5e-3), (200, 8.889e-3, 1e-4), (1000, 1.0e-2, 1e-4)] {
            let what = format!("RMSProp's step at t = {t}, ρ = {rho}");
            checks.push(Check::about(what, descents[t - 1], step, digits));
        }
    }
    let recovered = descents[100..].iter().position(|&step| step >= LR / 2.0);
    let recovered = recovered.map_or(f64::NAN, |t| t as f64 + 1.0);
    checks.push(Check::near(format!("flat steps until half of η, ρ = {rho}"), recovered, half, 0.0));
    checks
}

/// The effective rate after each step.
fn rates<R: Explain<f64>>(rule: R, count: usize, gradient: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut walker = Walker::new(rule, &[0.0]);
    let mut rate = |t| {
        walker.step(&[gradient(t)]);
        walker.rate()
    };
    (0..count).map(&mut rate).collect()
}

const ADAGRAD_FORMULA: Experiment = Experiment {
    name: "adagrad-formula",
    claim: "AdaGrad divides by the square root of the sum of squared gradients, with ε outside or inside it.",
    formula: "r ← r + g²; w ← w - η g / (√r + ε)   or   w ← w - η g / √(r + ε)",
    source: "Duchi et al., 2011. One blog prints the formula without the root: its steps would be 1/3, 4/25, \
             12/169 here.",
    code: "let rule = AdaGrad { lr: 1.0, eps: Epsilon::Outside(0.5), ..AdaGrad::default() };",
    run: adagrad_formula,
};

fn adagrad_formula() -> Outcome {
    use wengert_optim::Epsilon::{Inside, Outside};
    // 3² + 4² = 5² and 5² + 12² = 13² and 13² + 84² = 85²
    let (gradients, roots) = ([3.0, 4.0, 12.0, 84.0], [3.0, 5.0, 13.0, 85.0]);
    let mut checks = Vec::new();
    let mut figure =
        Figure::new("AdaGrad's steps under g = 3, 4, 12, 84", Axis::linear("step"), Axis::linear("step / η"));
    for (name, eps) in [("ε = 2 outside", Outside(2.0)), ("ε = 2 inside", Inside(2.0))] {
        let descents = steps(AdaGrad { lr: 1.0, eps, ..AdaGrad::default() }, gradients);
        let divisor = |root: f64| if let Inside(eps) = eps { (root * root + eps).sqrt() } else { root + 2.0 };
        let closed: Vec<f64> = gradients.iter().zip(roots).map(|(g, root)| g / divisor(root)).collect();
        let error = deviation(&descents, &closed);
        checks.push(Check::near(format!("largest relative error of a step, {name}"), error, 0.0, 1e-15));
        figure = figure.with(name, Style::Marks, evenly(&descents)).with(
            format!("formula, {name}"),
            Style::Expected,
            evenly(&closed),
        );
    }
    Outcome { checks, figures: vec![figure] }
}

const ADAGRAD_SHRINKS: Experiment = Experiment {
    name: "adagrad-shrinks",
    claim: "AdaGrad's rate never rises; under a constant gradient of 1 the step at t is η/√t.",
    formula: "step_t = η / √t",
    source: "Every introduction to AdaGrad. That it falls does not mean that it goes to zero: see \
             adagrad-converges.",
    code: "steps(AdaGrad { lr: 1.0, ..AdaGrad::default() }, [1.0; 10_000])",
    run: adagrad_shrinks,
};

fn adagrad_shrinks() -> Outcome {
    let rule = AdaGrad { lr: 1.0, ..AdaGrad::default() };
    let descents = steps(rule, [1.0; 10_000]);
    let closed = formula(descents.len(), |t| t.sqrt().recip());
    // A stream that swings over four powers of ten.
    let rough = rates(rule, 2000, |t| 100_f64.powf((t as f64 * 0.7).sin()));
    let rises = rough.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let checks = vec![
        Check::near("largest relative error of η/√t", deviation(&descents, &closed), 0.0, 2e-10),
        Check::near("rises of the rate under a rough gradient", rises as f64, 0.0, 0.0),
    ];
    let figure = Figure::new("AdaGrad under g = 1", Axis::log("step"), Axis::log("step / η"))
        .with("AdaGrad", Style::Line, in_ratios(&descents))
        .with("1/√t", Style::Expected, in_ratios(&closed));
    Outcome { checks, figures: vec![figure] }
}

const ADAGRAD_CONVERGES: Experiment = Experiment {
    name: "adagrad-converges",
    claim: "AdaGrad's rate goes to zero only if the sum of the squared gradients is infinite; on L = w² it \
            is finite and w still reaches 0.",
    formula: "rate → η / √(Σ g²)",
    source: "Two essays say that the rate inevitably goes to zero. Falling without end does not mean falling \
             to zero.",
    code: "let w = descend(AdaGrad { lr: 0.1, ..AdaGrad::default() }, 1.0, 2000, |w| 2.0 * w);",
    run: adagrad_converges,
};

fn adagrad_converges() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new(
        "AdaGrad's rate on L = w² from w = 1",
        Axis::log("step"),
        Axis::log("effective rate η / √r"),
    );
    for (lr, sum, rate) in [(1.0, 4.0, 0.5), (0.1, 40.16, 0.01578)] {
        let rule = AdaGrad { lr, ..AdaGrad::default() };
        let mut walker = Walker::new(rule, &[1.0]);
        let rates: Vec<f64> = (0..2000)
            .map(|_| {
                walker.step(&[2.0 * walker.p[0]]);
                walker.rate()
            })
            .collect();
        checks.push(Check::about(
            format!("the sum of g² in the end, η = {lr}"),
            walker.state.r[0],
            sum,
            2e-4,
        ));
        checks.push(Check::about(format!("the rate in the end, η = {lr}"), rates[1999], rate, 5e-4));
        checks.push(Check::near(format!("w in the end, η = {lr}"), walker.p[0], 0.0, 1e-9));
        figure = figure.with(format!("η = {lr}"), Style::Line, in_ratios(&rates)).with(
            format!("recorded limit, η = {lr}"),
            Style::Expected,
            vec![(1.0, rate), (2000.0, rate)],
        );
    }
    let w = descend(AdaGrad { lr: 0.1, ..AdaGrad::default() }, 1.0, 2000, |w| 2.0 * w);
    let path = Figure::new("w on L = w², η = 0.1", Axis::linear("step"), Axis::log("w")).with(
        "AdaGrad",
        Style::Line,
        evenly(&w[..1000]),
    );
    Outcome { checks, figures: vec![figure, path] }
}

const ALTERNATING: Experiment = Experiment {
    name: "alternating-saddle",
    claim: "Across a gradient that only changes sign AdaGrad freezes, RMSProp keeps bouncing and Adam damps.",
    formula: "|step| / η: AdaGrad 1/√t, RMSProp 1, Adam (1 - β₁)/(1 + β₁) = 1/19",
    source: "An essay calls AdaGrad's falling rate a failure at saddles; where the net direction is zero, \
             freezing is no worse than bouncing.",
    code: "let gradients = (0..10_000).map(|t| if t % 2 == 0 { 1.0 } else { -1.0 });",
    run: alternating,
};

fn alternating() -> Outcome {
    let signs = || (0..10_000).map(|t| if t % 2 == 0 { 1.0 } else { -1.0 });
    let sizes = |descents: Vec<f64>| -> Vec<f64> { descents.into_iter().map(f64::abs).collect() };
    let adagrad = sizes(steps(AdaGrad { lr: 1.0, ..AdaGrad::default() }, signs()));
    let rmsprop = sizes(steps(RmsProp { lr: 1.0, rho: 0.9, ..RmsProp::default() }, signs()));
    let adam = sizes(steps(Adam { lr: 1.0, ..Adam::default() }, signs()));
    let checks = vec![
        Check::about("AdaGrad's |step| / η at t = 100", adagrad[99], 0.1, 1e-9),
        Check::about("AdaGrad's |step| / η at t = 10 000", adagrad[9999], 0.01, 1e-9),
        Check::about("RMSProp's |step| / η at t = 10 000", rmsprop[9999], 1.0, 1e-7),
        Check::about("Adam's |step| / η at t = 10 000", adam[9999], 1.0 / 19.0, 1e-7),
    ];
    let count = adagrad.len();
    let average = |t: f64| (1.0 - 0.9_f64.powf(t)).sqrt().recip();
    // m alternates around 0: its size is (1 - β₁)(1 - (-β₁)ᵗ)/(1 + β₁) before the bias correction.
    let damped = |t: f64| {
        let sign = if t % 2.0 == 0.0 { 1.0 } else { -1.0 };
        (1.0 - sign * 0.9_f64.powf(t)) / 19.0 / (1.0 - 0.9_f64.powf(t))
    };
    let figure = Figure::new("Steps under g = 1, -1, 1, …", Axis::log("step"), Axis::log("|step| / η"))
        .with("AdaGrad", Style::Line, in_ratios(&adagrad))
        .with("AdaGrad: 1/√t", Style::Expected, in_ratios(&formula(count, |t| t.sqrt().recip())))
        .with("RMSProp, ρ = 0.9", Style::Line, in_ratios(&rmsprop))
        .with("RMSProp: 1/√(1 - ρᵗ)", Style::Expected, in_ratios(&formula(count, average)))
        .with("Adam", Style::Line, in_ratios(&adam))
        .with("Adam: tends to 1/19", Style::Expected, in_ratios(&formula(count, damped)));
    Outcome { checks, figures: vec![figure] }
}
