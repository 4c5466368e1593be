//! Curved, moving and two-fold landscapes.

use wengert_optim::{AdaGrad, Adam, RmsProp, Rule, Sgd};

use super::curve::{heights, over_steps, steps_until, tail_mean, thin};
use crate::{Axis, Check, Expected, Experiment, Figure, Landscape, Outcome, Runner, Style, log_levels};

pub(super) const ALL: &[Experiment] = &[ROSENBROCK, DRIFTING, TWO_WELLS];

const ROSENBROCK: Experiment = Experiment {
    name: "rosenbrock",
    claim: "In Rosenbrock's curved valley adaptive rates do not win by themselves: AdaGrad needs as long as plain descent, and RMSProp at a constant rate never gets below its floor.",
    formula: "(1 - x)² + 100 (y - x²)² from (-1.2, 1); steps until f < 1e-4",
    source: "The valley is a customary show-piece for RMSProp; the counts are from a reference in NumPy.",
    code: "let rule = Adam { lr: 0.02, ..Adam::default() };\nlet path = Runner::at(\"Adam\", rule, [-1.2, 1.0]).descend(Landscape::Rosenbrock, 20_000);",
    run: rosenbrock,
};

const DRIFTING: Experiment = Experiment {
    name: "drifting-minimum",
    claim: "RMSProp follows a minimum that moves slower than η per step; AdaGrad's shrinking rate loses it in the end, however slow it is.",
    formula: "f = ½ (w - c t)²; RMSProp's step is at most about η, so for c > η it falls behind by c - η per step; AdaGrad must have c ≤ η g / √r, but r only grows",
    source: "Said of non-stationary objectives without a number. The lags were measured; the slope c - η is a closed form.",
    code: "let drift = Landscape::Drifting { velocity: [0.01, 0.0], step: 0 };\nlet path = Runner::at(\"RMSProp\", rule, [0.0, 0.0]).descend(drift, 5000);",
    run: drifting,
};

const TWO_WELLS: Experiment = Experiment {
    name: "two-wells",
    claim: "Momentum carries some starts over the ridge into the deeper well, not all of them, and others out of it: it is no escape from local minima.",
    formula: "(x² - 1)² + 0.3 x; the ridge is the middle root of 4 x³ - 4 x + 0.3",
    source: "Against \"momentum escapes local minima\", which is not true as stated. The shares with momentum are measured, those of slow descent follow from the ridge.",
    code: "let wells = Landscape::TwoWells { tilt: 0.3 };\nlet rule = Sgd { lr: 0.01, momentum: 0.9, ..Sgd::default() };\nlet path = Runner::at(\"momentum\", rule, [1.5, 0.0]).descend(wells, 1000);",
    run: two_wells,
};

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

/// How far `rule` is behind a minimum that moves by `speed` per step, after each of the steps.
fn lags<R: Rule<f64>>(rule: R, speed: f64, steps: u64) -> Vec<f64> {
    let drift = Landscape::Drifting { velocity: [speed, 0.0], step: 0 };
    let path = Runner::at("", rule, [0.0, 0.0]).descend(drift, steps);
    (0..).zip(path).map(|(step, [x, _])| (speed * f64::from(step) - x).abs()).collect()
}

fn drifting() -> Outcome {
    let (lr, steps) = (0.1, 5000);
    let rms = RmsProp { lr, rho: 0.9, ..RmsProp::default() };
    let ada = AdaGrad { lr, ..AdaGrad::default() };
    let mut checks = Vec::new();
    let mut figure =
        Figure::new("Distance behind a moving minimum, η = 0.1", Axis::linear("step"), Axis::log("lag"));
    for speed in [0.01, 0.05] {
        let (rms, ada) = (lags(rms, speed, steps), lags(ada, speed, steps));
        let most = rms.iter().copied().fold(0.0, f64::max);
        // One step overshoots by less than η, and the next turns back; the first is larger by 1/√(1 - ρ).
        checks.push(Check::new(
            format!("largest lag of RMSProp, c = {speed}"),
            most,
            Expected::AtMost(lr / f64::sqrt(0.1)),
        ));
        let (middle, end) = (ada[steps as usize / 2], ada[steps as usize]);
        checks.push(Check::new(
            format!("lag of AdaGrad over that of RMSProp in the end, c = {speed}"),
            end / tail_mean(&rms, 1000),
            Expected::AtLeast(100.0),
        ));
        checks.push(Check::new(
            format!("growth of AdaGrad's lag in the second half, as a share of c, c = {speed}"),
            (end - middle) / (speed * steps as f64 / 2.0),
            Expected::Between(0.5, 1.0),
        ));
        figure = figure.with(format!("RMSProp, c = {speed}"), Style::Line, over_steps(rms)).with(
            format!("AdaGrad, c = {speed}"),
            Style::Line,
            over_steps(ada),
        );
    }
    let too_fast = lags(rms, 0.2, steps);
    let slope = (too_fast[5000] - too_fast[4000]) / 1000.0;
    // A gradient that grows with the lag is larger than its average's root: the step is a little over η.
    checks.push(Check::about("lag of RMSProp gained per step, c = 0.2", slope, 0.2 - lr, 0.02));
    let expected = over_steps((0..=steps).map(|step| 0.1 * step as f64));
    let figure = figure.with("RMSProp, c = 0.2", Style::Line, over_steps(too_fast)).with(
        "(c - η) t, c = 0.2",
        Style::Expected,
        expected,
    );
    Outcome { checks, figures: vec![figure] }
}

