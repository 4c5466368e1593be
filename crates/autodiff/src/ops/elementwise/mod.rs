//! Functions of each element, of one tensor or of several.

mod activation;
mod binary;
mod unary;

pub(super) use activation::sigmoid;
pub(super) use unary::with_sign;
