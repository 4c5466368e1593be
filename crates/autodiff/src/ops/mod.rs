//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod binary;
mod matmul;
mod reduce;
mod shape;
mod unary;
