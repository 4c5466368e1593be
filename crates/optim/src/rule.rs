use std::fmt::Debug;

use wengert_autodiff::{Real, Tensor};

use crate::state::State;

/// The arithmetic of an optimizer on one tensor, with its hyper-parameters as public fields.
///
/// A rule knows nothing of models, names or other tensors; [`Optimizer`](crate::Optimizer) does the rest. To write one,
/// follow `lion.rs`: a struct of hyper-parameters, a struct of state with named fields, one loop in the paper's order.
/// To see it explained and logged, add [`Explain`](crate::inspect::Explain). The guide has [a chapter about it].
///
/// [a chapter about it]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/own_rule.md
#[doc(alias("GradientTransformation", "optim", "optimizers"))]
pub trait Rule<F: Real = f32>: Clone + Debug + Send + Sync + 'static {
    /// The rule's name in errors and files.
    const NAME: &'static str;

    /// What the rule remembers of one tensor.
    type State: State<F>;

    /// Whether the hyper-parameters make sense in the precision of `F`.
    ///
    /// # Errors
    ///
    /// The first that does not.
    #[doc(alias = "check")]
    fn validate(&self) -> Result<(), InvalidHyperparameter>;

    /// The state of a tensor that has seen no gradient yet.
    fn init(&self, param: &Tensor<F>) -> Self::State;

    /// One step: changes `param` in place.
    ///
    /// # Panics
    ///
    /// If `grad` has another shape than `param`, or `state` was made for another number of elements.
    #[track_caller]
    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Self::State);
}

/// A hyper-parameter out of its range.
#[doc(alias = "HyperError")]
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}, but must be {expected}")]
pub struct InvalidHyperparameter {
    /// The name of the field.
    #[doc(alias = "hyper")]
    pub name: &'static str,
    /// What it was.
    pub value: f64,
    /// What it may be.
    pub expected: &'static str,
}

impl InvalidHyperparameter {
    /// For [`Rule::validate`]: an error, unless the value fits.
    ///
    /// ```
    /// use wengert_optim::InvalidHyperparameter;
    ///
    /// let beta = 1.0;
    /// let range = InvalidHyperparameter::unless(beta < 1.0, "beta", beta, "below 1");
    /// assert_eq!(range.unwrap_err().to_string(), "beta is 1, but must be below 1");
    /// ```
    ///
    /// # Errors
    ///
    /// This one.
    pub fn unless(
        fits: bool,
        name: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), InvalidHyperparameter> {
        if fits { Ok(()) } else { Err(Self { name, value, expected }) }
    }
}
