//! What the scale of the gradient does, and the rate that each parameter gets.

pub(super) mod epsilon;
pub(super) mod invariance;
pub(super) mod rates;
