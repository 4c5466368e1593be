//! The closed forms of RMSProp, each where it applies.

use wengert_optim::{Epsilon, RmsProp, Rule, WeightDecay};

use super::{LawFinding, Verdict, compare};
use crate::experiments::closed_form::formula;
use crate::run::walker::{Walker, steps};

/// How far a step may be from its closed form, relatively.
const TOLERANCE: f64 = 1e-9;

pub(super) fn all<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Vec<LawFinding> {
    let &RmsProp { centered, bias_correction, v0, .. } = meant;
    let plain = !centered && meant.momentum == 0.0;
    let mut findings = Vec::new();
    let mut claim = |applies: bool, law, says, check: fn(&R, &RmsProp) -> Verdict| {
        if applies {
            findings.push(LawFinding { law, says, failure: check(rule, meant).err() });
        }
    };
    claim(
        // Centered and corrected, v and m² are equal but for rounding.
        !(centered && bias_correction && v0 == 0.0),
        "first-step",
        "the first step follows from v₀, ρ and ε alone",
        first_step,
    );
    claim(
        plain && !bias_correction,
        "constant-gradient",
        "v under a constant g is ρᵗ v₀ + (1 - ρᵗ) g²",
        constant_gradient,
    );
    claim(
        plain && bias_correction,
        "bias-correction",
        "v / (1 - ρᵗ) undoes the start at 0: under a constant g every step is η g / |g|, but for ε",
        constant_gradient,
    );
    claim(
        plain,
        "decay-weights",
        "a squared gradient k steps back counts ρᵏ times as much as the newest",
        forgets,
    );
    claim(
        plain && v0 == 0.0,
        "epsilon-placement",
        "a steady gradient of ε outside the root gives half a step, of √ε inside 1/√2 of one",
        epsilon_floor,
    );
    claim(
        !centered && meant.momentum > 0.0,
        "momentum-builds",
        "under a constant g the steps grow to η / (1 - μ)",
        momentum_builds,
    );
    claim(
        centered && meant.momentum == 0.0 && !bias_correction && v0 == 0.0,
        "centered-blow-up",
        "v - m² under a constant g is ρᵗ (1 - ρᵗ) g²",
        centered_variance,
    );
    claim(true, "decay-alone", "weight decay does what it says where the loss is flat", decay_alone);
    findings
}

/// `η g` over the root of this mean square, which the bias correction multiplies.
fn step_of(meant: &RmsProp, g: f64, v: f64, correction: f64) -> f64 {
    let v = correction * v;
    let root = match meant.eps {
        Epsilon::Outside(eps) => v.sqrt() + eps,
        Epsilon::Inside(eps) => (v + eps).sqrt(),
        Epsilon::Uncorrected(eps) => v.sqrt() + eps * correction.sqrt(),
    };
    let sign = if meant.maximize { -1.0 } else { 1.0 };
    sign * meant.lr * g / root
}

/// `1 / (1 - ρᵗ)`, or 1 if the rule is not meant to have it.
fn correction(meant: &RmsProp, t: f64) -> f64 {
    if meant.bias_correction { (1.0 - meant.rho.powf(t)).recip() } else { 1.0 }
}

fn first_step<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    let (fresh, correction) = (1.0 - meant.rho, correction(meant, 1.0));
    let ahead = if meant.nesterov { 1.0 + meant.momentum } else { 1.0 };
    [1.0, -1.0, 1e-3, 1e3].into_iter().try_for_each(|g| {
        let v = meant.rho * meant.v0 + fresh * g * g;
        let mean = if meant.centered { fresh * g } else { 0.0 };
        let expected = ahead * step_of(meant, g, v - correction * mean * mean, correction);
        compare(&[g], &steps(rule.clone(), [g]), "expected", &[expected], TOLERANCE)
    })
}

