//! The rate that every parameter gets for itself.

use ndarray::Array2;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_autodiff::{Tape, module};
use wengert_layers::{Dense, Layer};
use wengert_optim::inspect::Explain;
use wengert_optim::{Optimizer, RmsProp};

use crate::experiments::closed_form::deviation;
use crate::run::walker::Walker;
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[RATES, LAYERS];

const RATES: Experiment = Experiment {
    name: "rate-per-parameter",
    claim: "RMSProp gives every parameter a rate of its own, η/(√v + ε), which equalises the size of the \
            steps.",
    formula: "rate · |g| = η |g|/(|g| + ε) in the steady state",
    source: "A note says that it reduces the rate of parameters with large gradients; the steps, which is \
             what counts, become equal.",
    code: "let rates = rule.effective_lr(&p, &state); // or `opt.effective_lr(…)` of a named parameter",
    run: parameter_rates,
};

fn parameter_rates() -> Outcome {
    let lr = 0.01;
    let sizes: Vec<f64> = (0..=40).map(|k| 10_f64.powf(-4.0 + 0.2 * f64::from(k))).collect();
    let rule = RmsProp { lr, rho: 0.9, ..RmsProp::default() };
    let mut walker: Walker<RmsProp> = Walker::new(rule, &vec![0.0; sizes.len()]);
    (0..399).for_each(|_| walker.step(&sizes));
    let descents = walker.descent(&sizes);
    let rates: Vec<f64> = rule.effective_lr(&walker.p, &walker.state).into_iter().collect();
    let closed: Vec<f64> = sizes.iter().map(|g| lr / (g + 1e-8)).collect();
    let products: Vec<f64> = rates.iter().zip(&sizes).map(|(rate, g)| rate * g).collect();
    let spread = descents.iter().fold(0.0, |a: f64, &b| a.max(b)) / descents[0];
    let checks = vec![
        Check::near("largest relative error of η/(|g| + ε)", deviation(&rates, &closed), 0.0, 1e-12),
        Check::near(
            "largest relative difference of a step from rate · g",
            deviation(&descents, &products),
            0.0,
            1e-14,
        ),
        Check::about("gradients: largest over smallest", sizes[40] / sizes[0], 1e8, 1e-9),
        Check::about("steps: largest over smallest, 1 + ε/|g|", spread, 1.0 + 1e-4, 1e-8),
    ];
    let over = |values: &[f64]| sizes.iter().copied().zip(values.iter().copied()).collect();
    let figure = Figure::new(
        "Rate and step by the size of the gradient",
        Axis::log("gradient |g|"),
        Axis::log("rate, and step"),
    )
    .with("effective rate", Style::Line, over(&rates))
    .with("η/(|g| + ε)", Style::Expected, over(&closed))
    .with("step", Style::Line, over(&descents));
    Outcome { checks, figures: vec![figure] }
}

const LAYERS: Experiment = Experiment {
    name: "rates-by-layer",
    claim: "Within one layer of a network the rates lie more than an order of magnitude apart, though one η \
            was set; every step is its own rate times its gradient.",
    formula: "Δw = -rate · g, element by element, with rate = η/(√v + ε)",
    source: "Two notes speak of a rate per parameter; here they can be read. How far apart they lie was not \
             predicted: the bound is one order of magnitude.",
    code: "opt.step_with(&mut model, &grads, |seen| println!(\"{:?}\", seen.summary()));",
    run: layers,
};

struct Mlp {
    hidden: Dense<f64>,
    out: Dense<f64>,
}

module!(Mlp: f64 { hidden, out });

fn layers() -> Outcome {
    let rng = &mut StdRng::seed_from_u64(36);
    let x = Array2::from_shape_fn((64, 2), |_| rng.random_range(-1.0..1.0_f64));
    let y =
        x.map_axis(ndarray::Axis(1), |row| (3.0 * row[0]).sin() + 0.5 * row[1]).insert_axis(ndarray::Axis(1));
    let mut model = Mlp { hidden: Dense::new(2, 16, rng), out: Dense::new(16, 1, rng) };
    let mut opt = Optimizer::new(RmsProp { lr: 1e-3, rho: 0.9, ..RmsProp::default() });
    let (mut error, mut rates) = (0.0_f64, Vec::new());
    for _ in 0..200 {
        let tape: Tape<f64> = Tape::new();
        let hidden = model.hidden.forward(tape.constant(x.clone())).tanh();
        let loss = (model.out.forward(hidden) - tape.constant(y.clone())).square().mean();
        let grads = loss.backward();
        rates.clear();
        opt.step_with(&mut model, &grads, |seen| {
            let rate = seen.rule.effective_lr(seen.after, seen.state);
            for ((update, rate), g) in seen.update().iter().zip(&rate).zip(seen.grad) {
                error = error.max((update + rate * g).abs());
            }
            let mut sorted: Vec<f64> = rate.iter().copied().collect();
            sorted.sort_by(f64::total_cmp);
            rates.push((seen.name.to_owned(), sorted));
        });
    }
    let mut figure = Figure::new(
        "Rates of a small network after 200 steps, η = 0.001",
        Axis::log("effective rate η/(√v + ε)"),
        Axis::linear("share of the elements below"),
    );
    let mut checks = vec![Check::near("largest difference of Δw from -rate · g", error, 0.0, 1e-14)];
    for (name, sorted) in rates {
        if name == "hidden.weight" {
            let spread = sorted[sorted.len() - 1] / sorted[0];
            checks.push(Check::new(
                "largest over smallest rate of hidden.weight",
                spread,
                Expected::AtLeast(10.0),
            ));
        }
        let share = |k: usize| (k as f64 + 1.0) / sorted.len() as f64;
        let points = sorted.iter().enumerate().map(|(k, &rate)| (rate, share(k))).collect();
        figure = figure.with(name, if sorted.len() == 1 { Style::Marks } else { Style::Line }, points);
    }
    Outcome { checks, figures: vec![figure] }
}
