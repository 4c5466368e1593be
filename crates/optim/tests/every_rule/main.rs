//! What must hold for every rule, whichever options are on: a table of rules, and how their runs are related.

mod combinations;
mod extreme;
mod list;
mod memory;
mod models;
mod precision;
mod row;
mod table;

use row::{Row, Units};
use wengert_autodiff::{Real, Tensor};
use wengert_optim::{Epsilon, Field, FieldMut, Rule, State, for_every_rule};

const STEPS: usize = 12;

/// Gradients of all sizes and signs, with zeros.
fn gradient(step: usize, element: usize) -> f64 {
    let x = (12.9898 * step as f64 + 78.233 * element as f64).sin() * 43_758.547;
    if (step + element).is_multiple_of(5) {
        0.0
    } else {
        (x - x.floor() - 0.5) * 10f64.powi(element as i32 - 3)
    }
}

fn tensor<F: Real>(f: impl Fn(usize) -> f64) -> Tensor<F> {
    Tensor::from_shape_fn(vec![2, 3], |at| F::from_f64(f(3 * at[0] + at[1])))
}

fn gradients<F: Real>(step: usize) -> Tensor<F> {
    tensor(|i| gradient(step, i))
}

fn start<F: Real>() -> Tensor<F> {
    tensor(|i| 1.5 - 0.7 * i as f64)
}

/// The parameter after each step.
fn run<F: Real, R: Rule<F>>(
    rule: &R,
    mut param: Tensor<F>,
    grad: impl Fn(usize) -> Tensor<F>,
) -> Vec<Tensor<F>> {
    rule.validate().unwrap_or_else(|error| panic!("{error}"));
    let mut state = rule.init(&param);
    let steps = (0..STEPS).map(|step| {
        rule.update(&mut param, &grad(step), &mut state);
        param.clone()
    });
    steps.collect()
}

fn plain<R: Rule<f64>>(rule: &R) -> Vec<Tensor<f64>> {
    run(rule, start(), gradients)
}

fn scaled(x: &Tensor<f64>, c: f64) -> Tensor<f64> {
    x.mapv(|x| c * x).into_shared()
}

fn stays_after_zero_gradients<F: Real, R: Rule<F>>(rule: &R) {
    let mut param = Tensor::<F>::from_elem(vec![3], F::from_f64(1.5));
    let zero = Tensor::<F>::zeros(vec![3]);
    let mut state = rule.init(&param);
    for _ in 0..1100 {
        rule.update(&mut param, &zero, &mut state);
        assert!(param.iter().all(|&p| p == F::from_f64(1.5)), "{rule:?}");
    }
}

/// A gradient that has as many elements as the parameter, but not its shape, is a mistake.
#[test]
fn a_gradient_of_another_shape_is_refused() {
    fn check<R: Row>() {
        let (mut param, grad) = (start::<f64>(), gradients::<f64>(0).t().to_owned().into_shared());
        let rule = R::default();
        let mut state = rule.init(&param);
        let update = std::panic::AssertUnwindSafe(|| rule.update(&mut param, &grad, &mut state));
        let message = *std::panic::catch_unwind(update).unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("a gradient of shape [3, 2] for a parameter of shape [2, 3]"), "{message}");
    }
    for_every_rule!(check);
}

/// From any start of the state, for longer than it takes an average of `f32` to underflow.
#[test]
fn a_zero_gradient_is_a_zero_update() {
    fn check<R: Row>() {
        for rule in R::rows().iter().map(Row::without_decay) {
            let tiny = [Epsilon::Outside(1e-30), Epsilon::Inside(1e-30), Epsilon::Uncorrected(1e-30)];
            let tiny = tiny.into_iter().filter_map(|eps| rule.with_eps(eps));
            for rule in std::iter::once(rule).chain(tiny) {
                stays_after_zero_gradients::<f32, _>(&rule);
                stays_after_zero_gradients::<f64, _>(&rule);
            }
        }
    }
    for_every_rule!(check);
}

/// A tiny gradient and then none: no average may get stuck among the denormal numbers, whose arithmetic is slow.
#[test]
fn a_memory_fades_to_zero() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let mut param = Tensor::<f32>::from_elem(vec![3], 1.5);
            let mut state = rule.init(&param);
            let tiny = [1e-17, -3e-18, 2e-18];
            rule.update(&mut param, &Tensor::from_shape_fn(vec![3], |i| tiny[i[0]]), &mut state);
            for step in 0..1500 {
                rule.update(&mut param, &Tensor::zeros(vec![3]), &mut state);
                let denormal = |field: &Field<'_, f32>| match field {
                    Field::Tensor(tensor) => tensor.iter().any(|x| x.is_subnormal()),
                    _ => false,
                };
                let stuck = state.fields().into_iter().find(|(_, field)| step % 50 == 49 && denormal(field));
                assert!(stuck.is_none(), "{rule:?} after {step} steps: {stuck:?}");
            }
        }
    }
    for_every_rule!(check);
}

