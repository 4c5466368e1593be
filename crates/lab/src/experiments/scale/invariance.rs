//! What a rule does not notice: the scale of the loss.

use wengert_optim::{AdaGrad, Adam, Adamax, Epsilon, Lion, RmsProp, Rprop, Rule, Sgd};

use crate::experiments::closed_form::{deviation, formula};
use crate::experiments::points::evenly;
use crate::run::walker::{Walker, steps};
use crate::{Axis, Check, Experiment, Figure, Outcome, Style};

pub(crate) const ALL: &[Experiment] = &[EXPONENT, OTHER_SCALERS, COLUMNS];

/// Too small to matter to any gradient here.
const NONE: Epsilon = Epsilon::Outside(1e-30);

/// A gradient that wanders and changes sign.
fn wandering(t: usize) -> f64 {
    (t as f64 * 0.9).sin() + 0.3 * (t as f64 * 0.23).cos()
}

const EXPONENT: Experiment = Experiment {
    name: "exponent-sweep",
    claim: "Of the powers of v to divide by, only the square root makes the step independent of the scale of \
            the loss.",
    formula: "g / vᵖ: step(c g)/step(g) = c^(1 - 2p)",
    source: "An essay says \"the only way\": among the powers of the mean square, yes; other scalers do it \
             too (see other-scalers).",
    code: "let ratio = c * g / v_of_cg.powf(p) / (g / v_of_g.powf(p));",
    run: exponent,
};

fn exponent() -> Outcome {
    let (rule, c) = (RmsProp { lr: 1.0, eps: NONE, ..RmsProp::default() }, 100.0);
    // v as the rule itself collects it; the exponents other than ½ are applied to it here, as no rule has them.
    let v = |scale: f64| {
        let mut walker: Walker<RmsProp> = Walker::new(rule, &[0.0]);
        (0..50).for_each(|t| walker.step(&[scale * wandering(t)]));
        walker.state.v[0]
    };
    let growth = v(c) / v(1.0);
    let ratio = |p: f64| c / growth.powf(p);
    let stream = |scale: f64| (0..50).map(move |t| scale * wandering(t));
    let sgd = Sgd { lr: 1.0, ..Sgd::default() };
    let rmsprop = steps(rule, stream(c))[49] / steps(rule, stream(1.0))[49];
    let plain = steps(sgd, stream(c))[49] / steps(sgd, stream(1.0))[49];
    let checks = vec![
        Check::about("step(100 g)/step(g), p = 0.25", ratio(0.25), 10.0, 1e-12),
        Check::about("step(100 g)/step(g), p = 0.5", ratio(0.5), 1.0, 1e-12),
        Check::about("step(100 g)/step(g), p = 1", ratio(1.0), 0.01, 1e-12),
        Check::about("the same of a step of RMSProp", rmsprop, 1.0, 1e-12),
        Check::about("the same of a step of Sgd, which is p = 0", plain, 100.0, 1e-12),
    ];
    let powers: Vec<f64> = (0..=20).map(|k| f64::from(k) * 0.05).collect();
    let figure = Figure::new(
        "A loss 100 times as large",
        Axis::linear("exponent p of v"),
        Axis::log("step(100 g) / step(g)"),
    )
    .with("g / vᵖ", Style::Marks, powers.iter().map(|&p| (p, ratio(p))).collect())
    .with("100^(1 - 2p)", Style::Expected, powers.iter().map(|&p| (p, c.powf(1.0 - 2.0 * p))).collect());
    Outcome { checks, figures: vec![figure] }
}

const OTHER_SCALERS: Experiment = Experiment {
    name: "other-scalers",
    claim: "The root mean square is not the only scale-free divisor: the maximum and the sign are too. They \
            differ in what one large gradient does.",
    formula: "RMSProp g/√v̂, Adamax g/max, Lion sign g: unchanged by g → 1000 g",
    source: "An essay says that absolute values \"bring complexity\" and that the root is the only way.",
    code: "let max = Adamax { lr: 1.0, beta1: 0.0, beta2: 0.99, eps, ..Adamax::default() };",
    run: other_scalers,
};

