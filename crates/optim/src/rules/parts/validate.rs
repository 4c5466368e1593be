//! The ranges that hyper-parameters have in common.

use crate::InvalidHyperparameter;

/// The checks that rules share; each returns itself, so that they chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check(pub(crate) &'static str);

impl Check {
    pub(crate) fn that(
        self,
        fits: bool,
        hyper: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<Self, InvalidHyperparameter> {
        if fits { Ok(self) } else { Err(InvalidHyperparameter { rule: self.0, hyper, value, expected }) }
    }

    pub(crate) fn not_negative(self, hyper: &'static str, value: f64) -> Result<Self, InvalidHyperparameter> {
        self.that(value.is_finite() && value >= 0.0, hyper, value, "finite and not negative")
    }

    /// A decay of exactly 1 would never forget, and its bias correction would divide by zero.
    pub(crate) fn decay(self, hyper: &'static str, value: f64) -> Result<Self, InvalidHyperparameter> {
        self.that((0.0..1.0).contains(&value), hyper, value, "at least 0 and below 1")
    }
}
