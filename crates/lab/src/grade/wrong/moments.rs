//! Adam, AdamW and Lion.

use wengert_optim::{Adam, Lion, WeightDecay};

use super::{At, Wrong, lambda, sign, wrong};

pub(super) fn all() -> Vec<Wrong> {
    [adam(), adamw(), lion()].into_iter().flatten().collect()
}

/// Adam but for its last line: m̂ and v̂.
fn moments(h: &Adam, a: &mut At) -> (f64, f64) {
    *a.m = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
    *a.v = h.beta2 * *a.v + (1.0 - h.beta2) * a.g * a.g;
    (*a.m / (1.0 - h.beta1.powf(a.t)), *a.v / (1.0 - h.beta2.powf(a.t)))
}

fn adam() -> Vec<Wrong> {
    let wrong = |name, expected, element| wrong(name, expected, Adam::default(), element);
    vec![
        wrong("climbs", "it climbs", |h, mut a| {
            let (m, v) = moments(h, &mut a);
            *a.p += h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("m is not corrected", "m is not corrected", |h, mut a| {
            let (_, v) = moments(h, &mut a);
            *a.p -= h.lr * *a.m / (v.sqrt() + h.eps.value());
        }),
        wrong("v is not corrected", "v is not corrected", |h, mut a| {
            let (m, _) = moments(h, &mut a);
            *a.p -= h.lr * m / (a.v.sqrt() + h.eps.value());
        }),
        wrong("nothing is corrected", "the bias correction is missing", |h, mut a| {
            moments(h, &mut a);
            *a.p -= h.lr * *a.m / (a.v.sqrt() + h.eps.value());
        }),
        wrong("t counts from 2", "t starts at 2", |h, mut a| {
            a.t += 1.0;
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("t counts from 0", "t starts at 0", |h, mut a| {
            a.t -= 1.0;
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("t counts the steps of all tensors", "tensors-apart", |h, mut a| {
            a.shared[0] += 1.0;
            a.t = a.shared[0];
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("betas swapped", "β₁ and β₂ have changed places", |h, mut a| {
            let (m, v) = moments(&Adam { beta1: h.beta2, beta2: h.beta1, ..*h }, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("g instead of m", "the step takes g instead of m", |h, mut a| {
            let (_, v) = moments(h, &mut a);
            *a.p -= h.lr * a.g / (v.sqrt() + h.eps.value());
        }),
        wrong("v of m", "v averages m²", |h, a| {
            *a.m = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
            *a.v = h.beta2 * *a.v + (1.0 - h.beta2) * *a.m * *a.m;
            let (m, v) = (*a.m / (1.0 - h.beta1.powf(a.t)), *a.v / (1.0 - h.beta2.powf(a.t)));
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("stale m", "m is updated after it is used", |h, mut a| {
            let before = *a.m;
            let (_, v) = moments(h, &mut a);
            *a.p -= h.lr * before / (1.0 - h.beta1.powf(a.t)) / (v.sqrt() + h.eps.value());
        }),
        wrong("ε before the correction", "ε is added before the bias correction", |h, mut a| {
            let (m, _) = moments(h, &mut a);
            *a.p -= h.lr * m * (1.0 - h.beta2.powf(a.t)).sqrt() / (a.v.sqrt() + h.eps.value());
        }),
    ]
}

fn adamw() -> Vec<Wrong> {
    let wrong = |name, expected, element| {
        wrong(name, expected, Adam { weight_decay: WeightDecay::Decoupled(0.1), ..Adam::default() }, element)
    };
    vec![
        wrong("coupled decay", "part of the gradient (L2)", |h, mut a| {
            a.g += lambda(h.weight_decay) * *a.p;
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
        wrong("decay without the rate", "not multiplied by the rate", |h, mut a| {
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value()) + lambda(h.weight_decay) * *a.p;
        }),
        wrong("decay with the wrong sign", "pushes away from 0", |h, mut a| {
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * (m / (v.sqrt() + h.eps.value()) - lambda(h.weight_decay) * *a.p);
        }),
        wrong("decay after the step", "acts after the step", |h, mut a| {
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
            *a.p -= h.lr * lambda(h.weight_decay) * *a.p;
        }),
        wrong("no decay", "the weight decay is missing", |h, mut a| {
            let (m, v) = moments(h, &mut a);
            *a.p -= h.lr * m / (v.sqrt() + h.eps.value());
        }),
    ]
}

fn lion() -> Vec<Wrong> {
    let wrong = |name, expected, element| {
        wrong(name, expected, Lion { weight_decay: WeightDecay::Decoupled(0.1), ..Lion::default() }, element)
    };
    vec![
        wrong("no sign", "the sign is missing", |h, a| {
            *a.p -= h.lr * (h.beta1 * *a.m + (1.0 - h.beta1) * a.g + lambda(h.weight_decay) * *a.p);
            *a.m = h.beta2 * *a.m + (1.0 - h.beta2) * a.g;
        }),
        wrong("m first", "m is updated before it is used", |h, a| {
            *a.m = h.beta2 * *a.m + (1.0 - h.beta2) * a.g;
            *a.p -= h.lr * (sign(h.beta1 * *a.m + (1.0 - h.beta1) * a.g) + lambda(h.weight_decay) * *a.p);
        }),
        wrong("betas swapped", "β₁ and β₂ have changed places", |h, a| {
            *a.p -= h.lr * (sign(h.beta2 * *a.m + (1.0 - h.beta2) * a.g) + lambda(h.weight_decay) * *a.p);
            *a.m = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
        }),
        wrong("one β", "m decays by β₁", |h, a| {
            *a.m = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
            *a.p -= h.lr * (sign(*a.m) + lambda(h.weight_decay) * *a.p);
        }),
        wrong("the sign of g", "the sign of g alone", |h, a| {
            *a.p -= h.lr * (sign(a.g) + lambda(h.weight_decay) * *a.p);
        }),
        wrong("a sign of 0", "the sign of 0", |h, a| {
            let u = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
            *a.p -= h.lr * (u.signum() + lambda(h.weight_decay) * *a.p);
            *a.m = h.beta2 * *a.m + (1.0 - h.beta2) * a.g;
        }),
        wrong("climbs", "it climbs", |h, a| {
            let u = h.beta1 * *a.m + (1.0 - h.beta1) * a.g;
            *a.p += h.lr * (sign(u) - lambda(h.weight_decay) * *a.p);
            *a.m = h.beta2 * *a.m + (1.0 - h.beta2) * a.g;
        }),
        wrong("coupled decay", "part of the gradient (L2)", |h, a| {
            let g = a.g + lambda(h.weight_decay) * *a.p;
            *a.p -= h.lr * sign(h.beta1 * *a.m + (1.0 - h.beta1) * g);
            *a.m = h.beta2 * *a.m + (1.0 - h.beta2) * g;
        }),
    ]
}
