//! Tensors of the state that only some options need.

use wengert_autodiff::{Real, Tensor};

/// An element of such a tensor. A loop that is generic over it is written once and compiled for each combination of
/// options; where the tensor is [`Absent`] nothing is stored, and nothing is computed.
pub(crate) trait Slot<F: Real>: Clone + Send + Sync {
    /// Whether there is such a tensor.
    const PRESENT: bool;

    /// Replaces the element by `next` of it and returns that, or returns `absent` where there is no such tensor.
    fn advance(&mut self, absent: F, next: impl FnOnce(F) -> F) -> F;
}

impl<F: Real> Slot<F> for F {
    const PRESENT: bool = true;

    #[inline]
    fn advance(&mut self, _absent: F, next: impl FnOnce(F) -> F) -> F {
        *self = next(*self);
        *self
    }
}

/// The element of a tensor that is not there: a vector of it takes no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absent;

impl<F: Real> Slot<F> for Absent {
    const PRESENT: bool = false;

    #[inline]
    fn advance(&mut self, absent: F, _next: impl FnOnce(F) -> F) -> F {
        absent
    }
}

/// A tensor that is not there, to be looped over beside one like `like`.
pub(crate) fn absent<F: Real>(like: &Tensor<F>) -> Vec<Absent> {
    vec![Absent; like.len()]
}

/// A tensor in the shape of `like`.
pub(crate) fn full<F: Real>(like: &Tensor<F>, value: F) -> Tensor<F> {
    Tensor::from_elem(like.raw_dim(), value)
}
