//! Initialisation.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::{Distribution, StandardNormal};
use wengert::ndarray::Array2;

/// Weights `[outputs, inputs]` for a layer with ReLU behind it.
pub fn he(outputs: usize, inputs: usize, rng: &mut StdRng) -> Array2<f64> {
    todo!("StandardNormal.sample(rng) has the standard deviation 1")
}

/// Weights `[outputs, inputs]` for a layer with tanh behind it.
pub fn glorot(outputs: usize, inputs: usize, rng: &mut StdRng) -> Array2<f64> {
    todo!("rng.random_range(-limit..limit)")
}

/// Sends a batch `[rows, width]` through layers of this weight each, without biases and with ReLU behind each. Returns
/// the mean square behind each layer.
pub fn depth(x: Array2<f64>, weights: &[Array2<f64>]) -> Vec<f64> {
    todo!("x Wᵀ, then the larger of that and 0")
}
