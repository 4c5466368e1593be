//! Narrow valleys, straight and curved: who follows them, who only along an axis, who never arrives.

use std::f64::consts::FRAC_PI_4;

use wengert_optim::{AdaGrad, Adam, RmsProp, Sgd};

use crate::experiments::points::{over_steps, thin, trajectory};
use crate::experiments::series::{heights, lowest, steps_until, tail_mean};
use crate::{
    Axis, Check, Expected, Experiment, Figure, Landscape, Outcome, Runner, Style, eigenvalues, log_levels,
};

pub(crate) const ALL: &[Experiment] = &[STRAIGHT, LIMIT_CYCLE, ROTATED, PRECONDITIONER, ROSENBROCK];

const START: [f64; 2] = [1.0, 0.5];
const STEPS: u64 = 2000;
/// Below this height counts as arrived.
const ARRIVED: f64 = 1e-6;
/// `√(Σx² / Σy²)` of AdaGrad's recursion on `½ x²` from 1 and from 0.5, in plain Python.
const LEFT_ALONG_AN_AXIS: f64 = 2.33464498373257;

const STRAIGHT: Experiment = Experiment {
    name: "ill-conditioned-valley",
    claim: "In a narrow valley along an axis, adaptive rates arrive in fewer steps than plain descent; \
            RMSProp at a constant rate passes the goal and stays above it.",
    formula: "f = ½ (κ x² + y²), κ = 100, from (1, 0.5); steps until f < 1e-6",
    source: "Common praise of adaptive rates for ill-conditioned problems; the counts are from a reference \
             in NumPy.",
    code: concat!(
        "let valley = Landscape::Quadratic { kappa: 100.0, angle: 0.0 };\n",
        "let rule = AdaGrad { lr: 0.5, ..AdaGrad::default() };\n",
        "let path = Runner::at(\"AdaGrad\", rule, [1.0, 0.5]).descend(valley, 2000);\n",
        "let arrived = path.iter().position(|&at| valley.value(at) < 1e-6);",
    ),
    run: straight,
};

const ROTATED: Experiment = Experiment {
    name: "rotated-valley",
    claim: "One rate per coordinate helps only if the valley runs along a coordinate: turned by 45°, AdaGrad \
            and Adam lose most of their lead, momentum none.",
    formula: "f = ½ (κ u² + w²), (u, w) turned by 45°; steps until f < 1e-6",
    source: "Seldom said beside the praise of the axis-aligned case; the counts are from a reference in \
             NumPy.",
    code: concat!(
        "let valley = Landscape::Quadratic { kappa: 100.0, angle: FRAC_PI_4 };\n",
        "let rule = AdaGrad { lr: 0.5, ..AdaGrad::default() };\n",
        "let path = Runner::at(\"AdaGrad\", rule, [1.0, 0.5]).descend(valley, 2000);",
    ),
    run: rotated,
};

const LIMIT_CYCLE: Experiment = Experiment {
    name: "limit-cycle",
    claim: "At a constant rate RMSProp does not converge: every coordinate ends up jumping between +η/2 and \
            -η/2, whatever ρ is.",
    formula: "|w| → η/2, so f → ½ Σ hᵢ (η/2)²",
    source: "Against the remark that RMSProp is stable near a minimum; the floor follows from |w⁺| = |w| and \
             a step of η. With ρ = 0.99 it takes thousands of steps to settle.",
    code: concat!(
        "let rule = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::default() };\n",
        "let path = Runner::at(\"RMSProp\", rule, [1.0, 0.5]).descend(valley, 2000);\n",
        "println!(\"{:?}\", path.last()); // ±0.005 each",
    ),
    run: limit_cycle,
};

const PRECONDITIONER: Experiment = Experiment {
    name: "adagrad-preconditioner",
    claim: "AdaGrad's sums precondition a valley along an axis, and its κ no longer matters; a rotated \
            valley stays as narrow as it was.",
    formula: "κ of P^½ H P^½ with P = diag(r)^(-½); along an axis √(Σx² / Σy²), because each coordinate's \
              path does not depend on its curvature",
    source: "AdaGrad is often called a diagonal preconditioner; that this fails for rotated valleys is \
             seldom added.",
    code: concat!(
        "let path = Runner::at(\"AdaGrad\", rule, start).descend(valley, 2000);\n",
        "let r = path.iter().map(|&at| valley.gradient(at)[0].powi(2)).sum::<f64>();",
    ),
    run: preconditioner,
};

