//! What the list consists of.

use std::fmt;
use std::ops::Range;
use std::panic::Location;

use ndarray::Axis;

use crate::module::Id;
use crate::{Real, Tensor};

pub(crate) struct Node<F: Real> {
    pub(crate) op: &'static str,
    /// The user's line.
    pub(crate) at: &'static Location<'static>,
    /// `None` once `backward` has released a parameter's array.
    pub(crate) value: Option<Tensor<F>>,
    pub(crate) kind: Kind,
    /// Where this node's edges start; they end where the next node's start.
    pub(crate) first_edge: usize,
    /// Whether the array is, or is a view of, a parameter's: `backward` lets go of it so that the optimizer can write
    /// in place.
    pub(crate) holds_param: bool,
    /// Whether the gradient of an op's result is kept: [`Var::retain_grad`](crate::Var::retain_grad).
    pub(crate) retains_grad: bool,
}

impl<F: Real> Node<F> {
    /// `[]` once the value was released.
    pub(crate) fn shape(&self) -> &[usize] {
        self.value.as_ref().map_or(&[], Tensor::shape)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Constant,
    Variable,
    Param(Id),
    /// A parameter that gets no gradient.
    Frozen(Id),
    /// The result of an op; `tracked` where some input needs a gradient.
    Op {
        tracked: bool,
    },
}

impl Kind {
    pub(crate) fn needs_grad(self) -> bool {
        !matches!(self, Self::Constant | Self::Frozen(_) | Self::Op { tracked: false })
    }
}

type Pullback<F> = Box<dyn FnOnce(Tensor<F>) -> Tensor<F>>;

/// The connection from an op's result back to one of its inputs; see [`Var::edge`](crate::Var::edge).
pub struct Edge<F: Real = f32> {
    pub(crate) input: usize,
    /// `None` where the input needs no gradient.
    pub(crate) pullback: Option<Pullback<F>>,
    /// The part of the input, along an axis, that the pullback's result is for; `None` for all of it.
    pub(crate) part: Option<Box<(Axis, Range<usize>)>>,
}

impl<F: Real> fmt::Debug for Edge<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edge(%{}{})", self.input, if self.pullback.is_some() { "" } else { ", no gradient" })
    }
}
