//! What training on data shows: features of different sizes, rare ones, and digits.

pub(super) mod digits;
pub(super) mod features;
