//! Which hyper-parameters are refused.

use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, Lion, NAdam, Optimizer, RAdam, RmsProp, Rprop, Rule, Sgd,
    WeightDecay,
};

#[track_caller]
fn refused<R: Rule<f32>>(rule: &R, name: &str) {
    let error = rule.validate().expect_err("out of its range");
    assert_eq!(error.name, name, "{error}");
    assert!(error.to_string().contains(&format!("{name} is {}", error.value)), "{error}");
}

#[test]
fn rmsprop_accepts_its_presets_and_refuses_what_is_out_of_range() {
    let ok = RmsProp::default();
    for presets in [
        RmsProp::torch(),
        RmsProp::keras(),
        RmsProp::tf1(),
        RmsProp::optax(),
        RmsProp::timm(),
        RmsProp::burn(),
        RmsProp::dfdx(),
        RmsProp::hinton(),
    ] {
        assert_eq!(Rule::<f32>::validate(&presets), Ok(()));
    }
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        refused(&RmsProp { lr: bad, ..ok }, "lr");
        refused(&RmsProp { rho: bad, ..ok }, "rho");
        refused(&RmsProp { momentum: bad, ..ok }, "momentum");
        refused(&RmsProp { v0: bad, ..ok }, "v0");
        for weight_decay in [
            WeightDecay::L2(bad),
            WeightDecay::Decoupled(bad),
            WeightDecay::Corrected { lambda: bad, max_lr: 1.0 },
        ] {
            refused(&RmsProp { weight_decay, ..ok }, "weight_decay");
        }
    }
    refused(&RmsProp { rho: 1.0, ..ok }, "rho");
    refused(&RmsProp { nesterov: true, ..ok }, "momentum");
    refused(&RmsProp { weight_decay: WeightDecay::Corrected { lambda: 0.1, max_lr: 0.0 }, ..ok }, "max_lr");
    assert_eq!(Rule::<f32>::validate(&RmsProp { lr: 0.0, rho: 0.0, ..ok }), Ok(()));
}

/// An ε that the precision rounds to zero does not count.
#[test]
fn epsilon_must_be_positive_in_the_precision_of_the_parameters() {
    for bad in [0.0, -1e-8, f64::NAN, f64::INFINITY, 1e-60] {
        for eps in [Epsilon::Outside(bad), Epsilon::Inside(bad)] {
            refused(&RmsProp { eps, ..RmsProp::default() }, "eps");
        }
    }
    let eps = Epsilon::Outside(1e-60);
    assert_eq!(Rule::<f64>::validate(&RmsProp { eps, ..RmsProp::default() }), Ok(()));
}

#[test]
fn sgd_refuses_what_is_out_of_range_and_nesterov_without_momentum() {
    let ok = Sgd::default();
    refused(&Sgd { lr: -1.0, ..ok }, "lr");
    refused(&Sgd { momentum: -0.1, ..ok }, "momentum");
    refused(&Sgd { dampening: f64::NAN, ..ok }, "dampening");
    refused(&Sgd { nesterov: true, ..ok }, "momentum");
    refused(&Sgd { nesterov: true, momentum: 0.9, dampening: 0.1, ..ok }, "dampening");
    refused(&Sgd { weight_decay: WeightDecay::L2(-1.0), ..ok }, "weight_decay");
}

