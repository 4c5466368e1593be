//! What the moving average of the squared gradient is and how long it remembers.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use wengert_autodiff::Param;
use wengert_optim::inspect::Explain;
use wengert_optim::{RmsProp, WeightEma};

use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::{evenly, in_ratios};
use crate::run::walker::Walker;
use crate::{Axis, Check, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] =
    &[CONSTANT_GRADIENT, EFFECTIVE_MEMORY, NOISY_ESTIMATE, DECAY_WEIGHTS, ONE_AVERAGE];

const CONSTANT_GRADIENT: Experiment = Experiment {
    name: "constant-gradient",
    claim: "Under a constant gradient g, the average v goes to g².",
    formula: "v_t = g² (1 - ρᵗ)",
    source: "A common remark about RMSProp; the closed form is the sum of a geometric series.",
    code: concat!(
        "let mut state = rule.init(&p);\n",
        "for _ in 0..t {\n",
        "    rule.update(&mut p, &g, &mut state);\n",
        "}\n",
        "println!(\"{}\", state.v);",
    ),
    run: constant_gradient,
};

fn constant_gradient() -> Outcome {
    let g = 3.0;
    let mut checks = Vec::new();
    let mut figure = Figure::new("v under g = 3", Axis::log("step"), Axis::linear("v (squared gradient)"));
    for (rho, steps_to_95) in [(0.9, 29), (0.99, 299), (0.999, 2995)] {
        let v = average(rho, [g; 3500]);
        let closed = formula(v.len(), |t| g * g * (1.0 - rho.powf(t)));
        let error = deviation(&v, &closed);
        checks.push(Check::near(format!("largest relative error of v, ρ = {rho}"), error, 0.0, 1e-12));
        let reached = v.iter().position(|&v| v >= 0.95 * g * g).map_or(f64::NAN, |t| t as f64 + 1.0);
        checks.push(Check::near(
            format!("steps to 95 % of g², ρ = {rho}"),
            reached,
            f64::from(steps_to_95),
            0.0,
        ));
        figure = figure.with(format!("ρ = {rho}"), Style::Line, in_ratios(&v)).with(
            format!("g² (1 - ρᵗ), ρ = {rho}"),
            Style::Expected,
            in_ratios(&closed),
        );
    }
    Outcome { checks, figures: vec![figure] }
}

/// `v` of one number after each of the gradients.
fn average(rho: f64, gradients: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut walker: Walker<RmsProp> = Walker::new(RmsProp { rho, ..RmsProp::default() }, &[0.0]);
    let step = |g| {
        walker.step(&[g]);
        walker.state.v[0]
    };
    gradients.into_iter().map(step).collect()
}

/// `v` after a gradient of 1 and then of 0.
fn impulse(rho: f64, count: usize) -> Vec<f64> {
    average(rho, (0..count).map(|t| if t == 0 { 1.0 } else { 0.0 }))
}

const EFFECTIVE_MEMORY: Experiment = Experiment {
    name: "effective-memory",
    claim: "An average with decay ρ remembers M = 1/(1 - ρ) steps in the sense that they hold 63 to 65 % of \
            the weight; it is as noisy as a plain mean of twice as many.",
    formula: "weight of the last M: 1 - ρᴹ; half-life: ln ½ / ln ρ; window of equal variance: (1 + ρ)/(1 - \
              ρ)",
    source: "An essay says that the average is about the mean of the last 1/(1 - ρ) squares: the mean that \
             varies as little is over about 2/(1 - ρ).",
    code: "let weights = impulse(rho, 20 * m); // what is left of one squared gradient, step by step",
    run: effective_memory,
};

