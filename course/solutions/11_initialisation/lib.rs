//! Initialisation.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::{Distribution, StandardNormal};
use wengert::ndarray::Array2;

/// Weights `[outputs, inputs]` for a layer with ReLU behind it.
pub fn he(outputs: usize, inputs: usize, rng: &mut StdRng) -> Array2<f64> {
    let deviation = (2.0 / inputs as f64).sqrt();
    Array2::from_shape_simple_fn((outputs, inputs), || {
        let x: f64 = StandardNormal.sample(rng);
        deviation * x
    })
}

/// Weights `[outputs, inputs]` for a layer with tanh behind it.
pub fn glorot(outputs: usize, inputs: usize, rng: &mut StdRng) -> Array2<f64> {
    let limit = (6.0 / (inputs + outputs) as f64).sqrt();
    Array2::from_shape_simple_fn((outputs, inputs), || rng.random_range(-limit..limit))
}

/// Sends a batch `[rows, width]` through layers of this weight each, without biases and with ReLU behind each. Returns
/// the mean square behind each layer.
pub fn depth(x: Array2<f64>, weights: &[Array2<f64>]) -> Vec<f64> {
    let mut x = x;
    let layer = |weight: &Array2<f64>| {
        x = x.dot(&weight.t()).mapv(|x| x.max(0.0));
        x.mapv(|x| x * x).mean().expect("rows")
    };
    weights.iter().map(layer).collect()
}
