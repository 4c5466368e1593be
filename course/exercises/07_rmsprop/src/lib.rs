//! RMSProp.

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
        todo!("v starts at v₀")
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        todo!("the formula; count the step first")
    }
}
