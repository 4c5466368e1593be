//! Which hyper-parameters are refused.

use wengert_optim::{Epsilon, RmsProp, Rule, Sgd, WeightDecay};

#[track_caller]
fn refused<R: Rule<f32>>(rule: &R, hyper: &str) {
    let error = rule.check().expect_err("out of its range");
    assert_eq!(error.hyper, hyper, "{error}");
    assert!(error.to_string().contains(&format!("{hyper} is {}", error.value)), "{error}");
}

#[test]
fn rmsprop() {
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
        assert_eq!(Rule::<f32>::check(&presets), Ok(()));
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
    assert_eq!(Rule::<f32>::check(&RmsProp { lr: 0.0, rho: 0.0, ..ok }), Ok(()));
}

/// An ε that the precision rounds to zero is no ε.
#[test]
fn epsilon() {
    for bad in [0.0, -1e-8, f64::NAN, f64::INFINITY, 1e-60] {
        for eps in [Epsilon::Outside(bad), Epsilon::Inside(bad)] {
            refused(&RmsProp { eps, ..RmsProp::default() }, "eps");
        }
    }
    let eps = Epsilon::Outside(1e-60);
    assert_eq!(Rule::<f64>::check(&RmsProp { eps, ..RmsProp::default() }), Ok(()));
}

#[test]
fn sgd() {
    let ok = Sgd::default();
    refused(&Sgd { lr: -1.0, ..ok }, "lr");
    refused(&Sgd { momentum: -0.1, ..ok }, "momentum");
    refused(&Sgd { dampening: f64::NAN, ..ok }, "dampening");
    refused(&Sgd { nesterov: true, ..ok }, "momentum");
    refused(&Sgd { nesterov: true, momentum: 0.9, dampening: 0.1, ..ok }, "dampening");
    refused(&Sgd { weight_decay: WeightDecay::L2(-1.0), ..ok }, "weight_decay");
}