/// The middle root of `4 x³ - 4 x + 0.3`: `x = 2/√3 cos(⅓ arccos(-0.3 · 3√3 / 8) - 2π/3)`, the ridge of the two wells.
fn ridge() -> f64 {
    let third = (-0.3 * 3.0 * 3f64.sqrt() / 8.0).acos() / 3.0;
    2.0 / 3f64.sqrt() * (third - 2.0 * std::f64::consts::PI / 3.0).cos()
}

fn two_wells() -> Outcome {
    let wells = Landscape::TwoWells { tilt: 0.3 };
    let starts: Vec<f64> = (0..201).map(|i| -2.0 + 0.02 * f64::from(i)).collect();
    let basin = starts.iter().filter(|&&start| start < ridge()).count() as f64 / 201.0;
    let ends_left = |runner: &dyn Fn(f64) -> Runner| -> Vec<bool> {
        starts
            .iter()
            .map(|&start| runner(start).descend(wells, 1000).last().is_some_and(|at| at[0] < 0.0))
            .collect()
    };
    let share = |left: &[bool]| left.iter().filter(|&&left| left).count() as f64 / left.len() as f64;
    let slow = ends_left(&|x| Runner::at("descent, η = 0.01", Sgd { lr: 0.01, ..Sgd::default() }, [x, 0.0]));
    let heavy = Sgd { lr: 0.01, momentum: 0.9, ..Sgd::default() };
    let momentum = ends_left(&|x| Runner::at("", heavy, [x, 0.0]));
    let rms = ends_left(&|x| Runner::at("", RmsProp { rho: 0.9, ..RmsProp::default() }, [x, 0.0]));
    let adam = ends_left(&|x| Runner::at("", Adam { lr: 0.01, ..Adam::default() }, [x, 0.0]));
    let counted = |from_left: bool, to_left: bool| {
        let crossed = starts.iter().zip(&momentum);
        crossed.filter(|&(&x, &left)| (x < ridge()) == from_left && left == to_left).count() as f64
    };
    let checks = vec![
        Check::near("share of starts that slow descent takes to the deep well", share(&slow), basin, 0.0),
        Check::new(
            "starts that momentum carries into the deep well",
            counted(false, true),
            Expected::AtLeast(1.0),
        ),
        Check::new(
            "starts that momentum leaves in the shallow well",
            counted(false, false),
            Expected::AtLeast(1.0),
        ),
        Check::new(
            "starts that momentum carries out of the deep well",
            counted(true, false),
            Expected::AtLeast(1.0),
        ),
    ];
    let shares = [share(&slow), share(&momentum), share(&rms), share(&adam)];
    let names = ["descent", "momentum 0.9", "RMSProp", "Adam"];
    let mut success = Figure::new(
        "Share of starts that end in the deep well",
        Axis::linear("optimizer"),
        Axis::linear("share"),
    );
    for (i, (name, share)) in names.into_iter().zip(shares).enumerate() {
        success = success.with(name, Style::Bars, vec![(i as f64, share)]);
    }
    success =
        success.with("starts on its side of the ridge", Style::Expected, vec![(-0.5, basin), (3.5, basin)]);
    Outcome { checks, figures: vec![success, where_they_end(&starts, &momentum)] }
}

/// The landscape, with the starts on it: which of them momentum takes to which well.
fn where_they_end(starts: &[f64], left: &[bool]) -> Figure {
    let height = |x: f64| (x, Landscape::TwoWells { tilt: 0.3 }.value([x, 0.0]));
    let ends = |side: bool| {
        starts.iter().zip(left).filter(|&(_, &left)| left == side).map(|(&x, _)| height(x)).collect()
    };
    Figure::new("Where momentum takes each start", Axis::linear("x at the start"), Axis::linear("f"))
        .with("f", Style::Line, starts.iter().map(|&x| height(x)).collect())
        .with("ends in the deep well", Style::Marks, ends(true))
        .with("ends in the shallow well", Style::Marks, ends(false))
}
