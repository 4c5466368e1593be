//! A dense layer with its gradients by hand.

use wengert::ndarray::{Array1, Array2, Axis};

pub struct Dense {
    /// `[outputs, inputs]`
    pub weight: Array2<f64>,
    /// `[outputs]`
    pub bias: Array1<f64>,
}

pub struct Gradients {
    /// Of the input, `[batch, inputs]`.
    pub x: Array2<f64>,
    /// `[outputs, inputs]`
    pub weight: Array2<f64>,
    /// `[outputs]`
    pub bias: Array1<f64>,
}

impl Dense {
    /// `x Wᵀ + b`, `[batch, outputs]`.
    pub fn forward(&self, x: &Array2<f64>) -> Array2<f64> {
        todo!("each row of x gives a row of the result")
    }

    /// The gradients of a loss, from its gradient `dy` with respect to the result of `forward(x)`.
    pub fn backward(&self, x: &Array2<f64>, dy: &Array2<f64>) -> Gradients {
        todo!("see which products have the right shape")
    }
}
