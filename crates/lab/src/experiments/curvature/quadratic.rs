//! Quadratics, on which the curvature says everything.

use std::f64::consts::FRAC_PI_4;

use ndarray::{Array1, Array2, array};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::derivatives::{hessian, hvp, largest_eigenpairs, value_and_grad};
use wengert_autodiff::{Dual, Param, Real, Tape, Var};
use wengert_optim::inspect::Explain;
use wengert_optim::{RmsProp, Rule, Sgd};

use crate::experiments::points::over_steps;
use crate::experiments::series::{steps_until, tail_mean};
use crate::run::walker::Walker;
use crate::{Axis, Check, Expected, Experiment, Figure, Landscape, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[PREDICTED, NEWTON, CYCLE];

const PREDICTED: Experiment = Experiment {
    name: "rate-from-eigenvalues",
    claim: "On a quadratic the rate of convergence is known before the first step, from the two ends of the \
            spectrum: of plain descent, and of descent with momentum.",
    formula: "plain: max |1 - η λ|; momentum μ: the largest root of z² - (1 + μ - η λ) z + μ, √μ if all are \
              complex",
    source: "Polyak (1964). The ends are found by Lanczos' method, from products with the Hessian alone.",
    code: concat!(
        "let product = |v: &Array1<f64>| hvp(&mut x, v, loss).product;\n",
        "let largest = largest_eigenpairs(n, 1, 1e-9, rng, product)[0].value;\n",
        "let smallest = -largest_eigenpairs(n, 1, 1e-9, rng, |v| -product(v))[0].value;",
    ),
    run: predicted,
};

const NEWTON: Experiment = Experiment {
    name: "newton-on-the-rotated-valley",
    claim: "Newton's step arrives at once, however the valley is turned; RMSProp's rates, one per coordinate, \
            lose the valley when it is turned.",
    formula: "x - H⁻¹ g = 0 for every angle; RMSProp moves each coordinate by about η a step, so along an axis it \
              needs |x|/η steps; turned by 45°, both rates are those of the steep side",
    source: "The step is exact on a quadratic. The claim `rotated-valley` has the same of AdaGrad and Adam.",
    code: concat!(
        "let h = hessian(&mut x, loss);\n",
        "let g = value_and_grad(&x, loss).1;\n",
        "let next = &x - solve(h, g);",
    ),
    run: newton,
};

const CYCLE: Experiment = Experiment {
    name: "limit-cycle-as-curvature",
    claim: "RMSProp's limit cycle is where the curvature times the effective rate is 2: v shrinks with the \
            gradients until the rates are just unstable. Many coupled directions never settle and stay above.",
    formula: "|w⁺| = |w| needs r h = 2 for r = η/(√v + ε); in a valley the largest eigenvalue of R^½ H R^½ is \
              2; below 2 every direction shrinks, and v with it",
    source: "Follows from the claim `limit-cycle`, |w| → η/2, and v = g². It is the edge of stability of one \
             parameter; that twenty stay above it was measured.",
    code: concat!(
        "let rate = rule.effective_lr(&p, &state);\n",
        "assert!((curvature * rate[0] - 2.0).abs() < 0.01);",
    ),
    run: cycle,
};

/// `½ xᵀ A x`.
fn bowl<'t, F: Real>(a: &Array2<f64>, x: &Param<F>, tape: &'t Tape<F>) -> Var<'t, F> {
    let x = tape.param(x);
    x.matmul(tape.constant(a.mapv(F::from_f64)).matmul(x)) * F::from_f64(0.5)
}

fn dual(x: &Array1<f64>) -> Param<Dual<f64>> {
    Param::new(x.mapv(Dual::from))
}

/// A bowl with these eigenvalues along random directions.
fn random_bowl(eigenvalues: &Array1<f64>, seed: u64) -> Array2<f64> {
    let n = eigenvalues.len();
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut a = Array2::from_diag(eigenvalues);
    // Reflections keep the eigenvalues.
    for _ in 0..4 {
        let u = Array1::from_shape_simple_fn(n, || rng.random_range(-1.0..1.0));
        let reflection = Array2::from_shape_fn((n, n), |(i, j)| {
            f64::from(u8::from(i == j)) - 2.0 * u[i] * u[j] / u.dot(&u)
        });
        a = reflection.dot(&a).dot(&reflection);
    }
    a
}

