//! Landscapes whose gradient vanishes where there is no minimum, or that have several.

use wengert_optim::{AdaGrad, Adam, RmsProp, Sgd};

use crate::experiments::points::{over_steps, trajectory};
use crate::experiments::series::heights;
use crate::{Axis, Check, Expected, Experiment, Figure, Landscape, Outcome, Runner, Style, log_levels};

pub(crate) const ALL: &[Experiment] = &[TWO_WELLS, SADDLE, FOUR_MINIMA];

const TWO_WELLS: Experiment = Experiment {
    name: "two-wells",
    claim: "Momentum carries some starts over the ridge into the deeper well, not all of them, and others \
            out of it: it does not escape local minima.",
    formula: "(x² - 1)² + 0.3 x; the ridge is the middle root of 4 x³ - 4 x + 0.3",
    source: "Against \"momentum escapes local minima\", which is not true as stated. The shares with \
             momentum are measured, those of slow descent follow from the ridge.",
    code: concat!(
        "let wells = Landscape::TwoWells { tilt: 0.3 };\n",
        "let rule = Sgd { lr: 0.01, momentum: 0.9, ..Sgd::default() };\n",
        "let path = Runner::at(\"momentum\", rule, [1.5, 0.0]).descend(wells, 1000);",
    ),
    run: two_wells,
};

const SADDLE: Experiment = Experiment {
    name: "saddle-escape",
    claim: "Near a saddle the gradient is small, and plain descent leaves it by a geometric series; dividing \
            by the gradient's size makes the first steps as long as the last.",
    formula: "f = ½ (x² - y²), y₀ = 1e-6: descent has y_t = (1 + η)ᵗ y₀; RMSProp's steps are at least η, \
              AdaGrad's at least η/√t, as long as |g| grows",
    source: "The notes tell of AdaGrad stalling at saddles. It stalls only where the gradient changes sign, \
             as in alternating-saddle.",
    code: "let path = Runner::at(\"RMSProp\", rule, [1.0, 1e-6]).descend(Landscape::Saddle, 200);",
    run: saddle,
};

const FOUR_MINIMA: Experiment = Experiment {
    name: "four-minima",
    claim: "Which of several minima is found depends on the optimizer, not only on the start.",
    formula: "Himmelblau: (x² + y - 11)² + (x + y² - 7)²; four minima, all 0",
    source: "Said of no optimizer in particular; the minima are the landscape's. Started from a ring of 64 \
             points.",
    code: "let path = Runner::at(\"Adam\", rule, start).descend(Landscape::Himmelblau, 4000);",
    run: four_minima,
};

/// The first step after which `|y|` exceeds 1; NaN if none does.
fn escape(path: &[[f64; 2]]) -> f64 {
    path.iter().position(|[_, y]| y.abs() > 1.0).map_or(f64::NAN, |step| step as f64)
}

fn saddle() -> Outcome {
    let (start, steps, lr) = ([1.0, 1e-6], 200, 0.1);
    let runners = [
        Runner::at("descent", Sgd { lr, ..Sgd::default() }, start),
        Runner::at("RMSProp", RmsProp { lr, rho: 0.9, ..RmsProp::default() }, start),
        Runner::at("AdaGrad", AdaGrad { lr, ..AdaGrad::default() }, start),
    ];
    let expected = [
        // ⌈ln 1e6 / ln 1.1⌉ = ⌈144.95⌉
        Expected::Near { value: 145.0, absolute: 0.0 },
        Expected::AtMost(10.0),
        // Σ η/√t over the first n steps is at least 2 η (√(n + 1) - 1), which reaches 1 at n = 35.
        Expected::AtMost(35.0),
    ];
    let mut checks = Vec::new();
    let mut distances =
        Figure::new("Distance from the saddle's ridge, η = 0.1", Axis::linear("step"), Axis::log("|y|"));
    for (mut runner, expected) in runners.into_iter().zip(expected) {
        let path = runner.descend(Landscape::Saddle, steps);
        let escaped = escape(&path);
        checks.push(Check::new(format!("steps to |y| > 1, {}", runner.name), escaped, expected));
        let shown = path.iter().map(|[_, y]| y.abs()).take_while(|&y| y < 1e3);
        distances = distances.with(&runner.name, Style::Line, over_steps(shown));
    }
    let formula = (0..=160).map(|t| 1e-6 * f64::powi(1.0 + lr, t));
    distances = distances.with("(1 + η)ᵗ y₀", Style::Expected, over_steps(formula));
    Outcome { checks, figures: vec![distances] }
}

