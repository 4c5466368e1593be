//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod axes;
mod binary;
mod cross_entropy;
mod loss;
mod matmul;
mod reduce;
mod shape;
mod softmax;
mod unary;
