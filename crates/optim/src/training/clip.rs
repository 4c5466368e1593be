//! Clipping of gradients, between `backward` and `step`.
//!
//! Each function returns the global norm *before* clipping, the number worth logging: `√(Σ g²)` over all elements of
//! all gradients, summed in `f64`. If it is NaN or infinite there is no right length to clip to; the gradients are then
//! left as they are, so that the culprit can still be found.

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
            shrink(grad, sum_of_squares(grad).sqrt(), max);
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
    grads.iter().fold(0.0, |sum, grad| sum + sum_of_squares(grad)).sqrt()
}

fn sum_of_squares<F: Real>(grad: &Tensor<F>) -> f64 {
    grad.iter().fold(0.0, |sum, g| sum + g.as_f64() * g.as_f64())
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
