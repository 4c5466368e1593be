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
        todo!("see InvalidHyperparameter::unless")
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        todo!("a buffer of zeros in the shape of the parameter")
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        todo!("the two lines of the formula; zip_mut_with helps")
    }
}
