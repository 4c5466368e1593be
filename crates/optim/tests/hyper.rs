//! Which presets are accepted, and which hyper-parameters are refused together; `every_rule` has the range of each.

use wengert_optim::{Adam, Epsilon, Optimizer, RmsProp, Rprop, Rule, Sgd};

#[track_caller]
fn refused<R: Rule<f32>>(rule: &R, name: &str) {
    assert_eq!(rule.validate().expect_err("a contradiction").name, name);
}

#[test]
fn presets_and_the_ends_of_ranges_are_accepted() {
    for preset in [
        RmsProp::torch(),
        RmsProp::keras(),
        RmsProp::tf1(),
        RmsProp::optax(),
        RmsProp::timm(),
        RmsProp::burn(),
        RmsProp::dfdx(),
        RmsProp::hinton(),
    ] {
        assert_eq!(Rule::<f32>::validate(&preset), Ok(()));
    }
    assert_eq!(Rule::<f32>::validate(&RmsProp { lr: 0.0, rho: 0.0, ..RmsProp::default() }), Ok(()));
    assert_eq!(Rule::<f32>::validate(&Adam { beta1: 0.0, beta2: 0.0, ..Adam::w() }), Ok(()));
    let small_eps = RmsProp { eps: Epsilon::Outside(1e-60), ..RmsProp::default() };
    assert_eq!(Rule::<f64>::validate(&small_eps), Ok(()));
}

#[test]
fn nesterov_needs_a_momentum_that_nothing_dampens() {
    refused(&RmsProp { nesterov: true, ..RmsProp::default() }, "momentum");
    let ok = Sgd::default();
    refused(&Sgd { nesterov: true, ..ok }, "momentum");
    refused(&Sgd { nesterov: true, momentum: 0.9, dampening: 0.1, ..ok }, "dampening");
}

#[test]
fn the_largest_step_is_not_below_the_smallest() {
    let ok = Rprop { step_min: 0.1, step_max: 0.1, ..Rprop::default() };
    assert_eq!(Rule::<f32>::validate(&ok), Ok(()));
    refused(&Rprop { step_min: 0.2, ..ok }, "step_max");
}

#[test]
fn numbers_from_outside_need_not_panic() {
    let error = Optimizer::<_, f32>::try_new(RmsProp { rho: 1.0, ..RmsProp::default() }).unwrap_err();
    assert_eq!(error.to_string(), "rho is 1, but must be at least 0 and below 1");
    let opt = Optimizer::<_, f32>::try_new(RmsProp::default()).unwrap();
    assert_eq!(*opt.rule(), RmsProp::default());
}