const ROSENBROCK: Experiment = Experiment {
    name: "rosenbrock",
    claim: "In Rosenbrock's curved valley adaptive rates do not win by themselves: AdaGrad needs as long as \
            plain descent, and RMSProp at a constant rate never gets below its floor.",
    formula: "(1 - x)² + 100 (y - x²)² from (-1.2, 1); steps until f < 1e-4",
    source: "The valley is a customary show-piece for RMSProp; the counts are from a reference in NumPy.",
    code: concat!(
        "let rule = Adam { lr: 0.02, ..Adam::default() };\n",
        "let path = Runner::at(\"Adam\", rule, [-1.2, 1.0]).descend(Landscape::Rosenbrock, 20_000);",
    ),
    run: rosenbrock,
};

fn valley(kappa: f64, angle: f64) -> Landscape {
    Landscape::Quadratic { kappa, angle }
}

fn momentum(kappa: f64) -> Runner {
    Runner::at("momentum 0.9", Sgd { lr: 1.0 / kappa, momentum: 0.9, ..Sgd::default() }, START)
}

fn adagrad() -> Runner {
    Runner::at("AdaGrad", AdaGrad { lr: 0.5, ..AdaGrad::default() }, START)
}

fn adam() -> Runner {
    Runner::at("Adam", Adam { lr: 0.05, ..Adam::default() }, START)
}

fn rmsprop(rho: f64) -> Runner {
    Runner::at("RMSProp", RmsProp { lr: 0.01, rho, ..RmsProp::default() }, START)
}

fn descent(kappa: f64) -> Runner {
    Runner::at("descent", Sgd { lr: 1.9 / kappa, ..Sgd::default() }, START)
}

/// A path by the name of the optimizer that took it.
type Walk = (String, Vec<[f64; 2]>);

fn walk(landscape: Landscape, runners: impl IntoIterator<Item = Runner>) -> Vec<Walk> {
    let walk = |mut runner: Runner| (runner.name.clone(), runner.descend(landscape, STEPS));
    runners.into_iter().map(walk).collect()
}

/// The paths over the level lines, and the heights over the steps.
fn pictures(landscape: Landscape, title: &str, walks: &[Walk]) -> Vec<Figure> {
    let mut paths = Figure::new(format!("Paths in a {title}"), Axis::linear("x"), Axis::linear("y")).over(
        landscape,
        -1.2..=1.2,
        -1.2..=1.2,
        &log_levels(0.02, 100.0, 9),
    );
    let mut falls = Figure::new(format!("Height in a {title}"), Axis::linear("step"), Axis::log("f"));
    paths.steps = true;
    for (name, path) in walks {
        paths = paths.with(name, Style::Line, trajectory(path, 200));
        // Below this a curve only stretches the axis.
        let mut shown = over_steps(heights(landscape, path).into_iter().take(1000));
        shown.retain(|&(_, f)| f > 1e-9);
        falls = falls.with(name, Style::Line, shown);
    }
    vec![paths, falls]
}

fn count(kappa: f64, name: &str, f: &[f64], expected: f64) -> Check {
    Check::near(format!("steps to 1e-6, {name}, κ = {kappa}"), steps_until(f, ARRIVED), expected, 0.0)
}

fn never(kappa: f64, name: &str, f: &[f64]) -> Check {
    Check::new(
        format!("lowest f in {STEPS} steps, {name}, κ = {kappa}"),
        lowest(f),
        Expected::AtLeast(ARRIVED),
    )
}

fn straight() -> Outcome {
    let landscape = valley(100.0, 0.0);
    let runners = [descent(100.0), momentum(100.0), adagrad(), rmsprop(0.9), adam()];
    let walks = walk(landscape, runners);
    let mut checks: Vec<Check> = walks
        .iter()
        .zip([306.0, 138.0, 16.0, 137.0, 129.0])
        .map(|((name, path), expected)| count(100.0, name, &heights(landscape, path), expected))
        .collect();
    let f = heights(landscape, &walks[3].1);
    checks.push(Check::about("f of RMSProp in the end", tail_mean(&f, 200), floor(&[100.0, 1.0]), 1e-3));
    Outcome { checks, figures: pictures(landscape, "valley along an axis, κ = 100", &walks) }
}

