//! The experiments, by what they are about.

mod averages;
mod epsilon;
mod first_steps;
mod recovery;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
    [averages::ALL, recovery::ALL, epsilon::ALL, first_steps::ALL].concat()
}
