//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod binary;
mod matmul;
mod normalize;
mod reduce;
mod shape;
mod unary;
