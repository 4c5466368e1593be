//! What one may expect of any rule, whatever its hyper-parameters: laws that compare a run with another run.

use wengert_autodiff::Tensor;
use wengert_optim::{Field, FieldMut, Rule, State};

use super::{Law, Verdict, caught, compare};
use crate::run::walker::{Walker, descend, steps};

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
        Law { name: "downhill", says: "no step under a steady gradient goes up the slope", check: downhill },
        Law { name: "bowl", says: "100 steps from the rim of a bowl end below the rim", check: bowl },
        Law {
            name: "no-push",
            says: "without any gradient a parameter does not move away from 0",
            check: no_push,
        },
        Law { name: "any-shape", says: "an element of a matrix moves as one of a vector", check: any_shape },
        Law {
            name: "resumes",
            says: "the fields of the state are all that the next steps depend on",
            check: resumes,
        },
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

fn downhill<R: Rule<f64>>(rule: &R) -> Verdict {
    [1.0, -1.0, 1e-3].into_iter().try_for_each(|g| {
        let steps = steps(rule.clone(), [g; 30]);
        match steps.iter().position(|step| step * g < 0.0) {
            None => Ok(()),
            Some(at) => Err(format!("under g = {g} ({} times): step {} is {:e}", at + 1, at + 1, steps[at])),
        }
    })
}

/// The bowl `p²/2`, whose gradient is `p`.
fn bowl<R: Rule<f64>>(rule: &R) -> Verdict {
    [1.0, -1.0].into_iter().try_for_each(|rim| {
        let p = *descend(rule.clone(), rim, 100, |p| p).last().expect("100 steps");
        let case =
            || format!("the loss p²/2 is {} at first and {} after 100 steps", rim * rim / 2.0, p * p / 2.0);
        if p * p < rim * rim { Ok(()) } else { Err(case()) }
    })
}

fn no_push<R: Rule<f64>>(rule: &R) -> Verdict {
    [1.0, -1.0].into_iter().try_for_each(|start: f64| {
        let p = descend(rule.clone(), start, 1, |_| 0.0)[0];
        if p.abs() <= start.abs() {
            Ok(())
        } else {
            Err(format!("from p = {start} under g = 0: step 1 leads to {p}"))
        }
    })
}

fn any_shape<R: Rule<f64>>(rule: &R) -> Verdict {
    let gradients: Vec<f64> = (1..=6).map(|k| f64::from(k) - 2.5).collect();
    let shaped = |shape: &[usize]| Tensor::from_shape_vec(shape, gradients.clone()).expect("six elements");
    let run = |shape: &[usize]| {
        let mut walker = Walker::on(rule.clone(), Tensor::zeros(shape));
        (0..5).for_each(|_| walker.update(&shaped(shape)));
        walker.p.iter().copied().collect::<Vec<_>>()
    };
    let vector = run(&[6]);
    [[2, 3], [6, 1]].iter().try_for_each(|shape| {
        let matrix =
            caught(|| run(shape)).map_err(|panic| format!("on an array of shape {shape:?} {panic}"))?;
        let case = || format!("after 5 steps an array of shape {shape:?} is {matrix:?}, a vector {vector:?}");
        if matrix == vector { Ok(()) } else { Err(case()) }
    })
}

/// Goes on with a state that was made anew and got what the fields of the old one show, as a checkpoint does it.
fn resumes<R: Rule<f64>>(rule: &R) -> Verdict {
    streams().iter().try_for_each(|g| {
        let (before, after) = g.split_at(7);
        let mut original = Walker::new(rule.clone(), &[0.0]);
        before.iter().for_each(|&g| original.step(&[g]));
        let mut copy = Walker::on(rule.clone(), original.p.clone());
        restore(&mut copy.state, &original.state);
        let [mut went_on, mut resumed] = [Vec::new(), Vec::new()];
        for &g in after {
            went_on.push(original.descent(&[g])[0]);
            resumed.push(copy.descent(&[g])[0]);
        }
        compare(after, &resumed, "without the break", &went_on, 0.0)
            .map_err(|case| format!("resumed after 7 steps, {case}"))
    })
}

fn restore<S: State<f64>>(state: &mut S, from: &S) {
    for (name, field) in from.fields() {
        let place = state.fields_mut().into_iter().find(|&(other, _)| other == name);
        match (place.map(|(_, place)| place), field) {
            (Some(FieldMut::Tensor(place)), Field::Tensor(tensor)) => *place = tensor.clone(),
            (Some(FieldMut::Optional(place)), Field::Tensor(tensor)) => *place = Some(tensor.clone()),
            (Some(FieldMut::Steps(place)), Field::Steps(count)) => *place = count,
            (Some(FieldMut::Count(place)), Field::Count(count)) => *place = count,
            (Some(FieldMut::Number(place)), Field::Number(number)) => *place = number,
            _ => {}
        }
    }
}
