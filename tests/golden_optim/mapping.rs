//! The frameworks' options in our words.

use serde_json::Value;
use wengert_optim::{Epsilon, RmsProp, Sgd, WeightDecay};

use crate::recording::{Case, Options};

/// The rule of a case, and that of the parameter `b` where it is another one.
pub(crate) struct Mapped<R> {
    pub(crate) default: R,
    pub(crate) for_b: Option<R>,
}

impl<R> From<R> for Mapped<R> {
    fn from(default: R) -> Self {
        Self { default, for_b: None }
    }
}

pub(crate) fn l2(lambda: f64) -> WeightDecay {
    if lambda == 0.0 { WeightDecay::None } else { WeightDecay::L2(lambda) }
}

pub(crate) fn decoupled(lambda: Option<f64>) -> WeightDecay {
    lambda.map_or(WeightDecay::None, WeightDecay::Decoupled)
}

pub(crate) fn sgd(case: &Case) -> Mapped<Sgd> {
    let mut o = Options::new(&case.options);
    let rule = match case.framework.as_str() {
        "torch" => Sgd {
            lr: o.number("lr"),
            momentum: o.number("momentum"),
            dampening: o.number("dampening"),
            nesterov: o.flag("nesterov"),
            weight_decay: l2(o.number("weight_decay")),
            maximize: o.flag("maximize"),
        },
        "keras" => Sgd {
            lr: o.number("learning_rate"),
            momentum: o.number("momentum"),
            nesterov: o.flag("nesterov"),
            weight_decay: decoupled(o.optional("weight_decay")),
            ..Sgd::default()
        },
        "optax" => Sgd {
            lr: o.number("learning_rate"),
            momentum: o.optional("momentum").unwrap_or(0.0),
            nesterov: o.flag("nesterov"),
            ..Sgd::default()
        },
        other => panic!("no SGD of `{other}`"),
    };
    o.finish();
    let rate_in_buffer = case.framework == "keras" && rule.momentum > 0.0;
    assert!(
        !rate_in_buffer || case.lr_changes.is_empty(),
        "Keras's SGD has the rate inside the buffer, ours has not"
    );
    rule.into()
}

pub(crate) fn rmsprop(case: &Case) -> Mapped<RmsProp> {
    let mut o = Options::new(&case.options);
    let rule = match case.framework.as_str() {
        "torch" => torch(&mut o),
        "keras" => keras(&mut o),
        "optax" => optax(&mut o, &case.rule),
        "tf1" => tf1(&mut o),
        "timm" => timm(&mut o),
        "burn" => burn(&mut o),
        "dfdx" => dfdx(&mut o),
        other => panic!("no RMSProp of `{other}`"),
    };
    o.finish();
    // dfdx's defect: `b`, whose first gradient is not in the first step, starts from 0 instead of 1.
    let late = case.framework == "dfdx" && case.problem == "missing";
    Mapped { default: rule, for_b: late.then_some(RmsProp { v0: 0.0, ..rule }) }
}

fn torch(o: &mut Options) -> RmsProp {
    RmsProp {
        lr: o.number("lr"),
        rho: o.number("alpha"),
        eps: Epsilon::Outside(o.number("eps")),
        centered: o.flag("centered"),
        momentum: o.number("momentum"),
        weight_decay: l2(o.number("weight_decay")),
        maximize: o.flag("maximize"),
        ..RmsProp::torch()
    }
}

fn keras(o: &mut Options) -> RmsProp {
    RmsProp {
        lr: o.number("learning_rate"),
        rho: o.number("rho"),
        eps: Epsilon::Inside(o.number("epsilon")),
        centered: o.flag("centered"),
        momentum: o.number("momentum"),
        weight_decay: decoupled(o.optional("weight_decay")),
        ..RmsProp::keras()
    }
}

/// The two scalings have neither rate nor sign: to add `u` is to climb at a rate of 1.
fn optax(o: &mut Options, rule: &str) -> RmsProp {
    let eps = o.number("eps");
    let common = RmsProp {
        rho: o.number("decay"),
        eps: if o.flag("eps_in_sqrt") { Epsilon::Inside(eps) } else { Epsilon::Outside(eps) },
        v0: o.number("initial_scale"),
        bias_correction: o.flag("bias_correction"),
        ..RmsProp::optax()
    };
    match rule {
        "rmsprop" => RmsProp {
            lr: o.number("learning_rate"),
            centered: o.flag("centered"),
            momentum: o.optional("momentum").unwrap_or(0.0),
            nesterov: o.flag("nesterov"),
            ..common
        },
        "scale_by_rms" => RmsProp { lr: 1.0, maximize: true, ..common },
        "scale_by_stddev" => RmsProp { lr: 1.0, maximize: true, centered: true, ..common },
        other => panic!("no `{other}` in optax"),
    }
}

fn tf1(o: &mut Options) -> RmsProp {
    RmsProp {
        lr: o.number("learning_rate"),
        rho: o.number("decay"),
        eps: Epsilon::Inside(o.number("epsilon")),
        centered: o.flag("centered"),
        momentum: o.number("momentum"),
        ..RmsProp::tf1()
    }
}

fn timm(o: &mut Options) -> RmsProp {
    assert!(!o.flag("caution"), "`caution` is not offered");
    let (lr, lambda) = (o.number("lr"), o.number("weight_decay"));
    let weight_decay = match (o.flag("decoupled_decay"), o.flag("corrected_weight_decay")) {
        (false, false) => l2(lambda),
        (true, false) => WeightDecay::Decoupled(lambda),
        (true, true) => WeightDecay::Corrected { lambda, max_lr: lr },
        (false, true) => panic!("timm corrects a decoupled decay only"),
    };
    RmsProp {
        lr,
        rho: o.number("alpha"),
        eps: Epsilon::Inside(o.number("eps")),
        centered: o.flag("centered"),
        momentum: o.number("momentum"),
        lr_in_momentum: o.flag("lr_in_momentum"),
        weight_decay,
        ..RmsProp::timm()
    }
}

fn burn(o: &mut Options) -> RmsProp {
    RmsProp {
        lr: o.number("lr"),
        rho: o.number("alpha"),
        eps: Epsilon::Outside(o.number("epsilon")),
        centered: o.flag("centered"),
        momentum: o.number("momentum"),
        weight_decay: l2(o.optional("weight_decay").unwrap_or(0.0)),
        ..RmsProp::burn()
    }
}

fn dfdx(o: &mut Options) -> RmsProp {
    let weight_decay = match o.take("weight_decay") {
        Value::Null => WeightDecay::None,
        value => match (value["l2"].as_f64(), value["decoupled"].as_f64()) {
            (Some(lambda), None) => WeightDecay::L2(lambda),
            (None, Some(lambda)) => WeightDecay::Decoupled(lambda),
            _ => panic!("a weight decay of {value}"),
        },
    };
    RmsProp {
        lr: o.number("lr"),
        rho: o.number("alpha"),
        eps: Epsilon::Inside(o.number("eps")),
        centered: o.flag("centered"),
        momentum: o.optional("momentum").unwrap_or(0.0),
        weight_decay,
        ..RmsProp::dfdx()
    }
}