fn constant_gradient<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    [1.0, 1e-3, 1e3].into_iter().try_for_each(|g| {
        let closed = formula(100, |t| {
            let kept = meant.rho.powf(t);
            step_of(meant, g, kept * meant.v0 + (1.0 - kept) * g * g, correction(meant, t))
        });
        compare(&[g; 100], &steps(rule.clone(), [g; 100]), "expected", &closed, TOLERANCE)
    })
}

fn forgets<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    [1, 2, 5, 20].into_iter().try_for_each(|k| {
        // One large gradient, a pause, and a gradient that shows what is left of it.
        let mut g = vec![0.0; k + 1];
        (g[0], g[k]) = (10.0, 1.0);
        let last = steps(rule.clone(), g.iter().copied())[k];
        let kept = meant.rho.powf(k as f64);
        let v = meant.rho * kept * meant.v0 + (1.0 - meant.rho) * (100.0 * kept + 1.0);
        let expected = step_of(meant, 1.0, v, correction(meant, k as f64 + 1.0));
        let close = (last - expected).abs() <= TOLERANCE * expected.abs();
        let case = || {
            format!("under g = 10, then 1 after {k} steps: the last step is {last:e}, expected {expected:e}")
        };
        if close { Ok(()) } else { Err(case()) }
    })
}

fn epsilon_floor<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    let floor = if let Epsilon::Inside(eps) = meant.eps { eps.sqrt() } else { meant.eps.value() };
    settles_at(rule, meant.rho, floor, step_of(meant, floor, floor * floor, 1.0))
}

fn momentum_builds<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    let limit = step_of(meant, 1.0, 1.0, 1.0) / (1.0 - meant.momentum);
    settles_at(rule, meant.rho.max(meant.momentum), 1.0, limit)
}

/// Compares the step under a constant gradient with its limit, once averages with this decay have reached theirs.
fn settles_at<R: Rule<f64>>(rule: &R, decay: f64, g: f64, limit: f64) -> Verdict {
    let count = (40.0 / (1.0 - decay)).min(100_000.0) as usize;
    let last = steps(rule.clone(), vec![g; count])[count - 1];
    let close = (last - limit).abs() <= 1e-6 * limit.abs();
    let case = || format!("under g = {g:e} ({count} times): the last step is {last:e}, expected {limit:e}");
    if close { Ok(()) } else { Err(case()) }
}

fn centered_variance<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    // As long as ρᵗ is far above the rounding of v - m².
    let count = (1e-3_f64.ln() / meant.rho.ln()).clamp(1.0, 1000.0) as usize;
    let g = vec![1.0; count];
    let closed = formula(count, |t| {
        let kept = meant.rho.powf(t);
        step_of(meant, 1.0, kept * (1.0 - kept), 1.0)
    });
    compare(&g, &steps(rule.clone(), g.iter().copied()), "expected", &closed, 1e-6)
}

fn decay_alone<R: Rule<f64>>(rule: &R, meant: &RmsProp) -> Verdict {
    let sign = if meant.maximize { -1.0 } else { 1.0 };
    // L2 decay comes to rest where the gradient balances it.
    let (gradient, keep) = match meant.weight_decay {
        WeightDecay::None => (0.0, 1.0),
        WeightDecay::L2(lambda) => (-sign * lambda, 1.0),
        WeightDecay::Decoupled(lambda) => (0.0, 1.0 - meant.lr * lambda),
        WeightDecay::Corrected { lambda, max_lr } => (0.0, 1.0 - meant.lr * meant.lr / max_lr * lambda),
    };
    let mut walker = Walker::new(rule.clone(), &[1.0]);
    (1..=10).try_for_each(|t| {
        walker.step(&[gradient]);
        let (w, expected) = (walker.p[0], f64::powi(keep, t));
        let close = (w - expected).abs() <= 1e-12;
        let case =
            || format!("from w = 1 under g = {gradient:e}: w after step {t} is {w}, expected {expected}");
        if close { Ok(()) } else { Err(case()) }
    })
}
