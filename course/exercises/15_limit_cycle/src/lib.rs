//! A limit cycle, and a schedule that ends it.

use wengert::prelude::*;

/// `p` after each step of RMSProp (ρ = 0.9, PyTorch's other defaults) down `p² / 2` from 1; step `t` has the rate
/// `lr(t)`, from `t = 0` on.
pub fn descend(lr: impl Fn(u64) -> f64, steps: u64) -> Vec<f64> {
    todo!("the gradient of p² / 2 is p")
}

/// The largest `|p|` among the last hundred.
pub fn amplitude(path: &[f64]) -> f64 {
    todo!("path may be shorter")
}

/// `lr (1 + cos(π step / steps)) / 2`, and 0 from `steps` on.
pub fn cosine(step: u64, steps: u64, lr: f64) -> f64 {
    todo!("mind the steps after the end")
}
