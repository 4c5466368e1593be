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
        let n = x.nrows() as f64;
        let (mean, var) = (x.mean_axis(Axis(0)).expect("rows"), x.var_axis(Axis(0), 0.0));
        let normal = (x - &mean) / (&var + self.eps).sqrt();
        let (keep, new) = (1.0 - self.momentum, self.momentum);
        self.running_mean = &self.running_mean * keep + &mean * new;
        self.running_var = &self.running_var * keep + &var * (new * n / (n - 1.0));
        normal * &self.gamma + &self.beta
    }

    /// Normalizes with the running statistics.
    pub fn evaluate(&self, x: &Array2<f64>) -> Array2<f64> {
        let normal = (x - &self.running_mean) / (&self.running_var + self.eps).sqrt();
        normal * &self.gamma + &self.beta
    }

    /// The gradients of a loss, from its gradient with respect to the result of `train(x)`.
    pub fn backward(&self, x: &Array2<f64>, dy: &Array2<f64>) -> Gradients {
        let mean = |x: &Array2<f64>| x.mean_axis(Axis(0)).expect("rows");
        let root = (x.var_axis(Axis(0), 0.0) + self.eps).sqrt();
        let normal = (x - &mean(x)) / &root;
        let d = dy * &self.gamma;
        Gradients {
            x: (&d - &mean(&d) - &normal * &mean(&(&d * &normal))) / &root,
            gamma: (dy * &normal).sum_axis(Axis(0)),
            beta: dy.sum_axis(Axis(0)),
        }
    }
}
