//! The experiments, by what they are about.

mod averages;
mod curve;
mod digits;
mod features;
mod terrain;
mod valleys;

use crate::Experiment;

/// All experiments, in the order of the report.
pub fn all() -> Vec<Experiment> {
    [averages::ALL, valleys::ALL, terrain::ALL, features::ALL, digits::ALL].concat()
}
