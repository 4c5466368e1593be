//! What curves of several experiments are made of.

use crate::Landscape;

/// More points than this are not seen, and make the report heavy.
const MOST_POINTS: usize = 400;

/// The values as points over their index, thinned evenly; the last one stays.
pub(super) fn over_steps(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
    let points: Vec<_> = (0..).map(f64::from).zip(values).collect();
    thin(&points)
}

/// At most [`MOST_POINTS`] of the points, evenly, with the first and the last.
pub(super) fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let stride = last.div_ceil(MOST_POINTS - 1).max(1);
    let rest = (last % stride != 0).then(|| points[last]);
    points.iter().copied().step_by(stride).chain(rest).collect()
}

/// The first `steps` steps of a trajectory, every one of them.
pub(super) fn trajectory(path: &[[f64; 2]], steps: usize) -> Vec<(f64, f64)> {
    path.iter().take(steps.min(MOST_POINTS)).map(|&[x, y]| (x, y)).collect()
}

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
