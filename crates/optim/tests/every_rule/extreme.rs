//! Gradients at the ends of the range. What is right is the same rule in `f64`, where no square of an `f32` leaves it.

use wengert_autodiff::{Real, Tensor};
use wengert_optim::{Field, RmsProp, Rule, Sgd, State, for_every_rule};

use crate::row::Row;

/// The parameter after each of these gradients.
fn path<F: Real, R: Rule<F>>(rule: &R, grads: &[f64]) -> Vec<f64> {
    let mut param = Tensor::from_elem(vec![1], F::ONE);
    let mut state = rule.init(&param);
    let step = |&g: &f64| {
        rule.update(&mut param, &Tensor::from_elem(vec![1], F::from_f64(g)), &mut state);
        param[0].as_f64()
    };
    grads.iter().map(step).collect()
}

#[test]
fn no_finite_gradient_leaves_the_range() {
    fn check<R: Row>() {
        for rule in R::rows().iter().filter(|rule| !rule.is_ill_conditioned()) {
            for x in [0.0_f64, 1e-45, 1e-30, 1e15, 1e20, -1e20, 3e38, -3e38] {
                let x = match <R as Rule<f32>>::NAME {
                    "Sgd" => x / 10.0, // its momentum is a sum of gradients, which may leave the range itself
                    "RAdam" => x.clamp(-1e19, 1e19), // its first steps are as large as the gradient
                    _ => x,
                };
                let grads = [1.0, -0.5, x, 0.25, 1.0, -0.75].map(|g| f64::from(g as f32));
                let (found, exact) = (path::<f32, R>(rule, &grads), path::<f64, R>(rule, &grads));
                for (step, (found, exact)) in found.iter().zip(&exact).enumerate() {
                    let error = (found - exact).abs() / exact.abs().max(1.0);
                    // Behind a parameter of 1e30, small steps are rounded away.
                    assert!(
                        error < 1e-3,
                        "{rule:?}, {x:e} in step 2: {found} in step {step}, exactly {exact}"
                    );
                }
            }
        }
    }
    for_every_rule!(check);
}

#[test]
fn the_state_stays_finite_after_every_finite_gradient() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let mut param = Tensor::<f32>::from_elem(vec![2], 1.0);
            let mut state = rule.init(&param);
            for g in [f32::MAX, -f32::MAX, 1e20, 1e-45, 3e38, 1.0] {
                rule.update(&mut param, &Tensor::from_elem(vec![2], g), &mut state);
            }
            // The buffer of SGD is a sum of gradients, which may leave the range of f32.
            let squares = ["v", "x", "r", "u"];
            for (name, field) in state.fields() {
                if let Field::Tensor(tensor) = field {
                    let finite = tensor.iter().all(|x| x.is_finite());
                    assert!(finite || !squares.contains(&name), "{rule:?}: `{name}` is {tensor}");
                }
            }
        }
    }
    for_every_rule!(check);
}

/// What RMSProp does after one gradient of 1e20: the element stands still while `√v` is large beside the gradients, and
/// moves again when `v` has faded, after `ln(1e36) / -ln 0.99 = 8,300` steps.
#[test]
fn an_element_recovers_from_a_gradient_of_1e20() {
    let after = |rule: &RmsProp, steps: usize| {
        let mut grads = vec![1e20];
        grads.resize(steps, 1.0);
        path::<f32, _>(rule, &grads)
    };
    let path = after(&RmsProp { lr: 0.01, ..RmsProp::torch() }, 10_000);
    let (standing, moving) = (path[100] - path[1000], path[9_000] - path[9_100]);
    assert_eq!(standing, 0.0);
    assert!((moving - 1.0).abs() < 0.05, "100 steps of 0.01, {moving}");
}

/// Only a gradient that is not finite makes a parameter so, and then at once.
#[test]
fn a_gradient_that_is_not_finite_is_seen() {
    fn check<R: Row>() {
        for rule in &R::rows() {
            let nan = path::<f32, R>(rule, &[1.0, f64::NAN, 1.0]);
            assert!(nan[1].is_nan() && nan[2].is_nan(), "{rule:?}: {nan:?}");
        }
    }
    for_every_rule!(check);
}

/// As in PyTorch: `-η ∞ = -∞`, and options that are off add nothing to it.
#[test]
fn an_infinite_gradient_carries_sgd_to_infinity() {
    for rule in Sgd::rows().into_iter().filter(|rule| rule.without_decay() == *rule) {
        let found = path::<f32, Sgd>(&rule, &[f64::INFINITY, 1.0, 1.0]);
        assert!(found.iter().all(|p| p.is_infinite()), "{rule:?}: {found:?}");
    }
}
