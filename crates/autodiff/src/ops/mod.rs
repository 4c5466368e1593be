//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod axes;
mod elementwise;
mod join;
mod loss;
mod matmul;
mod norm;
mod reduce;
mod select;
mod shape;
mod softmax;
mod window;

pub use window::{ConvOptions, Padding, PoolOptions};
