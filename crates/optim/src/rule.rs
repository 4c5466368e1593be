use std::fmt::Debug;

use wengert_autodiff::{Real, Tensor};

use crate::{Accumulator, Epsilon, State};

/// The arithmetic of an optimizer on one tensor, with its hyper-parameters as public fields.
///
/// A rule has no idea of models, names or other tensors; [`Optimizer`](crate::Optimizer) does the rest. To write one,
/// follow `sgd.rs`: a struct of hyper-parameters, a struct of state with named fields, one loop in the paper's order.
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
    fn validate(&self) -> Result<(), InvalidHyperparameter>;

    /// The state of a tensor that has seen no gradient yet.
    fn init(&self, param: &Tensor<F>) -> Self::State;

    /// What the direction is multiplied with, element by element, as state and hyper-parameters are now, which is what the
    /// last update did: `η / (√v + ε)` for RMSProp, whose direction is the gradient; `η` for plain descent. Where the
    /// direction is a sign, it is the size of the step. Of `param` it uses the shape only.
    fn effective_lr(&self, param: &Tensor<F>, state: &Self::State) -> Tensor<F>;

    /// What stands under the root that the rule divides by, without ε, and ε: its estimate of the squared gradient, after
    /// bias correction and centering. `None` for a rule without such a root.
    fn second_moment(&self, _state: &Self::State) -> Option<(Tensor<F>, Epsilon)> {
        None
    }

    /// Which tensors of the state collect what, as the hyper-parameters are now: for reports of their memory and for taking over
    /// the state of another rule. A tensor that is no average or sum (a maximum, the last gradient) is left out.
    fn accumulators(&self) -> Vec<Accumulator> {
        Vec::new()
    }

    /// One step: changes `param` in place.
    ///
    /// # Panics
    ///
    /// If `grad` has another shape than `param`, or `state` was made for another number of elements.
    #[track_caller]
    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Self::State);
}

/// A hyper-parameter out of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{rule}: {hyper} is {value}, but must be {expected}")]
pub struct InvalidHyperparameter {
    /// The [`Rule::NAME`].
    pub rule: &'static str,
    /// The name of the field.
    pub hyper: &'static str,
    /// What it was.
    pub value: f64,
    /// What it may be.
    pub expected: &'static str,
}
