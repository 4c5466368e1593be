//! Tensors of the state that only some options need.

use ndarray::{ArcArray, IxDyn};
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

/// The element of a tensor that is not there: an array of it takes no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absent;

impl<F: Real> Slot<F> for Absent {
    const PRESENT: bool = false;

    #[inline]
    fn advance(&mut self, absent: F, _next: impl FnOnce(F) -> F) -> F {
        absent
    }
}

pub(crate) type Slots<S> = ArcArray<S, IxDyn>;

/// A tensor in the shape and the memory layout of `like`, so that a loop over both runs straight through memory.
pub(crate) fn full<F: Real, S: Clone>(like: &Tensor<F>, value: S) -> Slots<S> {
    like.map(|_| value.clone()).into_shared()
}
