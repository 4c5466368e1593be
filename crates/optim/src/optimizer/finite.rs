use ndarray::Dimension;
use wengert_autodiff::{Gradients, Leaf, Module, ModulePath, Real, Tensor};

use crate::{Optimizer, Rule};

/// The first number that is NaN or infinite in what a step would use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the {kind} of `{name}` is {value} at {position:?} of shape {shape:?}")]
pub struct NotFinite {
    /// `"gradient"` of a parameter, or `"observed value"` of a buffer.
    pub kind: &'static str,
    /// The dotted name of the parameter or buffer.
    pub name: String,
    /// The indices of the element.
    pub position: Vec<usize>,
    /// The lengths of the axes.
    pub shape: Vec<usize>,
    /// The number: NaN or an infinity.
    pub value: f64,
}

/// Whether every gradient, and every value that buffers are to get, is finite.
///
/// # Errors
///
/// The first that is not, in the order of the model's fields.
pub fn check_finite<F: Real>(model: &dyn Module<F>, grads: &Gradients<F>) -> Result<(), NotFinite> {
    let mut outcome = Ok(());
    model.visit(&mut ModulePath::default(), &mut |name, slot| {
        let (kind, tensor) = match slot {
            Leaf::Param(param) => ("gradient", grads.get(param)),
            Leaf::Buffer(buffer) => ("observed value", grads.buffer_update(buffer)),
        };
        if let (Ok(()), Some(tensor)) = (&outcome, tensor) {
            outcome = check_tensor(kind, name, tensor);
        }
    });
    outcome
}

fn check_tensor<F: Real>(kind: &'static str, name: &str, tensor: &Tensor<F>) -> Result<(), NotFinite> {
    match tensor.indexed_iter().find(|(_, x)| !x.is_finite()) {
        None => Ok(()),
        Some((at, x)) => Err(NotFinite {
            kind,
            name: name.to_owned(),
            position: at.slice().to_vec(),
            shape: tensor.shape().to_vec(),
            value: x.as_f64(),
        }),
    }
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// [`step`](Optimizer::step) if everything is finite; otherwise changes nothing, neither parameters, state and buffers nor the
    /// count of steps. It reads the gradients once more than `step` does.
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
