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
mod rates;
mod recorded;
mod recovery;
mod state;
mod terrain;
mod valleys;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
    let themes = [
        averages::ALL,
        epsilon::ALL,
        first_steps::ALL,
        recovery::ALL,
        epsilon::ALL,
        invariance::ALL,
        momentum::ALL,
        rates::ALL,
        recorded::ALL,
        centered::ALL,
        momentum::ALL,
        state::ALL,
        valleys::ALL,
        terrain::ALL,
        features::ALL,
        digits::ALL,
    ];
    themes.concat()
}
