//! Paths over landscapes: valleys, minima that move, saddles and several minima.

pub(super) mod drifting;
pub(super) mod saddles;
pub(super) mod valleys;
