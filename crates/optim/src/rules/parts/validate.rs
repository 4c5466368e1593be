//! The ranges that hyper-parameters have in common.

use crate::rule::InvalidHyperparameter;

pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<(), InvalidHyperparameter> {
    let fits = value.is_finite() && value >= 0.0;
    InvalidHyperparameter::unless(fits, name, value, "finite and not negative")
}

/// A decay of exactly 1 would never forget, and its bias correction would divide by zero.
pub(crate) fn decay(name: &'static str, value: f64) -> Result<(), InvalidHyperparameter> {
    InvalidHyperparameter::unless((0.0..1.0).contains(&value), name, value, "at least 0 and below 1")
}
