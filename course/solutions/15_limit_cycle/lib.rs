//! A limit cycle, and a schedule that ends it.

use wengert::prelude::*;

/// `p` after each step of RMSProp (ρ = 0.9, PyTorch's other defaults) down `p² / 2` from 1; step `t` has the rate
/// `lr(t)`, from `t = 0` on.
pub fn descend(lr: impl Fn(u64) -> f64, steps: u64) -> Vec<f64> {
    let mut p: Tensor<f64> = [1.0].into_tensor();
    let mut rule = RmsProp { rho: 0.9, ..RmsProp::default() };
    let mut state = rule.init(&p);
    let step = |t| {
        rule.lr = lr(t);
        let gradient = p.clone();
        rule.update(&mut p, &gradient, &mut state);
        p[0]
    };
    (0..steps).map(step).collect()
}

/// The largest `|p|` among the last hundred.
pub fn amplitude(path: &[f64]) -> f64 {
    path.iter().rev().take(100).fold(0.0, |most, p| p.abs().max(most))
}

/// `lr (1 + cos(π step / steps)) / 2`, and 0 from `steps` on.
pub fn cosine(step: u64, steps: u64, lr: f64) -> f64 {
    let done = (step as f64 / steps as f64).min(1.0);
    lr * (1.0 + (std::f64::consts::PI * done).cos()) / 2.0
}
