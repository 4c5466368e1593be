//! Centered RMSProp.

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
        todo!("both averages start at 0")
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        todo!("the formula, and what to do where rounding makes the variance negative")
    }
}