#[test]
fn the_adaptive_rules_refuse_each_field_that_is_out_of_range() {
    for bad in [-1e-3, f64::NAN, f64::INFINITY] {
        refused(&AdaGrad { lr: bad, ..AdaGrad::default() }, "lr");
        refused(&AdaGrad { lr_decay: bad, ..AdaGrad::default() }, "lr_decay");
        refused(&AdaGrad { r0: bad, ..AdaGrad::default() }, "r0");
        refused(&Adadelta { lr: bad, ..Adadelta::default() }, "lr");
        refused(&Lion { lr: bad, ..Lion::default() }, "lr");
        refused(&Adam { lr: bad, ..Adam::default() }, "lr");
        refused(&Adamax { lr: bad, ..Adamax::default() }, "lr");
        refused(&NAdam { lr: bad, ..NAdam::default() }, "lr");
        refused(&NAdam { momentum_decay: bad, ..NAdam::default() }, "momentum_decay");
        refused(&RAdam { lr: bad, ..RAdam::default() }, "lr");
    }
    for bad in [-0.1, 1.0, f64::NAN] {
        refused(&Adadelta { rho: bad, ..Adadelta::default() }, "rho");
        refused(&Adam { beta1: bad, ..Adam::default() }, "beta1");
        refused(&Adam { beta2: bad, ..Adam::default() }, "beta2");
        refused(&Adamax { beta1: bad, ..Adamax::default() }, "beta1");
        refused(&Adamax { beta2: bad, ..Adamax::default() }, "beta2");
        refused(&NAdam { beta1: bad, ..NAdam::default() }, "beta1");
        refused(&NAdam { beta2: bad, ..NAdam::default() }, "beta2");
        refused(&RAdam { beta1: bad, ..RAdam::default() }, "beta1");
        refused(&RAdam { beta2: bad, ..RAdam::default() }, "beta2");
        refused(&Lion { beta1: bad, ..Lion::default() }, "beta1");
        refused(&Lion { beta2: bad, ..Lion::default() }, "beta2");
    }
    let (eps, weight_decay) = (Epsilon::Uncorrected(0.0), WeightDecay::Decoupled(-0.1));
    refused(&AdaGrad { eps, ..AdaGrad::default() }, "eps");
    refused(&AdaGrad { weight_decay, ..AdaGrad::default() }, "weight_decay");
    refused(&Adadelta { eps, ..Adadelta::default() }, "eps");
    refused(&Adadelta { weight_decay, ..Adadelta::default() }, "weight_decay");
    refused(&Adam { eps, ..Adam::default() }, "eps");
    refused(&Adam { weight_decay, ..Adam::default() }, "weight_decay");
    refused(&Adamax { eps, ..Adamax::default() }, "eps");
    refused(&Adamax { weight_decay, ..Adamax::default() }, "weight_decay");
    refused(&NAdam { eps, ..NAdam::default() }, "eps");
    refused(&NAdam { weight_decay, ..NAdam::default() }, "weight_decay");
    refused(&RAdam { eps, ..RAdam::default() }, "eps");
    refused(&RAdam { weight_decay, ..RAdam::default() }, "weight_decay");
    refused(&Lion { weight_decay, ..Lion::default() }, "weight_decay");
    assert_eq!(Rule::<f32>::validate(&Adam { beta1: 0.0, beta2: 0.0, ..Adam::w() }), Ok(()));
}

#[test]
fn rprop_refuses_factors_and_limits_that_contradict_each_other() {
    let ok = Rprop::default();
    assert_eq!(Rule::<f32>::validate(&ok), Ok(()));
    refused(&Rprop { lr: -1.0, ..ok }, "lr");
    for bad in [0.0, 1.0, f64::NAN] {
        refused(&Rprop { eta_minus: bad, ..ok }, "eta_minus");
    }
    for bad in [1.0, f64::NAN, f64::INFINITY] {
        refused(&Rprop { eta_plus: bad, ..ok }, "eta_plus");
    }
    refused(&Rprop { step_min: -1e-6, ..ok }, "step_min");
    for bad in [1e-7, f64::NAN, f64::INFINITY] {
        refused(&Rprop { step_max: bad, ..ok }, "step_max");
    }
}

#[test]
fn numbers_from_outside_need_not_panic() {
    let error = Optimizer::<_, f32>::try_new(RmsProp { rho: 1.0, ..RmsProp::default() }).unwrap_err();
    assert_eq!(error.to_string(), "rho is 1, but must be at least 0 and below 1");
    let opt = Optimizer::<_, f32>::try_new(RmsProp::default()).unwrap();
    assert_eq!(*opt.rule(), RmsProp::default());
}
