use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::module::{Module, Path, SlotMut};
use crate::param::Id;
use crate::tape::Kind;
use crate::{Buffer, Param, Real, Tape, Tensor, Var, kernel, pool};

/// What `backward` found: the gradient of the loss with respect to every parameter and variable that took part, and the
/// buffer values observed on the way. It owns its tensors and outlives the tape.
///
/// A parameter that did not take part has no gradient, which is not the same as a gradient of zero.
#[derive(Clone, Debug, Default)]
pub struct Gradients<F: Real = f32> {
    /// The youngest parameter first: as the walk back finds them, so that each goes near the end.
    params: Vec<(Id, Tensor<F>)>,
    variables: BTreeMap<usize, Tensor<F>>,
    observations: BTreeMap<Id, Tensor<F>>,
    /// The tape and step that `variables` refers to.
    origin: Option<(Id, u64)>,
}

impl<F: Real> Gradients<F> {
    /// The gradient with respect to `param`, in its shape and in row-major order.
    pub fn of(&self, param: &Param<F>) -> Option<&Tensor<F>> {
        self.position(param.id).ok().map(|at| &self.params[at].1)
    }

    /// Like [`of`](Gradients::of), to be changed.
    pub fn of_mut(&mut self, param: &Param<F>) -> Option<&mut Tensor<F>> {
        self.position(param.id).ok().map(|at| &mut self.params[at].1)
    }

    /// Gives `param` this gradient, whatever it had before: for replaying recorded gradients, or for gradients that do
    /// not come from a tape.
    ///
    /// # Panics
    ///
    /// If the shape is not the parameter's.
    #[track_caller]
    pub fn set(&mut self, param: &Param<F>, grad: Tensor<F>) {
        assert_eq!(grad.shape(), param.shape(), "`set`: the gradient has another shape than the parameter");
        match self.position(param.id) {
            Ok(at) => self.params[at].1 = grad,
            Err(at) => self.params.insert(at, (param.id, grad)),
        }
    }

    /// Adds to the gradient of this parameter.
    fn add(&mut self, id: Id, grad: Tensor<F>) {
        match self.position(id) {
            Ok(at) => accumulate(&mut self.params[at].1, grad),
            Err(at) => self.params.insert(at, (id, kernel::row_major(grad))),
        }
    }

    fn position(&self, id: Id) -> Result<usize, usize> {
        self.params.binary_search_by_key(&Reverse(id), |&(id, _)| Reverse(id))
    }

    /// The gradient with respect to a [`Tape::variable`]; `None` if the loss does not depend on it, or if `var` is the
    /// result of an op, whose gradient is not kept.
    ///
    /// # Panics
    ///
    /// If `var` belongs to another tape or step than these gradients.
    #[track_caller]
    pub fn wrt(&self, var: Var<'_, F>) -> Option<&Tensor<F>> {
        let origin = (var.tape.id, var.tape.step());
        assert_eq!(
            self.origin,
            Some(origin),
            "`wrt`: the Var belongs to another tape or step than these gradients"
        );
        self.variables.get(&var.index)
    }

    /// The value observed for `buffer` in this step, if any.
    pub fn observed(&self, buffer: &Buffer<F>) -> Option<&Tensor<F>> {
        self.observations.get(&buffer.id)
    }

    /// Writes the observed values into the model's buffers. The optimizer's `step` does this; it is needed only where
    /// no optimizer runs.
    pub fn apply_observations(&self, model: &mut (impl Module<F> + ?Sized)) {
        model.visit_mut(&mut Path::default(), &mut |_, slot| {
            if let SlotMut::Buffer(buffer) = slot
                && let Some(value) = self.observed(buffer)
            {
                *buffer.value_mut() = value.clone();
            }
        });
    }

