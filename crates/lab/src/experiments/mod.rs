//! The experiments, by what they are about.

mod averages;
mod centered;
mod epsilon;
mod first_steps;
mod invariance;
mod momentum;
mod rates;
mod recorded;
mod recovery;
mod state;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
    [
        averages::ALL,
        first_steps::ALL,
        recovery::ALL,
        recorded::ALL,
        epsilon::ALL,
        invariance::ALL,
        rates::ALL,
        momentum::ALL,
        centered::ALL,
        state::ALL,
    ]
    .concat()
}
