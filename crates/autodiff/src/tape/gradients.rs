use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::compute::buffers;
use crate::compute::elementwise::accumulate;
use crate::module::{Id, Leaf, LeafMut, Module, ModulePath, names_by_id};
use crate::tape::node::Kind;
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

    /// The gradient with respect to a [`Tape::variable`](crate::Tape::variable), or to the result of an op that was
    /// told to [keep it](Var::retain_grad); `None` if the loss does not depend on it.
    ///
    /// # Panics
    ///
    /// If `var` belongs to another tape or step than these gradients, or its gradient was not kept.
    #[track_caller]
    pub fn wrt(&self, var: Var<'_, F>) -> Option<&Tensor<F>> {
        let origin = (var.tape.id, var.tape.steps());
        assert_eq!(
            self.origin,
            Some(origin),
            "`wrt`: the Var belongs to another tape or step than these gradients"
        );
        let node = &var.tape.nodes.borrow()[var.index];
        assert!(
            !matches!(node.kind, Kind::Op { tracked: true }) || node.retains_grad,
            "`wrt`: the gradient of the result of `{}` was not kept: call `retain_grad` on it before `backward`",
            node.op
        );
        self.variables.get(&var.index)
    }

    /// Moves the gradients of `model`'s parameters and the new values of its buffers out of these: its part of a step
    /// that several models took part in. Dropped, the model is left as it is in this step; its gradients were computed,
    /// though, which [`freeze`](Module::freeze) saves.
    #[doc(alias("split", "filter", "take"))]
    #[must_use = "what is split off is no longer in these gradients"]
    pub fn split_off(&mut self, model: &dyn Module<F>) -> Self {
        let mut part = Self::default();
        model.visit(&mut ModulePath::default(), &mut |_, leaf| match leaf {
            Leaf::Param(param) => {
                if let Ok(at) = self.position(param.id) {
                    part.params.push(self.params.remove(at));
                }
            }
            Leaf::Buffer(buffer) => part.buffer_updates.extend(self.buffer_updates.remove_entry(&buffer.id)),
        });
        part.params.sort_by_key(|&(id, _)| Reverse(id));
        part
    }

    /// Whether something of `model` is among these: a gradient, or a new value of a buffer. Those that were made empty,
    /// not by `backward`, concern every model.
    pub fn concern(&self, model: &dyn Module<F>) -> bool {
        let mut found = self.origin.is_none() && self.is_empty() && self.buffer_updates.is_empty();
        model.visit(&mut ModulePath::default(), &mut |_, leaf| {
            found |= match leaf {
                Leaf::Param(param) => self.get(param).is_some(),
                Leaf::Buffer(buffer) => self.buffer_update(buffer).is_some(),
            };
        });
        found
    }

    /// The value observed for `buffer` in this step, if any.
    #[doc(alias = "observed")]
    pub fn buffer_update(&self, buffer: &Buffer<F>) -> Option<&Tensor<F>> {
        self.buffer_updates.get(&buffer.id)
    }

    /// Notes a new value for `buffer`, whatever was observed before: for values that do not come from a tape.
    ///
    /// # Panics
    ///
    /// If the shape is not the buffer's.
    #[track_caller]
    pub fn set_buffer_update(&mut self, buffer: &Buffer<F>, value: impl IntoTensor<F>) {
        let value = value.into_tensor();
        assert_eq!(
            value.shape(),
            buffer.shape(),
            "`set_buffer_update`: the value has another shape than the buffer"
        );
        self.buffer_updates.insert(buffer.id, value);
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

    /// The gradients that belong to no parameter of `model`: they are another model's, or a field is missing from its
    /// `module!` list.
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

/// Adds up the gradients of several losses or batches, parameter by parameter, as one `backward` of their sum would. A
/// buffer keeps the newest value; so that each batch goes on from the one before, write it into the model in between:
///
/// ```
/// # use wengert_autodiff::{Gradients, Param, Tape};
/// # let mut model = Param::new(2.0);
/// let mut total = Gradients::default();
/// for batch in [1.0, 2.0, 3.0] {
///     let tape = Tape::new();
///     let grads = (tape.param(&model) * batch).backward();
///     grads.apply_buffer_updates(&mut model);
///     total += grads;
/// }
/// assert_eq!(total.get(&model).unwrap().sum(), 6.0);
/// ```
///
/// What is the mean over a batch becomes a sum of means: divide the losses, or the total by way of
/// [`iter_mut`](Gradients::iter_mut). Gradients of variables, which belong to a tape, are not added.
///
/// # Panics
///
/// If a parameter's gradients differ in shape.
impl<F: Real> AddAssign for Gradients<F> {
    #[track_caller]
    fn add_assign(&mut self, mut other: Self) {
        for (id, grad) in std::mem::take(&mut other.params) {
            match self.position(id) {
                Ok(at) => {
                    let sum = &mut self.params[at].1;
                    assert_eq!(sum.shape(), grad.shape(), "`+=`: two gradients of one parameter");
                    accumulate(sum, grad);
                }
                Err(at) => self.params.insert(at, (id, grad)),
            }
        }
        self.buffer_updates.append(&mut other.buffer_updates);
    }
}

impl<F: Real> Drop for Gradients<F> {
    /// The next step writes its gradients into these arrays, unless something else shares them.
    fn drop(&mut self) {
        let gradients = self.params.drain(..).map(|(_, grad)| grad);
        gradients.chain(std::mem::take(&mut self.variables).into_values()).for_each(buffers::recycle);
    }
}
