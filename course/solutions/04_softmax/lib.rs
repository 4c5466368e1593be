//! Softmax and cross entropy.

use wengert::ndarray::{Array2, Axis};

/// The logarithms of the probabilities, row by row.
pub fn log_softmax(logits: &Array2<f64>) -> Array2<f64> {
    let largest = logits.fold_axis(Axis(1), f64::NEG_INFINITY, |&most, &x| most.max(x));
    let shifted = logits - &largest.insert_axis(Axis(1));
    let sums = shifted.mapv(f64::exp).sum_axis(Axis(1)).mapv(f64::ln);
    shifted - sums.insert_axis(Axis(1))
}

/// The probabilities, row by row.
pub fn softmax(logits: &Array2<f64>) -> Array2<f64> {
    log_softmax(logits).mapv(f64::exp)
}

/// The mean over the rows of the negative logarithm of the right class's probability.
pub fn cross_entropy(logits: &Array2<f64>, labels: &[usize]) -> f64 {
    let logs = log_softmax(logits);
    let sum: f64 = labels.iter().enumerate().map(|(row, &label)| -logs[[row, label]]).sum();
    sum / labels.len() as f64
}

/// The gradient of `cross_entropy` with respect to the logits.
pub fn cross_entropy_gradient(logits: &Array2<f64>, labels: &[usize]) -> Array2<f64> {
    let mut d = softmax(logits);
    for (row, &label) in labels.iter().enumerate() {
        d[[row, label]] -= 1.0;
    }
    d / labels.len() as f64
}