/// `½ Σ hᵢ (η/2)²` at η = 0.01.
fn floor(curvatures: &[f64]) -> f64 {
    0.5 * curvatures.iter().sum::<f64>() * 0.005 * 0.005
}

fn rotated() -> Outcome {
    let landscape = valley(100.0, FRAC_PI_4);
    let walks = walk(landscape, [momentum(100.0), adagrad(), adam(), rmsprop(0.9)]);
    let f: Vec<_> = walks.iter().map(|(_, path)| heights(landscape, path)).collect();
    let mut checks = vec![
        count(100.0, "momentum", &f[0], 138.0),
        count(100.0, "AdaGrad (16 along an axis)", &f[1], 880.0),
        count(100.0, "Adam (129 along an axis)", &f[2], 857.0),
        never(100.0, "RMSProp", &f[3]),
        // The jump (η/2, η/2) lies along the steep axis: ½ κ · 2 (η/2)².
        Check::about("f of RMSProp in the end", tail_mean(&f[3], 200), floor(&[200.0]), 1e-3),
    ];
    for (angle, how, expected) in [(0.0, "along an axis", 536.0), (FRAC_PI_4, "rotated", 505.0)] {
        let narrow = valley(1000.0, angle);
        let path = momentum(1000.0).descend(narrow, STEPS);
        checks.push(count(1000.0, &format!("momentum, {how}"), &heights(narrow, &path), expected));
    }
    let narrow = valley(1000.0, FRAC_PI_4);
    for (name, path) in walk(narrow, [adagrad(), adam()]) {
        checks.push(never(1000.0, &format!("{name}, rotated"), &heights(narrow, &path)));
    }
    for (runner, expected) in [(adagrad(), 18.0), (adam(), 151.0)] {
        let (name, mut runner) = (runner.name.clone(), runner);
        let f = heights(valley(1000.0, 0.0), &runner.descend(valley(1000.0, 0.0), STEPS));
        checks.push(count(1000.0, &format!("{name}, along an axis"), &f, expected));
    }
    Outcome { checks, figures: pictures(landscape, "valley turned by 45°, κ = 100", &walks) }
}

fn limit_cycle() -> Outcome {
    let mut checks = Vec::new();
    let mut figure = Figure::new("Height under RMSProp, η = 0.01", Axis::linear("step"), Axis::log("f"));
    for (kappa, rhos) in [(100.0, [0.5, 0.9, 0.99]), (1000.0, [0.5, 0.9, 0.99])] {
        let landscape = valley(kappa, 0.0);
        for rho in rhos {
            let path = rmsprop(rho).descend(landscape, 10 * STEPS);
            let f = heights(landscape, &path);
            let of = format!("κ = {kappa}, ρ = {rho}");
            checks.push(Check::about(
                format!("floor of f, {of}"),
                tail_mean(&f, 200),
                floor(&[kappa, 1.0]),
                1e-3,
            ));
            let [x, y] = path[path.len() - 1];
            for (w, value) in [("x", x), ("y", y)] {
                checks.push(Check::about(format!("|{w}| in the end, {of}"), value.abs(), 0.005, 1e-3));
            }
            if kappa == 100.0 {
                let shown = over_steps(f.into_iter().take(3 * STEPS as usize));
                figure = figure.with(format!("ρ = {rho}"), Style::Line, shown);
            }
        }
    }
    let ends = [0.0, 3.0 * STEPS as f64].map(|step| (step, floor(&[100.0, 1.0])));
    Outcome { checks, figures: vec![figure.with("½ Σ h (η/2)²", Style::Expected, ends.to_vec())] }
}

