//! RMSProp.

use wengert::ndarray::Zip;
use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::{Real, Rule, Tensor};

#[derive(Clone, Debug)]
pub struct RmsProp {
    /// η
    pub lr: f64,
    /// ρ
    pub rho: f64,
    /// ε
    pub eps: f64,
    /// Whether ε is inside the root, as in Keras, instead of outside, as in PyTorch.
    pub eps_inside: bool,
    /// v₀
    pub v0: f64,
    /// Whether v is divided by 1 - ρᵗ before it is used.
    pub bias_correction: bool,
}

/// What the rule remembers of one tensor.
#[derive(Clone, Debug)]
pub struct Memory<F: Real> {
    /// The average of the squared gradient.
    pub v: Tensor<F>,
    /// How many gradients the tensor has seen.
    pub steps: u64,
}

state!(Memory { v, steps });

impl<F: Real> Rule<F> for RmsProp {
    const NAME: &'static str = "RmsProp";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { v: Tensor::from_elem(param.raw_dim(), F::from_f64(self.v0)), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        state.steps += 1;
        let [lr, rho, fresh, eps] = [self.lr, self.rho, 1.0 - self.rho, self.eps].map(F::from_f64);
        let t = state.steps as f64;
        let correction = if self.bias_correction { 1.0 - self.rho.powf(t) } else { 1.0 };
        let correction = F::from_f64(correction);
        state.v.zip_mut_with(grad, |v, &g| *v = rho * *v + fresh * g * g);
        let step = Zip::from(grad).and(&state.v).map_collect(|&g, &v| {
            let v = v / correction;
            lr * g / if self.eps_inside { (v + eps).sqrt() } else { v.sqrt() + eps }
        });
        *param -= &step;
    }
}
