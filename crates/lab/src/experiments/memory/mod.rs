//! What the state remembers: averages and sums of squared gradients, from the first step to the last.

pub(super) mod averages;
pub(super) mod first_steps;
pub(super) mod recovery;
pub(super) mod state;
