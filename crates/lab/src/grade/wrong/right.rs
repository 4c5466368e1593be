//! Right rules in other words than the library's, with other rounding: none of them may be accused.

use wengert_optim::{AdaGrad, Adam, Epsilon, Lion, RmsProp, Sgd, WeightDecay};

use super::{Wrong, lambda, sign, wrong};

pub(super) fn all() -> Vec<Wrong> {
    [rmsprop(), others()].into_iter().flatten().collect()
}

fn rmsprop() -> Vec<Wrong> {
    let plain = RmsProp::default();
    let nesterov = RmsProp { momentum: 0.9, nesterov: true, ..plain };
    let inside = RmsProp { eps: Epsilon::Inside(1e-8), ..plain };
    let centered = RmsProp { centered: true, ..plain };
    let corrected = RmsProp { bias_correction: true, ..plain };
    let decayed = RmsProp { weight_decay: WeightDecay::L2(0.1), ..plain };
    vec![
        wrong("v moves towards g²", "", plain, |h, a| {
            *a.v += (1.0 - h.rho) * (a.g * a.g - *a.v);
            *a.p -= h.lr / (a.v.powf(0.5) + h.eps.value()) * a.g;
        }),
        wrong("ε inside, by the reciprocal root", "", inside, |h, a| {
            *a.v = a.v.mul_add(h.rho, (1.0 - h.rho) * a.g.powi(2));
            *a.p -= h.lr * a.g * (*a.v + h.eps.value()).sqrt().recip();
        }),
        wrong("Nesterov, the step first", "", nesterov, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            let step = h.lr * a.g / (a.v.sqrt() + h.eps.value());
            *a.p -= step + h.momentum * (h.momentum * *a.b * h.lr + step);
            *a.b = h.momentum * *a.b + step / h.lr;
        }),
        wrong("the variance as (√v - m) (√v + m)", "", centered, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.m += (1.0 - h.rho) * (a.g - *a.m);
            let variance = (a.v.sqrt() - *a.m) * (a.v.sqrt() + *a.m);
            *a.p -= h.lr * a.g / (variance.max(0.0).sqrt() + h.eps.value());
        }),
        wrong("the correction by powi, outside the root", "", corrected, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            let correction = (1.0 - h.rho.powi(a.t as i32)).sqrt();
            *a.p -= h.lr * a.g / (a.v.sqrt() / correction + h.eps.value());
        }),
        wrong("L2 decay in a variable", "", decayed, |h, a| {
            let g = lambda(h.weight_decay).mul_add(*a.p, a.g);
            *a.v = h.rho * *a.v + (1.0 - h.rho) * g * g;
            *a.p -= h.lr * g / (a.v.sqrt() + h.eps.value());
        }),
    ]
}

fn others() -> Vec<Wrong> {
    let sgd = Sgd { lr: 0.1, momentum: 0.9, ..Sgd::default() };
    let adagrad = AdaGrad { lr: 0.1, ..AdaGrad::default() };
    let adamw = Adam { weight_decay: WeightDecay::Decoupled(0.1), ..Adam::default() };
    let lion = Lion { weight_decay: WeightDecay::Decoupled(0.1), ..Lion::default() };
    vec![
        wrong("a buffer that starts at 0", "", sgd, |h, a| {
            *a.b = h.momentum * *a.b + a.g;
            *a.p += -h.lr * *a.b;
        }),
        wrong("dampened from the second gradient on", "", Sgd { dampening: 0.5, ..sgd }, |h, a| {
            *a.b = if a.t == 1.0 { a.g } else { h.momentum * *a.b + (1.0 - h.dampening) * a.g };
            *a.p -= h.lr * *a.b;
        }),
        wrong("the root kept instead of the sum", "", adagrad, |h, a| {
            *a.v = a.v.hypot(a.g);
            *a.p -= h.lr * a.g / (*a.v + h.eps.value());
        }),
        wrong("both corrections in the rate", "", Adam::default(), |h, a| {
            *a.m = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
            *a.v = h.beta2 * *a.v + (1.0 - h.beta2) * a.g * a.g;
            let root = (1.0 - h.beta2.powf(a.t)).sqrt();
            let lr = h.lr * root / (1.0 - h.beta1.powf(a.t));
            *a.p -= lr * *a.m / (a.v.sqrt() + h.eps.value() * root);
        }),
        wrong("the decay first", "", adamw, |h, a| {
            *a.p *= 1.0 - h.lr * lambda(h.weight_decay);
            *a.m += (1.0 - h.beta1) * (a.g - *a.m);
            *a.v += (1.0 - h.beta2) * (a.g * a.g - *a.v);
            let (m, v) = (*a.m / (1.0 - h.beta1.powf(a.t)), *a.v / (1.0 - h.beta2.powf(a.t)));
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("m towards g", "", lion, |h, a| {
            let u = sign(*a.m + (1.0 - h.beta1) * (a.g - *a.m));
            *a.p -= h.lr * u + h.lr * lambda(h.weight_decay) * *a.p;
            *a.m += (1.0 - h.beta2) * (a.g - *a.m);
        }),
    ]
}
