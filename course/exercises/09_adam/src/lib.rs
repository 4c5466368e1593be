//! Adam and AdamW.

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
        todo!("both averages start at 0")
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        todo!("the formula; count the step first")
    }
}
