//! Batch norm.

use wengert::ndarray::{Array1, Array2, Axis};

pub struct BatchNorm {
    pub gamma: Array1<f64>,
    pub beta: Array1<f64>,
    pub running_mean: Array1<f64>,
    pub running_var: Array1<f64>,
    /// The weight of the new in the running statistics.
    pub momentum: f64,
    pub eps: f64,
}

pub struct Gradients {
    pub x: Array2<f64>,
    pub gamma: Array1<f64>,
    pub beta: Array1<f64>,
}

impl BatchNorm {
    /// γ = 1, β = 0, running statistics of a standard normal; `momentum` 0.1, `eps` 1e-5.
    pub fn new(features: usize) -> Self {
        Self {
            gamma: Array1::ones(features),
            beta: Array1::zeros(features),
            running_mean: Array1::zeros(features),
            running_var: Array1::ones(features),
            momentum: 0.1,
            eps: 1e-5,
        }
    }

    /// Normalizes a batch `[rows, features]` with its own statistics, and updates the running ones.
    pub fn train(&mut self, x: &Array2<f64>) -> Array2<f64> {
        todo!("normalize with the variance over n; keep the one over n - 1")
    }

    /// Normalizes with the running statistics.
    pub fn evaluate(&self, x: &Array2<f64>) -> Array2<f64> {
        todo!("no statistics of x")
    }

    /// The gradients of a loss, from its gradient with respect to the result of `train(x)`.
    pub fn backward(&self, x: &Array2<f64>, dy: &Array2<f64>) -> Gradients {
        todo!("mean and variance depend on every row")
    }
}