fn effective_memory() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new(
        "Weight held by the last steps",
        Axis::log("steps back, in units of 1/(1 - ρ)"),
        Axis::linear("share of the weight"),
    );
    for (rho, length, held, half_life, window) in
        [(0.9, 10, 0.651, 6.58, 19.0), (0.99, 100, 0.634, 68.97, 199.0), (0.999, 1000, 0.632, 692.8, 1999.0)]
    {
        let weights = impulse(rho, 25 * length);
        let recent: f64 = weights[..length].iter().sum();
        checks.push(Check::near(format!("weight of the last {length} steps, ρ = {rho}"), recent, held, 6e-4));
        let half = weights.iter().position(|&w| w < weights[0] / 2.0).unwrap_or(1);
        // Between two steps the weight falls exponentially.
        let beyond = (weights[half] * 2.0 / weights[0]).ln() / (weights[half] / weights[half - 1]).ln();
        checks.push(Check::about(
            format!("half-life in steps, ρ = {rho}"),
            half as f64 - beyond,
            half_life,
            1e-3,
        ));
        let squares: f64 = weights.iter().map(|w| w * w).sum();
        checks.push(Check::about(
            format!("window of equal variance in steps, ρ = {rho}"),
            weights.iter().sum::<f64>().powi(2) / squares,
            window,
            1e-8,
        ));
        let sums = average(rho, vec![1.0; 6 * length]);
        let scaled = |points: Vec<(f64, f64)>| {
            points.into_iter().map(|(t, held)| (t / length as f64, held)).collect::<Vec<_>>()
        };
        figure = figure.with(format!("ρ = {rho}"), Style::Line, scaled(in_ratios(&sums))).with(
            format!("1 - ρᴹ, ρ = {rho}"),
            Style::Expected,
            scaled(in_ratios(&formula(6 * length, |t| 1.0 - rho.powf(t)))),
        );
    }
    Outcome { checks, figures: vec![figure] }
}

const NOISY_ESTIMATE: Experiment = Experiment {
    name: "noisy-estimate",
    claim: "v estimates the mean square of the gradient, but noisily: for g ~ N(0, 1) and ρ = 0.9 it varies \
            by a third.",
    formula: "sd(v) = √(2 (1 - ρ)/(1 + ρ)), as var(g²) = 2; E 1/√v = 2/√π ∫ Π (1 + 2 u² wₖ)^(-1/2) du with \
              wₖ = (1 - ρ) ρᵏ",
    source: "Essays say that v is the mean square; how good an estimate it is they leave out. A recorded \
             simulation gave E 1/√v = 1.038 and 1.002; the integral is 1.0394 and 1.0038.",
    code: "let g: Vec<f64> = rng.sample_iter(StandardNormal).take(n).collect();",
    run: noisy_estimate,
};

fn noisy_estimate() -> Outcome {
    const STREAMS: usize = 500;
    let (burn_in, count) = (800, 2800);
    let rhos = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99];
    let mut rng = StdRng::seed_from_u64(9);
    let start = [0.0; STREAMS];
    let mut walkers = rhos.map(|rho| Walker::<RmsProp>::new(RmsProp { rho, ..RmsProp::default() }, &start));
    let mut moments = rhos.map(|_| [0.0; 3]);
    let mut paths = rhos.map(|_| Vec::new());
    for t in 0..count {
        let g: Vec<f64> = (&mut rng).sample_iter(StandardNormal).take(STREAMS).collect();
        for ((walker, sums), path) in walkers.iter_mut().zip(&mut moments).zip(&mut paths) {
            walker.step(&g);
            path.push(walker.state.v[0]);
            if t >= burn_in {
                for &v in &walker.state.v {
                    *sums = [sums[0] + v, sums[1] + v * v, sums[2] + v.sqrt().recip()];
                }
            }
        }
    }
    let seen = ((count - burn_in) * STREAMS) as f64;
    let sd = |sums: [f64; 3]| (sums[1] / seen - (sums[0] / seen).powi(2)).sqrt();
    let closed = |rho: f64| (2.0 * (1.0 - rho) / (1.0 + rho)).sqrt();
    let mut checks = Vec::new();
    for (rho, deviation, inverse_root) in [(0.9, 0.324, 1.0394), (0.99, 0.1003, 1.0038)] {
        let place = rhos.iter().position(|&other| other == rho).unwrap_or(0);
        let sums = moments[place];
        checks.push(Check::near(format!("mean of v, ρ = {rho}"), sums[0] / seen, 1.0, 0.01));
        checks.push(Check::about(format!("standard deviation of v, ρ = {rho}"), sd(sums), deviation, 0.03));
        checks.push(Check::near(format!("mean of 1/√v, ρ = {rho}"), sums[2] / seen, inverse_root, 0.0025));
    }
    let points = |of: &dyn Fn(usize) -> f64| (0..rhos.len()).map(|k| (1.0 - rhos[k], of(k))).collect();
    let figure = Figure::new(
        "How much v varies for g ~ N(0, 1)",
        Axis::log("1 - ρ"),
        Axis::log("standard deviation of v"),
    )
    .with("measured", Style::Marks, points(&|k| sd(moments[k])))
    .with("√(2 (1 - ρ)/(1 + ρ))", Style::Expected, points(&|k| closed(rhos[k])));
    let path = Figure::new("One path of v", Axis::linear("step"), Axis::linear("v"))
        .with("ρ = 0.9", Style::Line, evenly(&paths[2][burn_in..burn_in + 400]))
        .with("ρ = 0.99", Style::Line, evenly(&paths[5][burn_in..burn_in + 400]))
        .with("E g²", Style::Expected, vec![(1.0, 1.0), (400.0, 1.0)]);
    Outcome { checks, figures: vec![figure, path] }
}

