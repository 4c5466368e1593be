//! The experiments, by what they are about.

pub(crate) mod closed_form;
mod curvature;
mod data;
mod memory;
mod points;
mod scale;
mod series;
mod terrain;
mod update;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
    let themes = [
        update::recorded::ALL,
        memory::averages::ALL,
        memory::first_steps::ALL,
        scale::epsilon::ALL,
        memory::recovery::ALL,
        scale::invariance::ALL,
        scale::rates::ALL,
        update::momentum::ALL,
        update::centered::ALL,
        memory::state::ALL,
        terrain::valleys::ALL,
        curvature::quadratic::ALL,
        curvature::edge::ALL,
        terrain::drifting::ALL,
        terrain::saddles::ALL,
        data::features::ALL,
        data::digits::ALL,
    ];
    themes.concat()
}
