//! A minimum that moves.

use wengert_optim::{AdaGrad, RmsProp, Rule};

use crate::experiments::points::over_steps;
use crate::experiments::series::tail_mean;
use crate::{Axis, Check, Expected, Experiment, Figure, Landscape, Outcome, Runner, Style};

pub(crate) const ALL: &[Experiment] = &[DRIFTING];

const DRIFTING: Experiment = Experiment {
    name: "drifting-minimum",
    claim: "RMSProp follows a minimum that moves slower than η per step; AdaGrad's shrinking rate loses it \
            in the end, however slow it is.",
    formula: "f = ½ (w - c t)²; RMSProp's step is at most about η, so for c > η it falls behind by c - η per \
              step; AdaGrad must have c ≤ η g / √r, but r only grows",
    source: "Said of non-stationary objectives without a number. The lags were measured; the slope c - η is \
             a closed form.",
    code: concat!(
        "let drift = Landscape::Drifting { velocity: [0.01, 0.0], step: 0 };\n",
        "let path = Runner::at(\"RMSProp\", rule, [0.0, 0.0]).descend(drift, 5000);",
    ),
    run: drifting,
};

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
