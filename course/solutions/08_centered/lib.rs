//! Centered RMSProp.

use wengert::ndarray::Zip;
use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::{Real, Rule, Tensor};

#[derive(Clone, Debug)]
pub struct Centered {
    /// η
    pub lr: f64,
    /// ρ
    pub rho: f64,
    /// ε, outside the root.
    pub eps: f64,
}

/// What the rule remembers of one tensor.
#[derive(Clone, Debug)]
pub struct Memory<F: Real> {
    /// The average of the squared gradient.
    pub v: Tensor<F>,
    /// The average of the gradient.
    pub m: Tensor<F>,
    /// How often v - m² came out negative.
    pub clamped: u64,
}

state!(Memory { v, m, clamped });

impl<F: Real> Rule<F> for Centered {
    const NAME: &'static str = "Centered";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { v: Tensor::zeros(param.raw_dim()), m: Tensor::zeros(param.raw_dim()), clamped: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        let [lr, rho, fresh, eps] = [self.lr, self.rho, 1.0 - self.rho, self.eps].map(F::from_f64);
        let Memory { v, m, clamped } = state;
        Zip::from(param).and(grad).and(v).and(m).for_each(|p, &g, v, m| {
            *v = rho * *v + fresh * g * g;
            *m = rho * *m + fresh * g;
            let variance = *v - *m * *m;
            if variance < F::ZERO {
                *clamped += 1;
            }
            *p -= lr * g / (variance.max(F::ZERO).sqrt() + eps);
        });
    }
}
