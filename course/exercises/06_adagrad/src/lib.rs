//! AdaGrad.

use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::{Real, Rule, Tensor};

#[derive(Clone, Debug)]
pub struct AdaGrad {
    /// η
    pub lr: f64,
    /// ε, outside the root.
    pub eps: f64,
}

/// What the rule remembers of one tensor.
#[derive(Clone, Debug)]
pub struct Memory<F: Real> {
    /// The sum of the squared gradients.
    pub r: Tensor<F>,
}

state!(Memory { r });

impl<F: Real> Rule<F> for AdaGrad {
    const NAME: &'static str = "AdaGrad";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        todo!("r starts at 0")
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        todo!("the two lines of the formula; ndarray's Zip walks over three arrays at once")
    }
}
