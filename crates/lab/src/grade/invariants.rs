//! What one may expect of any rule, whatever its hyper-parameters: laws that compare a run with another run.

use wengert_optim::Rule;

use super::{Law, Verdict, compare};
use crate::run::walker::{Walker, steps};

pub(super) fn all<R: Rule<f64>>() -> Vec<Law<R>> {
    vec![
        Law { name: "repeatable", says: "the same gradients give the same steps again", check: repeatable },
        Law {
            name: "tensors-apart",
            says: "another tensor's gradients change nothing",
            check: tensors_apart,
        },
        Law {
            name: "elements-apart",
            says: "another element's gradients change nothing",
            check: elements_apart,
        },
        Law {
            name: "rests-at-zero",
            says: "a parameter at 0 without any gradient stays",
            check: rests_at_zero,
        },
        Law { name: "odd", says: "the steps under -g are the steps under g turned round", check: odd },
        Law {
            name: "position-free",
            says: "the step does not depend on the parameter (no weight decay)",
            check: position_free,
        },
        Law { name: "scale-free", says: "1024 g gives the same steps as g", check: scale_free },
        Law { name: "finite", says: "a steady gradient never leads to NaN or infinity", check: finite },
    ]
}

/// From the simplest to the roughest, so that the first that fails is the one to look at.
fn streams() -> [Vec<f64>; 4] {
    let wandering = |t: i32| (f64::from(t) * 0.9).sin() + 0.3 * (f64::from(t) * 0.23).cos();
    [
        vec![1.0; 30],
        (0..30).map(|t| if t % 2 == 0 { 1.0 } else { -1.0 }).collect(),
        (0..30).map(|t| if t % 4 == 0 { 1.0 } else { 0.0 }).collect(),
        (0..100).map(wandering).collect(),
    ]
}

/// Compares the steps under each stream with others that should be the same.
fn on_streams<R: Rule<f64>>(
    rule: &R,
    tolerance: f64,
    which: &str,
    others: impl Fn(&[f64]) -> Vec<f64>,
) -> Verdict {
    streams().iter().try_for_each(|g| {
        let others = others(g);
        compare(g, &steps(rule.clone(), g.iter().copied()), which, &others, tolerance)
    })
}

fn repeatable<R: Rule<f64>>(rule: &R) -> Verdict {
    on_streams(rule, 0.0, "the second time", |g| steps(rule.clone(), g.iter().copied()))
}

fn tensors_apart<R: Rule<f64>>(rule: &R) -> Verdict {
    streams().iter().try_for_each(|g| {
        let alone = steps(rule.clone(), g.iter().copied());
        let (mut tensor, mut other) = (Walker::new(rule.clone(), &[0.0]), Walker::new(rule.clone(), &[0.0]));
        let beside = |&g: &f64| {
            other.descent(&[50.0]);
            tensor.descent(&[g])[0]
        };
        let beside: Vec<f64> = g.iter().map(beside).collect();
        compare(g, &beside, "alone", &alone, 0.0)
            .map_err(|case| format!("beside a tensor whose g is 50, {case}"))
    })
}

fn elements_apart<R: Rule<f64>>(rule: &R) -> Verdict {
    streams().iter().try_for_each(|g| {
        let mut pair = Walker::new(rule.clone(), &[0.0; 2]);
        let beside: Vec<f64> = g.iter().map(|&g| pair.descent(&[g, 50.0])[0]).collect();
        compare(g, &beside, "alone", &steps(rule.clone(), g.iter().copied()), 1e-12)
            .map_err(|case| format!("beside an element whose g is 50, {case}"))
    })
}

fn rests_at_zero<R: Rule<f64>>(rule: &R) -> Verdict {
    let g = [0.0; 10];
    compare(&g, &steps(rule.clone(), g), "expected", &g, 0.0)
}

fn odd<R: Rule<f64>>(rule: &R) -> Verdict {
    on_streams(rule, 1e-12, "turned round from -g", |g| {
        steps(rule.clone(), g.iter().map(|g| -g)).iter().map(|step| -step).collect()
    })
}

fn position_free<R: Rule<f64>>(rule: &R) -> Verdict {
    on_streams(rule, 1e-9, "from p = 1 instead of 0", |g| {
        let mut walker = Walker::new(rule.clone(), &[0.0]);
        let from_one = |&g: &f64| {
            walker.p.fill(1.0);
            walker.step(&[g]);
            1.0 - walker.p[0]
        };
        g.iter().map(from_one).collect()
    })
}

fn scale_free<R: Rule<f64>>(rule: &R) -> Verdict {
    on_streams(rule, 1e-6, "under 1024 g", |g| steps(rule.clone(), g.iter().map(|g| 1024.0 * g)))
}

fn finite<R: Rule<f64>>(rule: &R) -> Verdict {
    let gradients: Vec<f64> = (1..=20).map(|k| 0.1 * f64::from(k)).collect();
    let mut walker = Walker::new(rule.clone(), &[0.0; 20]);
    for t in 1..=6000 {
        let descents = walker.descent(&gradients);
        if let Some((g, step)) = gradients.iter().zip(&descents).find(|(_, step)| !step.is_finite()) {
            return Err(format!("under g = {g:.1} ({t} times): step {t} is {step}"));
        }
    }
    Ok(())
}
