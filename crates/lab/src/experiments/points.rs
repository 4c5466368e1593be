//! The points of a curve. More of them than [`MOST`] are not seen, and make the report heavy: a long series is thinned.

/// How many points of a series a figure can show.
const MOST: usize = 400;

/// At most [`MOST`] of the points, evenly, with the first and the last.
pub(super) fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(last) = points.len().checked_sub(1) else { return Vec::new() };
    let stride = last.div_ceil(MOST - 1).max(1);
    let rest = (last % stride != 0).then(|| points[last]);
    points.iter().copied().step_by(stride).chain(rest).collect()
}

/// The values over their steps, where the first value is from before any step.
pub(super) fn over_steps(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
    let points: Vec<_> = (0..).map(f64::from).zip(values).collect();
    thin(&points)
}

/// The values over their steps, where the first value is from after the first step.
pub(super) fn evenly(values: &[f64]) -> Vec<(f64, f64)> {
    let points: Vec<_> = (1..).map(f64::from).zip(values.iter().copied()).collect();
    thin(&points)
}

/// As [`evenly`], for a log axis: a long series is thinned out to steps in about equal ratios.
pub(super) fn in_ratios(values: &[f64]) -> Vec<(f64, f64)> {
    let place = |k: usize| (values.len() as f64).powf(k as f64 / (MOST - 1) as f64).round() as usize;
    let mut steps: Vec<usize> = (0..MOST).map(place).collect();
    steps.dedup();
    steps.into_iter().filter_map(|t| Some((t as f64, *values.get(t.checked_sub(1)?)?))).collect()
}

/// The first `steps` steps of a trajectory, every one of them.
pub(super) fn trajectory(path: &[[f64; 2]], steps: usize) -> Vec<(f64, f64)> {
    path.iter().take(steps.min(MOST)).map(|&[x, y]| (x, y)).collect()
}
