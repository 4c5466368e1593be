use std::collections::BTreeMap;

use ndarray::Dimension;

use crate::compute::first_non_finite;
use crate::module::{Id, names_by_id};
use crate::tape::node::{Kind, Node};
use crate::{Module, Real, Tape, Tensor};

/// The names under which [`Tape::detect_anomaly`] reports.
pub(crate) struct FiniteCheck {
    names: BTreeMap<Id, String>,
}

impl<F: Real> Tape<F> {
    /// From now on every value and every gradient is checked, and the first NaN or infinity panics: at the line of the
    /// op where it is a value, at the line of `backward` where it is a gradient. The message names the op, the layer
    /// (by the parameter of `model` used last before the op; `&()` if there is no model), the step and the element, and
    /// for a gradient the line of the op too. A -∞ is let through once a constant has brought one in, as the mask of an
    /// attention does. For debugging: it reads every tensor once more.
    ///
    /// ```should_panic
    /// # use wengert_autodiff::Tape;
    /// let mut tape = Tape::new();
    /// tape.detect_anomaly(&());
    /// tape.variable(ndarray::arr1(&[1.0, -1.0])).ln(); // panics here
    /// ```
    #[doc(alias("check_finite", "debug_nans", "set_detect_anomaly"))]
    pub fn detect_anomaly(&mut self, model: &dyn Module<F>) {
        self.finite_check = Some(FiniteCheck { names: names_by_id(model) });
    }
}

impl FiniteCheck {
    #[track_caller]
    pub(crate) fn forward<F: Real>(&self, tape: &Tape<F>, index: usize) {
        let nodes = tape.nodes.borrow();
        let node = &nodes[index];
        let Some(value) = &node.value else { return };
        let brings_masks = |node: &Node<F>| {
            node.kind == Kind::Constant && node.value.iter().flatten().any(|&x| x == F::neg_infinity())
        };
        let found = culprit(value, || nodes[..=index].iter().any(brings_masks));
        if let Some(culprit) = found {
            let (op, layer, step) = (node.op, self.layer(tape, index), tape.steps());
            panic!("the value of `{op}` (%{index}, {layer}) at step {step}: {culprit}");
        }
    }

    #[track_caller]
    pub(crate) fn backward<F: Real>(&self, tape: &Tape<F>, index: usize, input: usize, dx: &Tensor<F>) {
        if let Some(culprit) = culprit(dx, || false) {
            let Node { op, at, .. } = &tape.nodes.borrow()[index];
            let (layer, step) = (self.layer(tape, index), tape.steps());
            panic!(
                "the gradient that `{op}` (%{index}, {layer}, recorded at {at}) gives its input %{input} at step \
                 {step}: {culprit}"
            );
        }
    }

    /// The parameter used last before the node. The edges would say more, but `backward` holds them while it runs.
    fn layer<F: Real>(&self, tape: &Tape<F>, index: usize) -> String {
        let nodes = tape.nodes.borrow();
        let near = nodes[..=index].iter().rev().find_map(|node| match node.kind {
            Kind::Param(id) | Kind::Frozen(id) => self.names.get(&id),
            _ => None,
        });
        near.map_or_else(|| "before any layer".to_owned(), |name| format!("near `{name}`"))
    }
}

/// The first element that is not finite, for a message; -∞ is one unless it is `masked`.
fn culprit<F: Real>(value: &Tensor<F>, masked: impl Fn() -> bool) -> Option<String> {
    let (mut at, mut x) = first_non_finite(value)?;
    if x == F::neg_infinity() && masked() {
        let other = |&(_, &x): &(_, &F)| !x.is_finite() && x != F::neg_infinity();
        let (place, &found) = value.indexed_iter().find(other)?;
        (at, x) = (place.slice().to_vec(), found);
    }
    Some(format!("{x} at {at:?} of shape {:?}", value.shape()))
}
