use serde::Serialize;

use crate::Figure;

/// A claim about an optimizer, and how to find out whether it is true.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Its name on the command line, such as `steep-to-flat`.
    pub name: &'static str,
    /// The claim in one sentence, corrected where the literature has it wrong.
    pub claim: &'static str,
    /// The formula, in plain text.
    pub formula: &'static str,
    /// Where the claim comes from, and what of it had to be corrected.
    pub source: &'static str,
    /// A few lines of Rust that repeat the core of it.
    pub code: &'static str,
    /// Runs it. Deterministic, and quick enough for a test.
    pub run: fn() -> Outcome,
}

/// What an experiment found.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The numbers, each beside what it should be.
    pub checks: Vec<Check>,
    /// The pictures, the main one first.
    pub figures: Vec<Figure>,
}

impl Outcome {
    /// Whether every number is as expected.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(Check::passed)
    }
}

/// A measured number and what it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was measured, with its unit.
    pub what: String,
    /// What it should be.
    pub expected: Expected,
    /// What it is.
    pub measured: f64,
}

/// What a number should be; from a closed form, a recording of another program, or an ordering.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub enum Expected {
    /// This value, within `relative` of it.
    About {
        /// The value.
        value: f64,
        /// The tolerance as a share of the value.
        relative: f64,
    },
    /// This value, within `absolute`.
    Near {
        /// The value.
        value: f64,
        /// The tolerance in the unit of the value.
        absolute: f64,
    },
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Between these.
    Between(f64, f64),
}

impl Check {
    /// A number that should be `value`, within `relative` of it.
    pub fn about(what: impl Into<String>, measured: f64, value: f64, relative: f64) -> Self {
        Self { what: what.into(), expected: Expected::About { value, relative }, measured }
    }

    /// A number that should be `value`, within `absolute`.
    pub fn near(what: impl Into<String>, measured: f64, value: f64, absolute: f64) -> Self {
        Self { what: what.into(), expected: Expected::Near { value, absolute }, measured }
    }

    /// A number with another expectation.
    pub fn new(what: impl Into<String>, measured: f64, expected: Expected) -> Self {
        Self { what: what.into(), expected, measured }
    }

    /// Whether the number is as expected; NaN never is.
    pub fn passed(&self) -> bool {
        let x = self.measured;
        match self.expected {
            Expected::About { value, relative } => (x - value).abs() <= relative * value.abs(),
            Expected::Near { value, absolute } => (x - value).abs() <= absolute,
            Expected::AtMost(bound) => x <= bound,
            Expected::AtLeast(bound) => x >= bound,
            Expected::Between(low, high) => low <= x && x <= high,
        }
    }
}
