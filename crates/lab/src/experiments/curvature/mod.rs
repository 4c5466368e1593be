//! What the second derivatives say about a rule: where it becomes unstable, how fast it converges.

pub(super) mod edge;
mod network;
pub(super) mod quadratic;
