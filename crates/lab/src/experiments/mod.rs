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
mod saddles;
mod state;
mod terrain;
mod valleys;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
    let themes = [
        recorded::ALL,
        averages::ALL,
        first_steps::ALL,
        epsilon::ALL,
        recovery::ALL,
        invariance::ALL,
        rates::ALL,
        momentum::ALL,
        centered::ALL,
        state::ALL,
        valleys::ALL,
        terrain::ALL,
        saddles::ALL,
        features::ALL,
        digits::ALL,
    ];
    themes.concat()
}
