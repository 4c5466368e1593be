//! The formula of one update: in the form of other projects, with momentum, centered.

pub(super) mod centered;
pub(super) mod momentum;
pub(super) mod recorded;
