use std::collections::BTreeMap;

use crate::param::Id;
use crate::tape::Kind;
use crate::{Module, Real, Tape, Tensor};

/// The names under which [`Tape::check_finite`] reports.
pub(crate) struct FiniteCheck {
    names: BTreeMap<Id, String>,
}

impl<F: Real> Tape<F> {
    /// From now on every value and every gradient is checked, and the first NaN or infinity panics at the line of its
    /// op, naming the op, the layer (by the parameters of `model` nearest to it) and the step. For debugging: it reads
    /// every tensor once more.
    pub fn check_finite(&mut self, model: &(impl Module<F> + ?Sized)) {
        let names = model.params().into_iter().map(|(name, param)| (param.id, name)).collect();
        self.finite_check = Some(FiniteCheck { names });
    }
}

impl FiniteCheck {
    #[track_caller]
    pub(crate) fn forward<F: Real>(&self, tape: &Tape<F>, index: usize) {
        let value = tape.nodes.borrow()[index].value.clone().unwrap_or_default();
        if let Some(culprit) = first_non_finite(&value) {
            let op = tape.nodes.borrow()[index].op;
            panic!(
                "the value of `{op}` (%{index}, {}) at step {}: {culprit}",
                self.layer(tape, index),
                tape.step()
            );
        }
    }

    #[track_caller]
    pub(crate) fn backward<F: Real>(&self, tape: &Tape<F>, index: usize, input: usize, dx: &Tensor<F>) {
        if let Some(culprit) = first_non_finite(dx) {
            let op = tape.nodes.borrow()[index].op;
            panic!(
                "the gradient that `{op}` (%{index}) gives its input %{input} ({}) at step {}: {culprit}",
                self.layer(tape, input),
                tape.step()
            );
        }
    }

    /// The parameter the value was most recently computed with.
    fn layer<F: Real>(&self, tape: &Tape<F>, index: usize) -> String {
        let nodes = tape.nodes.borrow();
        // `backward` holds the edges while it runs; without them, the parameters before the node still tell the layer.
        let near = nodes[..=index].iter().rev().find_map(|node| match node.kind {
            Kind::Param(id) => self.names.get(&id),
            _ => None,
        });
        near.map_or_else(|| "before any layer".to_owned(), |name| format!("near `{name}`"))
    }
}

fn first_non_finite<F: Real>(value: &Tensor<F>) -> Option<String> {
    let (at, x) = value.indexed_iter().find(|(_, x)| !x.is_finite())?;
    Some(format!("{x} at {:?} of shape {:?}", ndarray::Dimension::slice(&at), value.shape()))
}
