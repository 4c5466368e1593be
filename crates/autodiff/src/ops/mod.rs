//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod axes;
mod binary;
mod join;
mod matmul;
mod reduce;
mod select;
mod shape;
mod unary;
