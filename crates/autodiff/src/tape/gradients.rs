use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::compute::buffers;
use crate::module::{Id, LeafMut, Module, ModulePath, names_by_id};
use crate::{Buffer, IntoTensor, Param, Real, Tensor, Var};

/// What `backward` found: the gradient of the loss with respect to every parameter and variable that took part, and the
/// buffer values observed on the way. It owns its tensors and outlives the tape.
///
/// A parameter that did not take part has no gradient, which is not the same as a gradient of zero.
#[doc(alias("grads", ".grad"))]
#[must_use = "nothing changes until an optimizer steps with them"]
#[derive(Clone, Debug, Default)]
pub struct Gradients<F: Real = f32> {
    /// The youngest parameter first: as the walk back finds them, so that each goes near the end.
    pub(super) params: Vec<(Id, Tensor<F>)>,
    pub(super) variables: BTreeMap<usize, Tensor<F>>,
    pub(super) buffer_updates: BTreeMap<Id, Tensor<F>>,
    /// The tape and step that `variables` refers to.
    pub(super) origin: Option<(Id, u64)>,
}

impl<F: Real> Gradients<F> {
    /// The gradient with respect to `param`, in its shape and in row-major order.
    #[doc(alias("of", "grad"))]
    pub fn get(&self, param: &Param<F>) -> Option<&Tensor<F>> {
        self.position(param.id).ok().map(|at| &self.params[at].1)
    }

    /// Like [`get`](Gradients::get), to be changed.
    #[doc(alias = "of_mut")]
    pub fn get_mut(&mut self, param: &Param<F>) -> Option<&mut Tensor<F>> {
        self.position(param.id).ok().map(|at| &mut self.params[at].1)
    }

    /// Gives `param` this gradient, whatever it had before: for replaying recorded gradients, or for gradients that do
    /// not come from a tape.
    ///
    /// # Panics
    ///
    /// If the shape is not the parameter's.
    #[track_caller]
    pub fn set(&mut self, param: &Param<F>, grad: impl IntoTensor<F>) {
        let grad = grad.into_tensor();
        assert_eq!(grad.shape(), param.shape(), "`set`: the gradient has another shape than the parameter");
        match self.position(param.id) {
            Ok(at) => self.params[at].1 = grad,
            Err(at) => self.params.insert(at, (param.id, grad)),
        }
    }

    fn position(&self, id: Id) -> Result<usize, usize> {
        self.params.binary_search_by_key(&Reverse(id), |&(id, _)| Reverse(id))
    }

    /// The gradient with respect to a [`Tape::variable`](crate::Tape::variable); `None` if the loss does not depend on
    /// it, or if `var` is the result of an op, whose gradient is not kept.
    ///
    /// # Panics
    ///
    /// If `var` belongs to another tape or step than these gradients.
    #[track_caller]
    pub fn wrt(&self, var: Var<'_, F>) -> Option<&Tensor<F>> {
        let origin = (var.tape.id, var.tape.steps());
        assert_eq!(
            self.origin,
            Some(origin),
            "`wrt`: the Var belongs to another tape or step than these gradients"
        );
        self.variables.get(&var.index)
    }

    /// The value observed for `buffer` in this step, if any.
    #[doc(alias = "observed")]
    pub fn buffer_update(&self, buffer: &Buffer<F>) -> Option<&Tensor<F>> {
        self.buffer_updates.get(&buffer.id)
    }

    /// Writes the observed values into the model's buffers. The optimizer's `step` does this; it is needed only where
    /// no optimizer runs.
    #[doc(alias = "apply_observations")]
    pub fn apply_buffer_updates(&self, model: &mut dyn Module<F>) {
        model.visit_mut(&mut ModulePath::default(), &mut |_, slot| {
            if let LeafMut::Buffer(buffer) = slot
                && let Some(value) = self.buffer_update(buffer)
            {
                *buffer.value_mut() = value.clone();
            }
        });
    }

    /// The gradients of `model`'s parameters by dotted name.
    #[doc(alias = "named_parameters")]
    pub fn named(&self, model: &dyn Module<F>) -> BTreeMap<String, &Tensor<F>> {
        let params = model.params().into_iter();
        params.filter_map(|(name, param)| self.get(param).map(|grad| (name, grad))).collect()
    }

    /// The gradients that belong to no parameter of `model`: a field is missing from its `module!` list, or they are
    /// another model's.
    pub fn unclaimed(&self, model: &dyn Module<F>) -> impl Iterator<Item = &Tensor<F>> {
        let ids = names_by_id(model);
        self.params.iter().rev().filter(move |(id, _)| !ids.contains_key(id)).map(|(_, grad)| grad)
    }

    /// The parameters' gradients, in the order in which the parameters were made, to be changed: for clipping.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Tensor<F>> {
        self.params.iter_mut().rev().map(|(_, grad)| grad)
    }

    /// The parameters' gradients, in the order in which the parameters were made.
    pub fn iter(&self) -> impl Iterator<Item = &Tensor<F>> {
        self.params.iter().rev().map(|(_, grad)| grad)
    }

    /// How many parameters have a gradient.
    pub fn len(&self) -> usize {
        self.params.len()
    }

    /// Whether no parameter has a gradient.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }
}

impl<'g, F: Real> IntoIterator for &'g Gradients<F> {
    type Item = &'g Tensor<F>;
    type IntoIter = Box<dyn Iterator<Item = &'g Tensor<F>> + 'g>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

impl<F: Real> Drop for Gradients<F> {
    /// The next step writes its gradients into these arrays, unless something else shares them.
    fn drop(&mut self) {
        let gradients = self.params.drain(..).map(|(_, grad)| grad);
        gradients.chain(std::mem::take(&mut self.variables).into_values()).for_each(buffers::recycle);
    }
}
