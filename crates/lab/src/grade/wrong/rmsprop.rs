use wengert_optim::{RmsProp, WeightDecay};

use super::{Wrong, lambda, wrong};

pub(super) fn all() -> Vec<Wrong> {
    [steps(), averages(), around(), options()].into_iter().flatten().collect()
}

fn steps() -> Vec<Wrong> {
    let wrong = |name, expected, element| wrong(name, expected, RmsProp::default(), element);
    vec![
        wrong("climbs", "it climbs", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p += h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("no root", "the root is missing", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (*a.v + h.eps.value());
        }),
        wrong("ε inside", "ε is inside the root", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (*a.v + h.eps.value()).sqrt();
        }),
        wrong("no ε", "ε is missing", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / a.v.sqrt();
        }),
        wrong("ε as a constant", "another `eps` changes nothing", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + 1e-8);
        }),
        wrong("ε subtracted", "trajectory", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() - h.eps.value());
        }),
        wrong("stale v", "v is updated after it is used", |h, a| {
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
        }),
    ]
}

fn averages() -> Vec<Wrong> {
    let wrong = |name, expected, element| wrong(name, expected, RmsProp::default(), element);
    vec![
        wrong("v shared by tensors", "tensors-apart", |h, a| {
            let v = &mut a.shared[0];
            *v = h.rho * *v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (v.sqrt() + h.eps.value());
        }),
        wrong("v of the whole tensor", "elements-apart", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.mean * a.mean;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("a sum", "the average is a sum", |h, a| {
            *a.v = h.rho * *a.v + a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("weights swapped", "ρ and 1 - ρ have changed places", |h, a| {
            *a.v = (1.0 - h.rho) * *a.v + h.rho * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("|g|", "|g| is collected", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g.abs();
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("v forgets", "v forgets everything", |h, a| {
            *a.v = a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("v starts at 1", "v starts from 1", |h, a| {
            *a.v = if a.t == 1.0 { h.rho } else { h.rho * *a.v } + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
    ]
}

fn around() -> Vec<Wrong> {
    let wrong = |name, expected, element| wrong(name, expected, RmsProp::default(), element);
    vec![
        wrong("corrected, though not meant", "it has a bias correction", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            let corrected = *a.v / (1.0 - h.rho.powf(a.t));
            *a.p -= h.lr * a.g / (corrected.sqrt() + h.eps.value());
        }),
        wrong("rate ignored", "another `lr` changes nothing", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= 0.01 * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("rate squared", "the rate is squared", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("ρ ignored", "another `rho` changes nothing", |h, a| {
            *a.v = 0.99 * *a.v + 0.01 * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("not divided", "it does not divide by the root", |h, a| *a.p -= h.lr * a.g),
        wrong("the sign of g is lost", "odd", |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g.abs() / (a.v.sqrt() + h.eps.value());
        }),
        wrong("zero gradients skipped", "trajectory", |h, a| {
            if a.g != 0.0 {
                *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
                *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
            }
        }),
        wrong("g clipped on the way", "trajectory", |h, a| {
            let g = a.g.clamp(-10.0, 10.0);
            *a.v = h.rho * *a.v + (1.0 - h.rho) * g * g;
            *a.p -= h.lr * g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("state hidden in the rule", "resumes", |h, a| {
            a.shared[0] += 1.0;
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr / a.shared[0].sqrt() * a.g / (a.v.sqrt() + h.eps.value());
        }),
    ]
}

fn options() -> Vec<Wrong> {
    let plain = RmsProp::default();
    let momentum = RmsProp { momentum: 0.9, ..plain };
    let centered = RmsProp { centered: true, ..plain };
    let corrected = RmsProp { bias_correction: true, ..plain };
    let decoupled = RmsProp { weight_decay: WeightDecay::Decoupled(0.1), ..plain };
    vec![
        wrong("decay twice", "the weight decay acts twice", decoupled, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= 2.0 * h.lr * lambda(h.weight_decay) * *a.p;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("momentum with the wrong sign", "the momentum has the wrong sign", momentum, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.b = a.g / (a.v.sqrt() + h.eps.value()) - h.momentum * *a.b;
            *a.p -= h.lr * *a.b;
        }),
        wrong("momentum without a buffer", "the momentum is missing", momentum, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.b = a.g / (a.v.sqrt() + h.eps.value());
            *a.p -= h.lr * *a.b;
        }),
        wrong("the rate inside the buffer", "schedule", momentum, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.b = h.momentum * *a.b + h.lr * a.g / (a.v.sqrt() + h.eps.value());
            *a.p -= *a.b;
        }),
        wrong("centered without m²", "m² is not subtracted", centered, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("centered with a stale m", "m is updated after it is used", centered, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / ((*a.v - *a.m * *a.m).max(0.0).sqrt() + h.eps.value());
            *a.m = h.rho * *a.m + (1.0 - h.rho) * a.g;
        }),
        wrong("centered without a clamp", "finite", centered, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.m = h.rho * *a.m + (1.0 - h.rho) * a.g;
            *a.p -= h.lr * a.g / ((*a.v - *a.m * *a.m).sqrt() + h.eps.value());
        }),
        wrong("correction off by one", "t starts at 2", corrected, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            let corrected = *a.v / (1.0 - h.rho.powf(a.t + 1.0));
            *a.p -= h.lr * a.g / (corrected.sqrt() + h.eps.value());
        }),
        wrong("no correction", "the bias correction is missing", corrected, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / (a.v.sqrt() + h.eps.value());
        }),
        wrong("correction multiplies", "multiplies by 1 - ρᵗ", corrected, |h, a| {
            *a.v = h.rho * *a.v + (1.0 - h.rho) * a.g * a.g;
            *a.p -= h.lr * a.g / ((*a.v * (1.0 - h.rho.powf(a.t))).sqrt() + h.eps.value());
        }),
    ]
}