/// A gradient of zero still lets weight decay act: it shrinks the parameter, and never makes it NaN.
#[test]
fn weight_decay_acts_on_a_zero_gradient() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let last = run(rule, tensor::<f64>(|_| 1.5), |_| tensor(|_| 0.0)).pop().unwrap();
            let decays = rule.without_decay() != *rule;
            // To maximize leaves the decay a decay; a momentum of 0.9 can carry an element past zero.
            assert!(
                last.iter().all(|&p| if decays { p < 1.5 && p.is_finite() } else { p == 1.5 }),
                "{rule:?}"
            );
        }
    }
    for_every_rule!(check);
}

#[test]
fn elements_do_not_know_their_place() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let expected = plain(rule);
            let reverse = |x: &Tensor<f64>| tensor::<f64>(|i| x[[(5 - i) / 3, (5 - i) % 3]]);
            let reversed = run(rule, reverse(&start()), |step| reverse(&gradients(step)));
            let turned = |x: Tensor<f64>| x.reversed_axes().as_standard_layout().into_owned().into_shared();
            // The same numbers in the other memory order, and gradients in an order unlike the parameter's.
            let columns = run(rule, turned(start()).reversed_axes(), gradients);
            for step in 0..STEPS {
                assert_eq!(reverse(&reversed[step]), expected[step], "{rule:?}");
                assert_eq!(columns[step], expected[step], "{rule:?}");
            }
        }
    }
    for_every_rule!(check);
}

/// To climb along `g` is to descend along `-g`.
#[test]
fn maximizing_is_minimizing_the_negative() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let Some(other) = rule.turned_round() else { continue };
            let found = run(&other, start::<f64>(), |step| tensor(|i| -gradient(step, i)));
            assert_eq!(found, plain(rule), "{rule:?}");
        }
    }
    for_every_rule!(check);
}

/// With every hyper-parameter in the new unit the run is the same in the new unit: to the last bit, since the factors
/// are powers of two. It is wrong to this test to put ε into the other place.
#[test]
fn units_do_not_matter() {
    fn check<R: Row>() {
        for (loss, param) in [(1024.0, 1.0), (1.0 / 4096.0, 1.0), (1.0, 256.0), (64.0, 0.125)] {
            let units = Units { loss, param };
            for rule in &R::rows() {
                let Some(other) = rule.in_units(units) else { continue };
                let grad = |step| scaled(&gradients(step), units.gradient());
                let found = run(&other, scaled(&start(), param), grad);
                let expected: Vec<_> = plain(rule).iter().map(|x| scaled(x, param)).collect();
                assert_eq!(found, expected, "{rule:?}");
            }
        }
    }
    for_every_rule!(check);
}

/// Where only ε has the unit of the loss, and ε is too small to be seen, the size of the gradient does not matter at
/// all.
#[test]
fn adaptive_rules_do_not_see_the_scale_of_the_loss() {
    const C: f64 = 1024.0;
    fn check<R: Row>() {
        let invisible = |rule: R| rule.with_eps(Epsilon::Outside(1e-200)).unwrap_or(rule);
        let well_conditioned = R::rows().into_iter().filter(|rule| !rule.is_ill_conditioned());
        let applies = |rule: &R| {
            let in_new_unit = rule.in_units(Units { loss: C, param: 1.0 });
            in_new_unit.is_some_and(|new| invisible(new) == *rule)
        };
        let rules: Vec<_> = well_conditioned.map(invisible).filter(applies).collect();
        for rule in &rules {
            assert_eq!(run(rule, start(), |step| scaled(&gradients(step), C)), plain(rule), "{rule:?}");
        }
        let expected = if R::SEES_SCALE { rules.is_empty() } else { rules.len() > 2 };
        assert!(
            expected,
            "{rule} has {count} rows in which nothing but ε has the unit of a gradient. In tests/every_rule/table.rs, \
             set SEES_SCALE if it cannot have any, and write more than 2 otherwise.",
            rule = <R as Rule<f64>>::NAME,
            count = rules.len(),
        );
    }
    for_every_rule!(check);
}

