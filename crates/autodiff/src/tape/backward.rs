//! The walk back.

use std::cmp::Reverse;
use std::ops::Range;

use ndarray::Axis;

use super::node::{Kind, Node};
use super::{Gradients, Tape, Var};
use crate::compute::layout;
use crate::compute::sum::RunningSum;
use crate::module::Id;
use crate::{Real, Tensor};

impl<F: Real> Var<'_, F> {
    /// Walks the tape back once from this loss.
    ///
    /// The walk consumes the recorded derivatives, so that saved activations are freed on the way, and it hands the
    /// parameters' arrays back to the model, so that the optimizer writes in place.
    ///
    /// # Panics
    ///
    /// If the value is not a single number or depends on no parameter and no variable; if `backward` already ran since
    /// the last `reset`; on an inference tape.
    #[doc(alias("grad", "value_and_grad", "gradient"))]
    #[track_caller]
    pub fn backward(self) -> Gradients<F> {
        let tape = self.tape;
        assert!(
            !tape.is_inference(),
            "backward() on an inference tape, which records nothing: use Tape::new()"
        );
        assert!(
            !tape.spent.get(),
            "a second backward() on one recording, whose derivatives the first has consumed: add the losses and call \
             it once, give each forward pass a tape of its own, or call reset() first and compute the loss again"
        );
        let loss = self.value();
        assert_eq!(
            loss.len(),
            1,
            "backward() needs a single number, but this loss has shape {:?}: reduce it with sum() or mean()",
            loss.shape()
        );
        assert!(
            self.needs_grad(),
            "this loss has no gradient: it depends on no parameter or variable (a `detach`, or all of them frozen?)"
        );
        self.gradients()
    }

    /// [`backward`](Var::backward), also from a loss that has no gradient.
    #[track_caller]
    pub(crate) fn gradients(self) -> Gradients<F> {
        let (tape, loss) = (self.tape, self.value());
        tape.spent.set(true);
        let mut grads = Gradients::default();
        grads.origin = Some((tape.id, tape.steps()));
        if self.needs_grad() {
            walk_back(tape, self.index, Tensor::from_elem(loss.raw_dim(), F::ONE), &mut grads);
        }
        tape.edges.borrow_mut().clear();
        for node in tape.nodes.borrow_mut().iter_mut().filter(|node| node.holds_param) {
            node.value = None;
        }
        grads.buffer_updates = tape.buffer_updates.borrow_mut().drain(..).collect();
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
    pending.push(Some(RunningSum::of(seed)));
    let mut params = ParamSums(Vec::new());
    for (index, node) in nodes[..=loss].iter().enumerate().rev() {
        let node_edges = edges.drain(node.first_edge..);
        let Some(upstream) = pending[index].take() else { continue };
        match node.kind {
            Kind::Constant | Kind::Frozen(_) => {}
            Kind::Variable => _ = grads.variables.insert(index, layout::row_major(upstream.finish())),
            // Only where it is the loss itself; others' gradients do not stop here.
            Kind::Param(id) => params.of(id).add(upstream.finish()),
            Kind::Op { .. } => {
                let upstream = upstream.finish();
                if node.retains_grad {
                    grads.variables.insert(index, layout::row_major(upstream.clone()));
                }
                let mut upstream = Some(upstream);
                let mut tracked =
                    node_edges.filter_map(|edge| Some((edge.input, edge.pullback?, edge.part))).peekable();
                while let Some((input, pullback, part)) = tracked.next() {
                    // The last pullback gets the gradient itself, so that it may change it in place.
                    let g = if tracked.peek().is_some() { upstream.clone() } else { upstream.take() };
                    let dx = pullback(g.expect("taken by the last pullback only"));
                    check_pullback(tape, index, input, &dx, part.as_deref(), &nodes);
                    let sum = match nodes[input].kind {
                        Kind::Param(id) => params.of(id),
                        _ => pending[input].get_or_insert_default(),
                    };
                    match part {
                        None => sum.add(dx),
                        Some(part) => sum.add_part(nodes[input].shape(), *part, dx),
                    }
                }
            }
        }
    }
    grads.params = params.finish();
}

/// The gradients of the parameters that the walk has found so far, the youngest parameter first, as in [`Gradients`]. A
/// parameter has a node for each use.
struct ParamSums<F: Real>(Vec<(Id, RunningSum<F>)>);

impl<F: Real> ParamSums<F> {
    fn of(&mut self, id: Id) -> &mut RunningSum<F> {
        let found = self.0.binary_search_by_key(&Reverse(id), |&(id, _)| Reverse(id));
        let at = found.unwrap_or_else(|at| {
            self.0.insert(at, (id, RunningSum::default()));
            at
        });
        &mut self.0[at].1
    }

    fn finish(self) -> Vec<(Id, Tensor<F>)> {
        self.0.into_iter().map(|(id, sum)| (id, layout::row_major(sum.finish()))).collect()
    }
}

#[track_caller]
fn check_pullback<F: Real>(
    tape: &Tape<F>,
    index: usize,
    input: usize,
    dx: &Tensor<F>,
    part: Option<&(Axis, Range<usize>)>,
    nodes: &[Node<F>],
) {
    // A part has the shape of the result, which was cut out of the input.
    let expected = nodes[if part.is_some() { index } else { input }].shape();
    assert!(
        expected == dx.shape(),
        "`{}`: the gradient of input %{input} has shape {:?}, the input {:?}",
        nodes[index].op,
        dx.shape(),
        expected
    );
    if let Some(check) = &tape.finite_check {
        check.backward(tape, index, input, dx);
    }
}
