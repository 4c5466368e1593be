//! SGD and AdaGrad.

use wengert_optim::{AdaGrad, Epsilon, Sgd, WeightDecay};

use super::{Wrong, lambda, wrong};

pub(super) fn all() -> Vec<Wrong> {
    [sgd(), adagrad()].into_iter().flatten().collect()
}

fn sgd() -> Vec<Wrong> {
    let plain = Sgd { lr: 0.1, ..Sgd::default() };
    let momentum = Sgd { momentum: 0.9, ..plain };
    let decay = Sgd { weight_decay: WeightDecay::L2(0.1), ..plain };
    vec![
        wrong("climbs", "it climbs", plain, |h, a| *a.p += h.lr * a.g),
        wrong("without the rate", "the rate is missing", plain, |_, a| *a.p -= a.g),
        wrong("the sign alone", "trajectory", plain, |h, a| *a.p -= h.lr * a.g.signum()),
        wrong("momentum without a buffer", "there is no buffer", momentum, |h, a| *a.p -= h.lr * a.g),
        wrong("momentum with the wrong sign", "the momentum has the wrong sign", momentum, |h, a| {
            *a.b = a.g - h.momentum * *a.b;
            *a.p -= h.lr * *a.b;
        }),
        wrong("an average as buffer", "the buffer is an average", momentum, |h, a| {
            *a.b = h.momentum * *a.b + (1.0 - h.momentum) * a.g;
            *a.p -= h.lr * *a.b;
        }),
        wrong("a buffer without μ", "μ is missing", momentum, |h, a| {
            *a.b += a.g;
            *a.p -= h.lr * *a.b;
        }),
        wrong("Nesterov, though not meant", "it looks ahead", momentum, |h, a| {
            *a.b = h.momentum * *a.b + a.g;
            *a.p -= h.lr * (a.g + h.momentum * *a.b);
        }),
        wrong("a buffer of all tensors", "tensors-apart", momentum, |h, a| {
            a.shared[0] = h.momentum * a.shared[0] + a.g;
            *a.p -= h.lr * a.shared[0];
        }),
        wrong("decay twice", "the weight decay acts twice", decay, |h, a| {
            *a.p -= h.lr * (a.g + 2.0 * lambda(h.weight_decay) * *a.p);
        }),
        wrong("decay with the wrong sign", "pushes away from 0", decay, |h, a| {
            *a.p -= h.lr * (a.g - lambda(h.weight_decay) * *a.p);
        }),
        wrong("decay without the rate", "the weight decay is not multiplied by the rate", decay, |h, a| {
            *a.p -= h.lr * a.g + lambda(h.weight_decay) * *a.p;
        }),
    ]
}

fn adagrad() -> Vec<Wrong> {
    let wrong = |name, expected, element| {
        wrong(name, expected, AdaGrad { eps: Epsilon::Outside(1e-8), ..AdaGrad::default() }, element)
    };
    vec![
        wrong("an average", "RMSProp's with ρ = 0.9,", |h, a| {
            *a.v = 0.9 * *a.v + 0.1 * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("r forgets", "r forgets everything", |h, a| {
            *a.v = a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("stale r", "r is updated after it is used", |h, a| {
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
            *a.v += a.g * a.g;
        }),
        wrong("no root", "the root is missing", |h, a| {
            *a.v += a.g * a.g;
            *a.p -= h.lr * a.g / (*a.v + h.eps.value());
        }),
        wrong("ε inside", "ε is inside the root", |h, a| {
            *a.v += a.g * a.g;
            *a.p -= h.lr * a.g / (*a.v + h.eps.value()).sqrt();
        }),
        wrong("a sum of g", "trajectory", |h, a| {
            *a.v += a.g;
            *a.p -= h.lr * a.g / (a.v.abs() + h.eps.value());
        }),
        wrong("climbs", "it climbs", |h, a| {
            *a.v += a.g * a.g;
            *a.p += h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
    ]
}
