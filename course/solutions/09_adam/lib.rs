//! Adam and AdamW.

use wengert::ndarray::Zip;
use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::{Real, Rule, Tensor};

#[derive(Clone, Debug)]
pub struct Adam {
    /// η
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    /// ε, outside the root.
    pub eps: f64,
    /// λ of the decoupled weight decay; 0 is Adam.
    pub decay: f64,
}

/// What the rule remembers of one tensor.
#[derive(Clone, Debug)]
pub struct Memory<F: Real> {
    /// The average of the gradient.
    pub m: Tensor<F>,
    /// The average of the squared gradient.
    pub v: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(Memory { m, v, steps });

impl<F: Real> Rule<F> for Adam {
    const NAME: &'static str = "Adam";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { m: Tensor::zeros(param.raw_dim()), v: Tensor::zeros(param.raw_dim()), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        state.steps += 1;
        let t = state.steps as f64;
        let [lr, beta1, beta2, eps] = [self.lr, self.beta1, self.beta2, self.eps].map(F::from_f64);
        let [fresh1, fresh2] = [1.0 - self.beta1, 1.0 - self.beta2].map(F::from_f64);
        let [correct1, correct2] = [1.0 - self.beta1.powf(t), 1.0 - self.beta2.powf(t)].map(F::from_f64);
        let keep = F::from_f64(1.0 - self.lr * self.decay);
        let Memory { m, v, .. } = state;
        Zip::from(param).and(grad).and(m).and(v).for_each(|p, &g, m, v| {
            *m = beta1 * *m + fresh1 * g;
            *v = beta2 * *v + fresh2 * g * g;
            *p = keep * *p - lr * (*m / correct1) / ((*v / correct2).sqrt() + eps);
        });
    }
}