/// What a step multiplies the distance with at last: the mean of the second half.
fn measured_rate(lengths: &[f64]) -> f64 {
    let last = lengths.len() - 1;
    (lengths[last] / lengths[last / 2]).powf(2.0 / last as f64)
}

/// Steps that a figure shows; the rest is too small to be of interest.
const SHOWN: usize = 600;

fn predicted() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new("Distance from the minimum", Axis::linear("step"), Axis::log("|x| / |x₀|"));
    for (seed, rules) in [(0, [(0.015, 0.0), (0.015, 0.8)]), (1, [(0.019, 0.0), (0.03, 0.9)])] {
        let eigenvalues = Array1::from_shape_fn(20, |i| 100.0_f64.powf(i as f64 / 19.0));
        let a = random_bowl(&eigenvalues, seed);
        let rng = &mut StdRng::seed_from_u64(seed);
        let start = Array1::from_shape_simple_fn(20, || rng.random_range(-1.0..1.0));
        let mut at = dual(&start);
        let mut product = |v: &Array1<f64>| hvp(&mut at, v, |x, tape| bowl(&a, x, tape)).product;
        let largest = largest_eigenpairs(20, 1, 1e-10, rng, &mut product)[0].value;
        let smallest = -largest_eigenpairs(20, 1, 1e-10, rng, |v| -product(v))[0].value;
        checks.push(Check::about(format!("largest eigenvalue, bowl {seed}"), largest, 100.0, 1e-8));
        checks.push(Check::about(format!("smallest eigenvalue, bowl {seed}"), smallest, 1.0, 1e-8));
        for (lr, momentum) in rules {
            let name = format!("bowl {seed}, η = {lr}, μ = {momentum}");
            let expected =
                [smallest, largest].map(|h| factor(lr * h, momentum)).into_iter().fold(0.0, f64::max);
            let lengths = descend(Sgd { lr, momentum, ..Sgd::default() }, &a, &start, 2000);
            checks.push(Check::about(
                format!("factor per step, {name}"),
                measured_rate(&lengths),
                expected,
                2e-3,
            ));
            let line = (0..=SHOWN as i32).map(|step| expected.powi(step));
            figure = figure.with(&name, Style::Line, over_steps(lengths[..=SHOWN].to_vec())).with(
                format!("predicted, {name}"),
                Style::Expected,
                over_steps(line),
            );
        }
    }
    Outcome { checks, figures: vec![figure] }
}

/// What a step with momentum multiplies the distance along a direction with, at last, for `h = η λ`.
fn factor(h: f64, momentum: f64) -> f64 {
    let half = 0.5 * (1.0 + momentum - h);
    let discriminant = half * half - momentum;
    if discriminant < 0.0 { momentum.sqrt() } else { half.abs() + discriminant.sqrt() }
}

/// The lengths on the way, as parts of the first.
fn descend<R: Rule<f64>>(rule: R, a: &Array2<f64>, start: &Array1<f64>, steps: usize) -> Vec<f64> {
    let mut walker = Walker::new(rule, start.as_slice().expect("a vector"));
    let length = |walker: &Walker<R>| walker.p.iter().map(|x| x * x).sum::<f64>().sqrt();
    let first = length(&walker);
    let mut lengths = vec![1.0];
    for _ in 0..steps {
        let (_, gradient) = value_and_grad(&Param::new(walker.p.clone()), |x, tape| bowl(a, x, tape));
        walker.step(gradient.as_slice().expect("a vector"));
        lengths.push(length(&walker) / first);
    }
    lengths
}

fn valley(kappa: f64, angle: f64) -> Array2<f64> {
    ndarray::arr2(&Landscape::Quadratic { kappa, angle }.hessian([0.0; 2]))
}