const DECAY_WEIGHTS: Experiment = Experiment {
    name: "decay-weights",
    claim: "A squared gradient k steps back counts ρᵏ times as much as the newest: 0.9, 0.81, 0.729, …",
    formula: "v_k / v_0 = ρᵏ after one gradient and then none",
    source: "A blog's table of weights, which also calls the average a sliding window; it has no edge.",
    code: "let v = impulse(0.9, 60);",
    run: decay_weights,
};

fn decay_weights() -> Outcome {
    let v = impulse(0.9, 60);
    let weights: Vec<f64> = v[1..].iter().map(|&later| later / v[0]).collect();
    let closed = formula(weights.len(), |k| 0.9_f64.powf(k));
    let mut checks: Vec<Check> = (1..)
        .zip([0.9, 0.81, 0.729])
        .map(|(k, weight)| Check::about(format!("weight {k} steps back"), weights[k - 1], weight, 1e-14))
        .collect();
    checks.push(Check::near("largest relative error of ρᵏ", deviation(&weights, &closed), 0.0, 1e-13));
    let figure = Figure::new(
        "What is left of one squared gradient, ρ = 0.9",
        Axis::linear("steps back"),
        Axis::log("weight"),
    )
    .with("measured", Style::Marks, evenly(&weights))
    .with("ρᵏ", Style::Expected, evenly(&closed));
    Outcome { checks, figures: vec![figure] }
}

const ONE_AVERAGE: Experiment = Experiment {
    name: "one-average",
    claim: "RMSProp's v and an averaged weight are the same moving average, of g² and of w; a correction by \
            1 - ρᵗ undoes the start at 0 in both.",
    formula: "a ← ρ a + (1 - ρ) x, corrected a / (1 - ρᵗ)",
    source: "A tutorial's formula for the moving average of any series.",
    code: "ema.update(&model); // the model holds g²",
    run: one_average,
};

fn one_average() -> Outcome {
    let rho = 0.95;
    let gradient = |t: usize| 1.5 + (t as f64 * 0.35).sin();
    let rule = RmsProp { rho, bias_correction: true, ..RmsProp::default() };
    let mut walker: Walker<RmsProp> = Walker::new(rule, &[0.0]);
    let mut model: Param<f64> = ndarray::arr1(&[0.0]).into();
    let (mut ema, mut raw) = (WeightEma::with_bias_correction(rho), Vec::new());
    let (mut corrected, mut averaged) = (Vec::new(), Vec::new());
    for t in 0..120 {
        let g = gradient(t);
        walker.step(&[g]);
        raw.push(walker.state.v[0]);
        // The public estimate of the squared gradient, after the correction.
        corrected.push(walker.rule.second_moment(&walker.state).map_or(f64::NAN, |(v, _)| v[0]));
        model.value_mut()[0] = g * g;
        ema.update(&model);
        averaged.push(ema.values().map(|(_, value)| value[0]).sum());
    }
    let unbiased = formula(raw.len(), |t| (1.0 - rho.powf(t)) * averaged[t as usize - 1]);
    let checks = vec![
        Check::near(
            "largest relative difference, both corrected",
            deviation(&corrected, &averaged),
            0.0,
            1e-12,
        ),
        Check::near(
            "largest relative difference of v from (1 - ρᵗ) a",
            deviation(&raw, &unbiased),
            0.0,
            1e-12,
        ),
        Check::about(
            "the first corrected average: the first square",
            corrected[0],
            gradient(0).powi(2),
            1e-12,
        ),
    ];
    let figure = Figure::new(
        "The average of g², ρ = 0.95",
        Axis::linear("step"),
        Axis::linear("average (squared gradient)"),
    )
    .with("v / (1 - ρᵗ) of RMSProp", Style::Line, evenly(&corrected))
    .with("average of a weight that is g²", Style::Expected, evenly(&averaged))
    .with("v, from 0", Style::Line, evenly(&raw));
    Outcome { checks, figures: vec![figure] }
}