fn preconditioner() -> Outcome {
    let kappas = [10.0, 30.0, 100.0, 300.0, 1000.0];
    let mut figure = Figure::new(
        "Condition number after preconditioning",
        Axis::log("κ of the valley"),
        Axis::log("κ of P^½ H P^½"),
    );
    let mut checks = Vec::new();
    for (angle, how) in [(0.0, "along an axis"), (FRAC_PI_4, "rotated")] {
        let left: Vec<f64> = kappas.iter().map(|&kappa| preconditioned(valley(kappa, angle))).collect();
        for (&kappa, &left) in kappas.iter().zip(&left) {
            let what = format!("κ of P^½ H P^½, {how}, κ = {kappa}");
            checks.push(if angle == 0.0 {
                Check::about(what, left, LEFT_ALONG_AN_AXIS, 1e-6)
            } else {
                Check::new(format!("{what}, as a share of κ"), left / kappa, Expected::AtLeast(0.9))
            });
        }
        figure = figure.with(how, Style::Marks, kappas.into_iter().zip(left).collect());
    }
    let unchanged = kappas.iter().map(|&kappa| (kappa, kappa)).collect();
    Outcome { checks, figures: vec![figure.with("no preconditioning", Style::Expected, unchanged)] }
}

/// What AdaGrad makes of the condition number. Its sums are those of the squared gradients along its path.
fn preconditioned(landscape: Landscape) -> f64 {
    let path = adagrad().descend(landscape, STEPS);
    let mut r = [0.0; 2];
    for gradient in path[..path.len() - 1].iter().map(|&at| landscape.gradient(at)) {
        r = [r[0] + gradient[0].powi(2), r[1] + gradient[1].powi(2)];
    }
    let p = r.map(|r| r.powf(-0.25));
    let h = landscape.hessian([0.0, 0.0]);
    let [steep, flat] = eigenvalues([
        [h[0][0] * p[0] * p[0], h[0][1] * p[0] * p[1]],
        [h[1][0] * p[1] * p[0], h[1][1] * p[1] * p[1]],
    ]);
    steep / flat
}

fn rosenbrock() -> Outcome {
    let (start, steps) = ([-1.2, 1.0], 20_000);
    let rms = |lr| RmsProp { lr, rho: 0.9, ..RmsProp::default() };
    let runners = [
        (Runner::at("descent, η = 1e-3", Sgd { lr: 1e-3, ..Sgd::default() }, start), Some(9339.0)),
        (Runner::at("descent, η = 2e-3", Sgd { lr: 2e-3, ..Sgd::default() }, start), Some(4630.0)),
        (Runner::at("AdaGrad, η = 0.5", AdaGrad { lr: 0.5, ..AdaGrad::default() }, start), Some(4981.0)),
        (Runner::at("Adam, η = 0.02", Adam { lr: 0.02, ..Adam::default() }, start), Some(2316.0)),
        (Runner::at("RMSProp, η = 1e-3", rms(1e-3), start), None),
        (Runner::at("RMSProp, η = 1e-2", rms(1e-2), start), None),
    ];
    let mut floors = [2.25e-4, 2.23e-2].into_iter();
    let mut checks = Vec::new();
    let mut paths = Figure::new("Paths in Rosenbrock's valley", Axis::linear("x"), Axis::linear("y")).over(
        Landscape::Rosenbrock,
        -1.6..=1.4,
        -0.4..=1.8,
        &log_levels(0.1, 1000.0, 9),
    );
    paths.steps = true;
    let mut falls = Figure::new("Height in Rosenbrock's valley", Axis::linear("step"), Axis::log("f"));
    for (mut runner, arrives) in runners {
        let path = runner.descend(Landscape::Rosenbrock, steps);
        let f = heights(Landscape::Rosenbrock, &path);
        checks.push(match arrives {
            Some(expected) => {
                Check::near(format!("steps to 1e-4, {}", runner.name), steps_until(&f, 1e-4), expected, 0.0)
            }
            None => Check::about(
                format!("f in the end, {}", runner.name),
                tail_mean(&f, 200),
                floors.next().expect("one for each RMSProp"),
                0.01,
            ),
        });
        let points: Vec<_> = path.iter().map(|&[x, y]| (x, y)).take(10_000).collect();
        paths = paths.with(&runner.name, Style::Line, thin(&points));
        let mut shown = over_steps(f.into_iter().take(10_000));
        shown.retain(|&(_, f)| f > 1e-7);
        falls = falls.with(&runner.name, Style::Line, shown);
    }
    Outcome { checks, figures: vec![falls, paths] }
}