fn other_scalers() -> Outcome {
    let rms = RmsProp { lr: 1.0, rho: 0.99, eps: NONE, bias_correction: true, ..RmsProp::default() };
    let max = Adamax { lr: 1.0, beta1: 0.0, beta2: 0.99, eps: NONE, ..Adamax::default() };
    let sign = Lion { lr: 1.0, ..Lion::default() };
    let mut checks = vec![
        scale_check(rms, 1.0),
        scale_check(max, 1.0),
        scale_check(sign, 1.0),
        scale_check(Adam { lr: 1.0, eps: NONE, ..Adam::default() }, 1.0),
        scale_check(AdaGrad { lr: 1.0, eps: NONE, ..AdaGrad::default() }, 1.0),
        scale_check(Rprop { lr: 1.0, ..Rprop::default() }, 1.0),
        scale_check(Sgd { lr: 1.0, ..Sgd::default() }, 1000.0),
    ];
    let spike = |scale: f64| (1..=150).map(move |t| if t == 50 { 10.0 * scale } else { scale });
    let by_rms = steps(rms, spike(1.0));
    let by_max = steps(max, spike(1.0));
    // Corrected, the average is 1 plus the 99 that the spike adds, times its weight.
    let weight = |t: f64| 0.01 * 0.99_f64.powf(t - 50.0) / (1.0 - 0.99_f64.powf(t));
    checks.push(Check::about(
        "RMSProp's step/η at a gradient of 10",
        by_rms[49],
        10.0 / (1.0 + 99.0 * weight(50.0)).sqrt(),
        1e-12,
    ));
    checks.push(Check::about(
        "RMSProp's step/η after it",
        by_rms[50],
        (1.0 + 99.0 * weight(51.0)).sqrt().recip(),
        1e-12,
    ));
    checks.push(Check::about("Adamax's step/η at a gradient of 10", by_max[49], 1.0, 1e-12));
    checks.push(Check::about("Adamax's step/η after it", by_max[50], (10.0 * 0.99_f64).recip(), 1e-12));
    let figure = Figure::new("One gradient of 10 among ones", Axis::linear("step"), Axis::log("step / η"))
        .with("root mean square (RMSProp)", Style::Line, evenly(&by_rms))
        .with("RMSProp under 1000 g", Style::Expected, evenly(&steps(rms, spike(1000.0))))
        .with("maximum (Adamax)", Style::Line, evenly(&by_max))
        .with("Adamax under 1000 g", Style::Expected, evenly(&steps(max, spike(1000.0))))
        .with("sign (Lion)", Style::Line, evenly(&steps(sign, spike(1.0))));
    Outcome { checks, figures: vec![figure] }
}

/// What a loss 1000 times as large makes of the way of fifty steps.
fn scale_check<R: Rule<f64>>(rule: R, expected: f64) -> Check {
    let way = |scale: f64| -> f64 {
        let descents = steps(rule.clone(), (0..50).map(move |t| scale * wandering(t)));
        descents.into_iter().map(f64::abs).sum()
    };
    Check::about(format!("way(1000 g)/way(g) of {}", R::NAME), way(1000.0) / way(1.0), expected, 1e-12)
}

const COLUMNS: Experiment = Experiment {
    name: "equal-columns",
    claim: "Under a frozen gradient RMSProp moves every coordinate by the same amount, however large its \
            gradient.",
    formula: "Δw_t = -η / √(1 - ρᵗ) in every column",
    source: "A tutorial's Python generator, whose documentation says that it yields parameters: it yields \
             these changes.",
    code: "let updates = std::iter::repeat_with(|| walker.descent(&[1.0, 2.0, 3.0]));",
    run: columns,
};

fn columns() -> Outcome {
    let recorded =
        [0.316228, 0.229416, 0.192095, 0.170523, 0.156267, 0.146089, 0.138449, 0.132508, 0.127767, 0.123909];
    let rule = RmsProp { lr: 0.1, rho: 0.9, ..RmsProp::default() };
    let mut walker: Walker<RmsProp> = Walker::new(rule, &[0.0; 3]);
    let updates: Vec<_> = std::iter::repeat_with(|| walker.descent(&[1.0, 2.0, 3.0])).take(10).collect();
    let column = |k: usize| updates.iter().map(|update| update[k]).collect::<Vec<_>>();
    let mut checks: Vec<Check> = (1..)
        .zip(column(0).into_iter().zip(recorded))
        .map(|(t, (step, recorded))| Check::near(format!("-Δw at step {t}"), step, recorded, 6e-7))
        .collect();
    for k in 1..3 {
        // ε = 1e-8 is a share of 3e-8 of the first divisor of the first column.
        let error = deviation(&column(k), &column(0));
        checks.push(Check::near(
            format!("largest relative difference of column {} from column 1", k + 1),
            error,
            0.0,
            4e-8,
        ));
    }
    let every = (0..3).flat_map(|k| evenly(&column(k))).collect();
    let sgd = |g: f64| evenly(&steps(Sgd { lr: 0.1, ..Sgd::default() }, [g; 10]));
    let figure = Figure::new("Steps under the gradient (1, 2, 3)", Axis::linear("step"), Axis::linear("-Δw"))
        .with("RMSProp, all three columns", Style::Marks, every)
        .with(
            "η / √(1 - ρᵗ)",
            Style::Expected,
            evenly(&formula(10, |t| 0.1 / (1.0 - 0.9_f64.powf(t)).sqrt())),
        )
        .with("Sgd, g = 1", Style::Line, sgd(1.0))
        .with("Sgd, g = 2", Style::Line, sgd(2.0))
        .with("Sgd, g = 3", Style::Line, sgd(3.0));
    Outcome { checks, figures: vec![figure] }
}