/// Each row is a rule of its own, and none of its options is another one in disguise.
#[test]
fn every_option_has_an_effect() {
    fn check<R: Row>() {
        let trajectories: Vec<_> = R::rows().into_iter().map(|rule| (rule, plain(&rule))).collect();
        for (i, (rule, a)) in trajectories.iter().enumerate() {
            for (other, b) in &trajectories[i + 1..] {
                assert!(a != b || rule.acts_like(other), "{rule:?} acts like {other:?}");
            }
        }
    }
    for_every_rule!(check);
}

#[test]
fn rules_survive_serialization() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let text = serde_json::to_string(rule).unwrap();
            if rule.with_eps(Epsilon::Outside(1.0)).is_some() {
                let places = ["\"eps\":{\"Outside\":", "\"eps\":{\"Inside\":", "\"eps\":{\"Uncorrected\":"];
                assert!(places.iter().any(|place| text.contains(place)), "the place of ε is not in {text}");
            }
            assert_eq!(serde_json::from_str::<R>(&text).unwrap(), *rule);
        }
    }
    for_every_rule!(check);
}

enum Saved {
    Tensor(Tensor<f64>),
    Count(u64),
    Number(f64),
}

/// A state is its fields: moved by name into a fresh one in the middle of a run, they continue it to the last bit.
#[test]
fn a_state_can_be_moved_field_by_field() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let mut param = start::<f64>();
            let mut state: <R as Rule<f64>>::State = rule.init(&param);
            (0..5).for_each(|step| rule.update(&mut param, &gradients(step), &mut state));

            let saved = state.fields().into_iter().map(|(name, field)| match field {
                Field::Tensor(tensor) => (name, Saved::Tensor(tensor.to_owned().into_shared())),
                Field::Steps(count) | Field::Count(count) => (name, Saved::Count(count)),
                Field::Number(number) => (name, Saved::Number(number)),
                other => panic!("no test knows {other:?}"),
            });
            let saved: Vec<_> = saved.collect();
            let mut fresh: <R as Rule<f64>>::State = rule.init(&param);
            for (name, field) in fresh.fields_mut() {
                match (field, saved.iter().find(|(saved, _)| *saved == name).map(|(_, value)| value)) {
                    (FieldMut::Tensor(to), Some(Saved::Tensor(from))) => to.assign(from),
                    (FieldMut::Optional(to), Some(Saved::Tensor(from))) => *to = Some(from.clone()),
                    (FieldMut::Optional(to), None) => *to = None,
                    (FieldMut::Steps(to) | FieldMut::Count(to), Some(Saved::Count(from))) => *to = *from,
                    (FieldMut::Number(to), Some(Saved::Number(from))) => *to = *from,
                    (field, _) => panic!("{rule:?}: no value for `{name}`, {field:?}"),
                }
            }
            let mut resumed = param.clone();
            for step in 5..STEPS {
                rule.update(&mut param, &gradients(step), &mut state);
                rule.update(&mut resumed, &gradients(step), &mut fresh);
                assert_eq!(param, resumed, "{rule:?}");
            }
            assert_eq!(param, plain(rule)[STEPS - 1], "{rule:?}");
        }
    }
    for_every_rule!(check);
}

/// Seven digits follow sixteen.
#[test]
fn single_precision_follows_double() {
    fn check<R: Row>() {
        for rule in R::rows().iter().filter(|rule| !rule.is_ill_conditioned()) {
            let single = run(rule, start::<f32>(), gradients);
            let double = run(rule, start::<f64>(), gradients);
            for (single, double) in single.iter().zip(&double) {
                for (&single, &double) in single.iter().zip(double) {
                    let off = (f64::from(single) - double).abs();
                    assert!(off <= 1e-5 * double.abs().max(1.0), "{rule:?}: {single:e}, not {double:e}");
                }
            }
        }
    }
    for_every_rule!(check);
}

/// The rate is there before the first step and after it, in the parameter's shape.
#[test]
fn the_effective_rate_is_a_positive_number_for_every_element() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let mut param = start::<f64>();
            let mut state = rule.init(&param);
            for step in 0..STEPS {
                let rate: Tensor<f64> = rule.effective_lr(&param, &state);
                assert_eq!(rate.shape(), param.shape());
                assert!(rate.iter().all(|&rate| rate > 0.0 && rate.is_finite()), "{rule:?}: {rate}");
                rule.update(&mut param, &gradients(step), &mut state);
            }
        }
    }
    for_every_rule!(check);
}
