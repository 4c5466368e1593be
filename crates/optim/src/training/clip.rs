//! Clipping of gradients, between `backward` and `step`.
//!
//! Each function returns the global norm *before* clipping, the number worth logging: `√(Σ g²)` over all elements of
//! all gradients, summed in `f64`. If it is NaN or infinite there is no right length to clip to; the gradients are then
//! left as they are, so that the culprit can still be found.

use std::iter;

use wengert_autodiff::{Gradients, Real, Tensor};

/// Limits every element: `g ← min(max(g, -limit), limit)`.
///
/// # Panics
///
/// If the limit is negative or NaN.
#[doc(alias("clip_grad_value_", "clipvalue", "clip"))]
#[track_caller]
pub fn value<F: Real>(grads: &mut Gradients<F>, limit: f64) -> f64 {
    check(limit);
    let norm = norm(grads);
    if norm.is_finite() {
        let limit = F::from_f64(limit);
        for grad in grads.iter_mut() {
            grad.mapv_inplace(|g| g.max(-limit).min(limit));
        }
    }
    norm
}

/// Limits the norm of each tensor by itself: `g ← g · max / ‖g‖` where `‖g‖ > max`.
///
/// # Panics
///
/// If the limit is negative or NaN.
#[doc(alias("clipnorm", "clip_by_block_rms", "clip_by_norm"))]
#[track_caller]
pub fn tensor_norm<F: Real>(grads: &mut Gradients<F>, max: f64) -> f64 {
    check(max);
    let norm = norm(grads);
    if norm.is_finite() {
        for grad in grads.iter_mut() {
            let norm = norm_of(|| iter::once(&*grad));
            shrink(grad, norm, max);
        }
    }
    norm
}

/// Limits the norm of all gradients together, which keeps their direction: `g ← g · max / norm` where `norm > max`
/// (Pascanu et al., "On the difficulty of training recurrent neural networks", 2013).
///
/// PyTorch divides by `norm + 1e-6` instead.
///
/// # Panics
///
/// If the limit is negative or NaN.
#[doc(alias("clip_grad_norm_", "clip_by_global_norm", "global_clipnorm"))]
#[track_caller]
pub fn global_norm<F: Real>(grads: &mut Gradients<F>, max: f64) -> f64 {
    check(max);
    let norm = norm(grads);
    if norm.is_finite() {
        for grad in grads.iter_mut() {
            shrink(grad, norm, max);
        }
    }
    norm
}

/// The global norm, without clipping.
#[doc(alias("get_total_norm", "grad_norm"))]
#[must_use]
pub fn norm<F: Real>(grads: &Gradients<F>) -> f64 {
    norm_of(|| grads.iter())
}

/// Also where the squares leave the range of `f64`, as they do only in `f64`.
fn norm_of<'a, F: Real, I: Iterator<Item = &'a Tensor<F>>>(tensors: impl Fn() -> I) -> f64 {
    let squares = |grad: &Tensor<F>| grad.iter().fold(0.0, |sum, g| sum + g.as_f64() * g.as_f64());
    let sum = tensors().fold(0.0, |sum, grad| sum + squares(grad));
    if sum.is_normal() || sum.is_nan() {
        return sum.sqrt();
    }
    let max = tensors().flat_map(|grad| grad.iter()).fold(0.0, |max: f64, g| max.max(g.as_f64().abs()));
    if max == 0.0 || max.is_infinite() {
        return max;
    }
    let part = |g: &F| g.as_f64() / max;
    max * tensors().flat_map(|grad| grad.iter()).fold(0.0, |sum, g| sum + part(g) * part(g)).sqrt()
}

fn shrink<F: Real>(grad: &mut Tensor<F>, norm: f64, max: f64) {
    if norm > max {
        let factor = F::from_f64(max / norm);
        grad.mapv_inplace(|g| factor * g);
    }
}

#[track_caller]
fn check(limit: f64) {
    assert!(limit >= 0.0, "cannot clip gradients to {limit}: the limit must not be negative");
}