fn newton() -> Outcome {
    let mut checks = Vec::new();
    let mut figure =
        Figure::new("Distance from the minimum, κ = 100", Axis::linear("step"), Axis::log("|x| / |x₀|"));
    let start = array![1.0, 0.5];
    let mut arrived = Vec::new();
    for (name, angle) in [("along an axis", 0.0), ("turned by 45°", FRAC_PI_4)] {
        let a = valley(100.0, angle);
        let mut x = dual(&start);
        let h = hessian(&mut x, |x, tape| bowl(&a, x, tape));
        let (_, g) = value_and_grad(&Param::new(start.clone()), |x, tape| bowl(&a, x, tape));
        let step = solve(&h, &g);
        let left = (&start - &step).dot(&(&start - &step)).sqrt() / start.dot(&start).sqrt();
        checks.push(Check::new(
            format!("distance left after one of Newton's steps, {name}"),
            left,
            Expected::AtMost(1e-12),
        ));
        let rule = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::default() };
        let lengths = descend(rule, &a, &start, 400);
        arrived.push(steps_until(&lengths, 0.02));
        figure = figure.with(format!("RMSProp, {name}"), Style::Line, over_steps(lengths)).with(
            format!("Newton, {name}"),
            Style::Marks,
            vec![(0.0, 1.0), (1.0, left.max(1e-16))],
        );
    }
    // The longer coordinate at η per step.
    checks.push(Check::about("steps of RMSProp until 2 % are left, along an axis", arrived[0], 100.0, 0.25));
    checks.push(Check::new("times as many, turned by 45°", arrived[1] / arrived[0], Expected::AtLeast(1.5)));
    Outcome { checks, figures: vec![figure] }
}

/// `h⁻¹ g` of two.
fn solve(h: &Array2<f64>, g: &Array1<f64>) -> Array1<f64> {
    let det = h[[0, 0]] * h[[1, 1]] - h[[0, 1]] * h[[1, 0]];
    array![h[[1, 1]] * g[0] - h[[0, 1]] * g[1], h[[0, 0]] * g[1] - h[[1, 0]] * g[0]] / det
}

fn cycle() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new(
        "Curvature times effective rate, η = 0.01, ρ = 0.9",
        Axis::linear("step"),
        Axis::log("largest eigenvalue of R^½ H R^½"),
    );
    let rule = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::default() };
    let bowls = [
        ("h = 1", Array2::from_elem((1, 1), 1.0)),
        ("h = 1000", Array2::from_elem((1, 1), 1000.0)),
        ("κ = 100, along an axis", valley(100.0, 0.0)),
        ("κ = 100, turned by 45°", valley(100.0, FRAC_PI_4)),
        ("twenty directions", random_bowl(&Array1::from_shape_fn(20, |i| 1.0 + i as f64), 5)),
    ];
    for (name, a) in &bowls {
        let sharpness = sharpness_on_the_way(rule, a, 2000);
        let mean = tail_mean(&sharpness, 200);
        let what = format!("mean of the last 200 steps, {name}");
        let settles = a.nrows() <= 2;
        checks.push(if settles {
            Check::about(what, mean, 2.0, 1e-3)
        } else {
            Check::new(what, mean, Expected::AtLeast(2.0))
        });
        figure = figure.with(*name, Style::Line, over_steps(sharpness));
    }
    let figure = figure.with("2", Style::Expected, vec![(0.0, 2.0), (2000.0, 2.0)]);
    Outcome { checks, figures: vec![figure] }
}

/// After each step, the largest eigenvalue of the Hessian between the roots of the effective rates.
fn sharpness_on_the_way(rule: RmsProp, a: &Array2<f64>, steps: usize) -> Vec<f64> {
    let n = a.nrows();
    let start = Array1::from_shape_fn(n, |i| 0.3 / (1.0 + i as f64));
    let mut walker = Walker::new(rule, start.as_slice().expect("a vector"));
    let mut found = Vec::new();
    for _ in 0..steps {
        let at = walker.p.clone();
        let (_, gradient) = value_and_grad(&Param::new(at), |x, tape| bowl(a, x, tape));
        walker.step(gradient.as_slice().expect("a vector"));
        let rates = walker.rule.effective_lr(&walker.p, &walker.state);
        let roots: Array1<f64> = rates.iter().map(|rate| rate.sqrt()).collect();
        let rng = &mut StdRng::seed_from_u64(0);
        let pairs = largest_eigenpairs(n, 1, 1e-6, rng, |v| a.dot(&(v * &roots)) * &roots);
        found.push(pairs[0].value);
    }
    found
}
