//! Functions of each element, of one tensor or of several.

mod activation;
mod assign;
mod binary;
mod comparison;
pub mod formulas;
mod logarithm;
mod power;
mod rounding;
mod trigonometry;
mod unary;

pub(super) use formulas::sigmoid;
pub(super) use unary::{magnitude, weighted, with_sign};
