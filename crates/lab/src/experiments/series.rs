//! What is read off a series of values, one for each step.

use crate::Landscape;

/// The heights along a path.
pub(super) fn heights(landscape: Landscape, path: &[[f64; 2]]) -> Vec<f64> {
    path.iter().map(|&at| landscape.value(at)).collect()
}

/// The first step after which the value is below `threshold`, where the first value is from before any step; NaN if
/// that never happens.
pub(super) fn steps_until(values: &[f64], threshold: f64) -> f64 {
    values.iter().position(|&value| value < threshold).map_or(f64::NAN, |step| step as f64)
}

/// The mean of the last `n` values.
pub(super) fn tail_mean(values: &[f64], n: usize) -> f64 {
    let tail = &values[values.len().saturating_sub(n)..];
    tail.iter().sum::<f64>() / tail.len() as f64
}

/// The smallest value; NaN if there is none.
pub(super) fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::min)
}
