//! What a formula says, and how far from it something is.

/// A formula at the steps from 1 to `count`.
pub(crate) fn formula(count: usize, of: impl Fn(f64) -> f64) -> Vec<f64> {
    (1..=count).map(|t| of(t as f64)).collect()
}

/// The largest relative deviation of the values from what they should be.
pub(crate) fn deviation(values: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(values.len(), expected.len());
    let relative = |(value, expected): (&f64, &f64)| ((value - expected) / expected).abs();
    // Not `f64::max`, which would pass over a NaN.
    values.iter().zip(expected).map(relative).fold(0.0, |a, b| if b <= a { a } else { b })
}
