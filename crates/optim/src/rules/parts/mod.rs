//! What the rules are built from, so that no formula is written twice.

pub(crate) mod elementwise;
pub(crate) mod ema;
pub(crate) mod epsilon;
pub(crate) mod moments;
pub(crate) mod momentum;
pub(crate) mod optional;
pub(crate) mod validate;
pub(crate) mod weight_decay;
