//! SGD with momentum.

use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::{Real, Rule, Tensor};

#[derive(Clone, Debug)]
pub struct Momentum {
    /// η
    pub lr: f64,
    /// μ
    pub mu: f64,
}

/// What the rule remembers of one tensor.
#[derive(Clone, Debug)]
pub struct Memory<F: Real> {
    pub buffer: Tensor<F>,
}

state!(Memory { buffer });

impl<F: Real> Rule<F> for Momentum {
    const NAME: &'static str = "Momentum";
    type State = Memory<F>;

    /// η is at least 0, μ at least 0 and below 1.
    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        InvalidHyperparameter::unless(self.lr >= 0.0, "lr", self.lr, "at least 0")?;
        let fits = (0.0..1.0).contains(&self.mu);
        InvalidHyperparameter::unless(fits, "mu", self.mu, "at least 0 and below 1")
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { buffer: Tensor::zeros(param.raw_dim()) }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        let [lr, mu] = [self.lr, self.mu].map(F::from_f64);
        state.buffer.zip_mut_with(grad, |b, &g| *b = mu * *b + g);
        param.zip_mut_with(&state.buffer, |p, &b| *p -= lr * b);
    }
}
