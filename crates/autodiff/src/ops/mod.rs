//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod axes;
mod binary;
mod cross_entropy;
mod join;
mod loss;
mod matmul;
mod normalize;
mod reduce;
mod select;
mod shape;
mod softmax;
mod unary;
