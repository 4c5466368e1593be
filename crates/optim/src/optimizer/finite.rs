use std::fmt;

use serde::Serialize;
use wengert_autodiff::compute::first_non_finite;
use wengert_autodiff::{Gradients, Leaf, Module, ModulePath, Real};

use crate::optimizer::Optimizer;
use crate::rule::Rule;

/// The first number that is NaN or infinite in what a step would use.
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[error("the {input} of `{name}` is {value} at {position:?} of shape {shape:?}")]
#[non_exhaustive]
pub struct NotFinite {
    /// Where it is.
    pub input: StepInput,
    /// The dotted name of the parameter or buffer.
    pub name: String,
    /// The indices of the element.
    pub position: Vec<usize>,
    /// The lengths of the axes.
    pub shape: Vec<usize>,
    /// The number: NaN or an infinity.
    pub value: f64,
}

/// What a step uses of a parameter or a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum StepInput {
    /// The gradient of a parameter.
    Gradient,
    /// The value that a buffer is to get.
    BufferUpdate,
}

impl fmt::Display for StepInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gradient => "gradient",
            Self::BufferUpdate => "new value",
        })
    }
}

/// Whether every gradient, and every value that buffers are to get, is finite.
///
/// # Errors
///
/// The first that is not, in the order of the model's fields.
#[doc(alias("apply_if_finite", "isfinite", "error_if_nonfinite", "GradScaler"))]
pub fn check_finite<F: Real>(model: &dyn Module<F>, grads: &Gradients<F>) -> Result<(), NotFinite> {
    let mut outcome = Ok(());
    model.visit(&mut ModulePath::default(), &mut |name, leaf| {
        let (input, tensor) = match leaf {
            Leaf::Param(param) => (StepInput::Gradient, grads.get(param)),
            Leaf::Buffer(buffer) => (StepInput::BufferUpdate, grads.buffer_update(buffer)),
        };
        if let (Ok(()), Some(tensor)) = (&outcome, tensor)
            && let Some((position, value)) = first_non_finite(tensor)
        {
            let (name, shape) = (name.to_owned(), tensor.shape().to_vec());
            outcome = Err(NotFinite { input, name, position, shape, value: value.as_f64() });
        }
    });
    outcome
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// [`step`](Optimizer::step) if everything is finite; otherwise changes nothing, neither parameters, state and
    /// buffers nor the count of steps. It reads the gradients once more than `step` does.
    ///
    /// ```
    /// # use wengert_autodiff::{Gradients, Param};
    /// # use wengert_optim::{Optimizer, RmsProp};
    /// let mut weights: Param = ndarray::arr1(&[1.0, 2.0]).into();
    /// let mut grads = Gradients::default();
    /// grads.set(&weights, ndarray::arr1(&[0.5, f32::NAN]));
    /// let mut opt = Optimizer::new(RmsProp::default());
    /// let culprit = opt.step_if_finite(&mut weights, &grads).unwrap_err();
    /// assert_eq!(culprit.position, [1]);
    /// assert_eq!(weights.value().as_slice().unwrap(), [1.0, 2.0]);
    /// ```
    ///
    /// # Errors
    ///
    /// The culprit.
    ///
    /// # Panics
    ///
    /// As [`step`](Optimizer::step).
    #[track_caller]
    pub fn step_if_finite(
        &mut self,
        model: &mut dyn Module<F>,
        grads: &Gradients<F>,
    ) -> Result<(), NotFinite> {
        check_finite(model, grads)?;
        self.step(model, grads);
        Ok(())
    }
}
