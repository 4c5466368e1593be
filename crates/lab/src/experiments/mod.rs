//! The experiments, by what they are about.

mod averages;
mod centered;
mod curve;
mod digits;
mod epsilon;
mod features;
mod first_steps;
mod invariance;
mod momentum;
mod recovery;
mod state;
mod terrain;
mod valleys;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
        averages::ALL,
        centered::ALL,
        epsilon::ALL,
        first_steps::ALL,
        invariance::ALL,
        momentum::ALL,
        recovery::ALL,
        state::ALL,
    .concat()
    [
    [averages::ALL, valleys::ALL, terrain::ALL, features::ALL, digits::ALL].concat()
    ]
}
