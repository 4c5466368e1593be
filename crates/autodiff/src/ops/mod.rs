//! One method of [`Var`](crate::Var) per op: the value, then one edge per input.

mod attention;
mod axes;
mod einsum;
mod elementwise;
mod join;
mod loss;
mod matmul;
mod norm;
mod recurrent;
mod reduce;
mod select;
mod shape;
mod softmax;
mod window;

pub use attention::causal_mask;
pub use elementwise::formulas as activation;
pub use window::{ConvOptions, Padding, PoolOptions};