    /// The gradients of `model`'s parameters by dotted name.
    pub fn named(&self, model: &(impl Module<F> + ?Sized)) -> BTreeMap<String, &Tensor<F>> {
        let params = model.params().into_iter();
        params.filter_map(|(name, param)| self.of(param).map(|grad| (name, grad))).collect()
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

impl<F: Real> Drop for Gradients<F> {
    /// The next step writes its gradients into these arrays, unless something else shares them.
    fn drop(&mut self) {
        let gradients = self.params.drain(..).map(|(_, grad)| grad);
        gradients.chain(std::mem::take(&mut self.variables).into_values()).for_each(pool::give);
    }
}

impl<F: Real> Var<'_, F> {
    /// Walks the tape back once from this loss.
    ///
    /// The walk consumes the recorded derivatives, so that saved activations are freed on the way, and it hands the
    /// parameters' arrays back to the model, so that the optimizer writes in place.
    ///
    /// # Panics
    ///
    /// If the value is not a single number; if `backward` already ran since the last `reset`; on an inference tape.
    #[track_caller]
    pub fn backward(self) -> Gradients<F> {
        let tape = self.tape;
        assert!(
            !tape.is_inference(),
            "backward() on an inference tape, which records nothing: use Tape::new()"
        );
        assert!(!tape.spent.get(), "a second backward() on one recording: call reset() first");
        let loss = self.value();
        assert_eq!(
            loss.len(),
            1,
            "backward() needs a single number, but this loss has shape {:?}: reduce it with sum() or mean()",
            loss.shape()
        );
        tape.spent.set(true);
        let mut grads = Gradients::default();
        grads.origin = Some((tape.id, tape.step()));
        if self.needs_grad() {
            let seed = Tensor::from_elem(loss.raw_dim(), F::ONE);
            walk_back(tape, self.index, seed, &mut grads);
        }
        tape.edges.borrow_mut().clear();
        for node in tape.nodes.borrow_mut().iter_mut().filter(|node| node.holds_param) {
            node.value = None;
        }
        grads.observations = tape.observations.borrow_mut().drain(..).collect();
        grads
    }
}

/// The order of the list is topological: one loop from the loss to the first node sees every gradient complete.
#[track_caller]
fn walk_back<F: Real>(tape: &Tape<F>, loss: usize, seed: Tensor<F>, grads: &mut Gradients<F>) {
    let nodes = tape.nodes.borrow();
    let mut edges = tape.edges.borrow_mut();
    if let Some(next) = nodes.get(loss + 1) {
        edges.truncate(next.first_edge);
    }
    let mut pending = tape.pending.borrow_mut();
    pending.clear();
    pending.resize_with(loss, || None);
    pending.push(Some(seed));
    for (index, node) in nodes[..=loss].iter().enumerate().rev() {
        let node_edges = edges.drain(node.first_edge..);
        let Some(upstream) = pending[index].take() else { continue };
        match node.kind {
            Kind::Constant => {}
            Kind::Variable => _ = grads.variables.insert(index, kernel::row_major(upstream)),
            // Only where it is the loss itself; others' gradients do not stop here.
            Kind::Param(id) => grads.add(id, upstream),
            Kind::Op { .. } => {
                let mut upstream = Some(upstream);
                let mut tracked = node_edges.filter_map(|edge| Some((edge.input, edge.pullback?))).peekable();
                while let Some((input, pullback)) = tracked.next() {
                    // The last pullback gets the gradient itself, so that it may change it in place.
                    let g = if tracked.peek().is_some() { upstream.clone() } else { upstream.take() };
                    let dx = pullback(g.expect("taken by the last pullback only"));
                    check_pullback(tape, index, input, &dx, &nodes);
                    match (nodes[input].kind, &mut pending[input]) {
                        (Kind::Param(id), _) => grads.add(id, dx),
                        (_, Some(sum)) => accumulate(sum, dx),
                        (_, empty) => *empty = Some(dx),
                    }
                }
            }
        }
    }
}

fn accumulate<F: Real>(sum: &mut Tensor<F>, grad: Tensor<F>) {
    *sum += &grad;
    pool::give(grad);
}

#[track_caller]
fn check_pullback<F: Real>(
    tape: &Tape<F>,
    index: usize,
    input: usize,
    dx: &Tensor<F>,
    nodes: &[crate::tape::Node<F>],
) {
    let expected = nodes[input].value.as_ref().map(Tensor::shape);
    assert!(
        expected == Some(dx.shape()),
        "`{}`: the gradient of input %{input} has shape {:?}, the input {:?}",
        nodes[index].op,
        dx.shape(),
        expected.unwrap_or_default()
    );
    if let Some(check) = &tape.finite_check {
        check.backward(tape, index, input, dx);
    }
}