/// Which of Himmelblau's minima a point is next to.
fn nearest([x, y]: [f64; 2]) -> usize {
    const MINIMA: [[f64; 2]; 4] =
        [[3.0, 2.0], [-2.805118, 3.131313], [-3.77931, -3.283186], [3.584428, -1.848127]];
    let distance = |i: usize| (x - MINIMA[i][0]).hypot(y - MINIMA[i][1]);
    (0..4).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).expect("four minima")
}

fn four_minima() -> Outcome {
    let starts = crate::circle([0.0, 0.0], 1.0, 64);
    let runners = |start| {
        [
            Runner::at("descent, η = 0.01", Sgd { lr: 0.01, ..Sgd::default() }, start),
            Runner::at("AdaGrad, η = 0.5", AdaGrad { lr: 0.5, ..AdaGrad::default() }, start),
            Runner::at("Adam, η = 0.1", Adam { lr: 0.1, ..Adam::default() }, start),
        ]
    };
    let landscape = Landscape::Himmelblau;
    let mut paths =
        Figure::new("Paths from one start on Himmelblau's function", Axis::linear("x"), Axis::linear("y"))
            .over(landscape, -5.0..=5.0, -5.0..=5.0, &log_levels(1.0, 400.0, 8));
    paths.steps = true;
    let mut ends = vec![Vec::new(); 3];
    let mut highest = [0.0_f64; 3];
    for (number, &start) in starts.iter().enumerate() {
        for (i, mut runner) in runners(start).into_iter().enumerate() {
            let path = runner.descend(landscape, 4000);
            let last = *path.last().expect("the start at least");
            ends[i].push(nearest(last));
            highest[i] = highest[i].max(*heights(landscape, &path).last().expect("as many heights"));
            if number == 0 {
                paths = paths.with(&runner.name, Style::Line, trajectory(&path, 200));
            }
        }
    }
    let names = runners([0.0; 2]).map(|runner| runner.name);
    let mut checks: Vec<_> = (0..3)
        .map(|i| {
            Check::new(format!("largest f in the end, {}", names[i]), highest[i], Expected::AtMost(1e-9))
        })
        .collect();
    for i in 1..3 {
        let differing = ends[i].iter().zip(&ends[0]).filter(|(a, b)| a != b).count();
        let what = format!("starts of 64 that end elsewhere than with descent, {}", names[i]);
        checks.push(Check::new(what, differing as f64, Expected::AtLeast(1.0)));
    }
    Outcome { checks, figures: vec![paths] }
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
    let some = |what: &str, count: f64| Check::new(what, count, Expected::AtLeast(1.0));
    let checks = vec![
        Check::near("share of starts that slow descent takes to the deep well", share(&slow), basin, 0.0),
        some("starts that momentum carries into the deep well", counted(false, true)),
        some("starts that momentum leaves in the shallow well", counted(false, false)),
        some("starts that momentum carries out of the deep well", counted(true, false)),
    ];
    let shares = [share(&slow), share(&momentum), share(&rms), share(&adam)];
    Outcome { checks, figures: vec![success(shares, basin), where_they_end(&starts, &momentum)] }
}

fn success(shares: [f64; 4], basin: f64) -> Figure {
    let mut figure = Figure::new(
        "Share of starts that end in the deep well",
        Axis::linear("optimizer"),
        Axis::linear("share"),
    );
    let names = ["descent", "momentum 0.9", "RMSProp", "Adam"];
    for (i, (name, share)) in names.into_iter().zip(shares).enumerate() {
        figure = figure.with(name, Style::Bars, vec![(i as f64, share)]);
    }
    figure.with("starts on its side of the ridge", Style::Expected, vec![(-0.5, basin), (3.5, basin)])
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
