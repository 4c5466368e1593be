//! Softmax and cross entropy.

use wengert::ndarray::{Array2, Axis};

/// The logarithms of the probabilities, row by row.
pub fn log_softmax(logits: &Array2<f64>) -> Array2<f64> {
    todo!("take the largest logit of each row away first")
}

/// The probabilities, row by row.
pub fn softmax(logits: &Array2<f64>) -> Array2<f64> {
    todo!("one line, from the function above")
}

/// The mean over the rows of the negative logarithm of the right class's probability.
pub fn cross_entropy(logits: &Array2<f64>, labels: &[usize]) -> f64 {
    todo!("from log_softmax, not from softmax")
}

/// The gradient of `cross_entropy` with respect to the logits.
pub fn cross_entropy_gradient(logits: &Array2<f64>, labels: &[usize]) -> Array2<f64> {
    todo!("softmax, less 1 at the right class, over the number of rows")
}
