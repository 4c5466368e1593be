//! Tensors of the state that only some options need.

use wengert_autodiff::{Real, Tensor};

/// An element of such a tensor. A loop that is generic over it is written once and compiled for each combination of
/// options; where the tensor is [`Missing`] nothing is stored, and nothing is computed.
pub(crate) trait Optional<F: Real>: Clone + Send + Sync {
    /// Whether there is such a tensor.
    const PRESENT: bool;

    /// Replaces the element by `next` of it and returns that, or returns `missing` where there is no such tensor.
    fn update(&mut self, missing: F, next: impl FnOnce(F) -> F) -> F;
}

impl<F: Real> Optional<F> for F {
    const PRESENT: bool = true;

    #[inline]
    fn update(&mut self, _missing: F, next: impl FnOnce(F) -> F) -> F {
        *self = next(*self);
        *self
    }
}

/// The element of a tensor that is not there: a vector of it takes no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missing;

impl<F: Real> Optional<F> for Missing {
    const PRESENT: bool = false;

    #[inline]
    fn update(&mut self, missing: F, _next: impl FnOnce(F) -> F) -> F {
        missing
    }
}

/// A tensor that is not there, to be looped over beside one like `like`.
pub(crate) fn missing<F: Real>(like: &Tensor<F>) -> Vec<Missing> {
    vec![Missing; like.len()]
}

/// A tensor in the shape of `like`.
pub(crate) fn full<F: Real>(like: &Tensor<F>, value: F) -> Tensor<F> {
    Tensor::from_elem(like.raw_dim(), value)
}
