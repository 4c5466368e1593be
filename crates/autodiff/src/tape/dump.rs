//! What a tape holds, for people: accounting, a listing, and a drawing for Graphviz.

use std::collections::BTreeMap;
use std::fmt;
use std::mem::size_of;
use std::ops::Range;

use crate::module::{Id, names_by_id};
use crate::tape::node::{Edge, Kind, Node};
use crate::{Module, Real, Tape, Tensor};

/// What a tape holds at one moment; see [`Tape::stats`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TapeStats {
    /// Constants, variables, parameters and results of ops.
    pub nodes: usize,
    /// Edges along which a gradient will flow. An inference tape has none, nor has any tape after `backward`.
    pub edges: usize,
    /// Bytes of the nodes' values. Arrays that share memory, such as a tensor and its reshape, count once; what ops
    /// saved for `backward` beyond their inputs and results does not count.
    pub bytes: usize,
    /// Bytes the lists of nodes and edges themselves have reserved. `reset` keeps them for the next step.
    pub reserved: usize,
}

impl fmt::Display for TapeStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, edges, bytes, reserved } = self;
        write!(
            f,
            "{nodes} nodes, {edges} edges with a gradient, {bytes} bytes of values, {reserved} reserved"
        )
    }
}

impl<F: Real> Tape<F> {
    /// Counts what the tape holds.
    pub fn stats(&self) -> TapeStats {
        let (nodes, edges) = (self.nodes.borrow(), self.edges.borrow());
        let spans = nodes.iter().filter_map(|node| node.value.as_ref()).map(addresses).collect();
        TapeStats {
            nodes: nodes.len(),
            edges: edges.iter().filter(|edge| edge.pullback.is_some()).count(),
            bytes: union_length(spans),
            reserved: nodes.capacity() * size_of::<Node<F>>() + edges.capacity() * size_of::<Edge<F>>(),
        }
    }

    /// Lists the tape, one node per line, with the dotted names of `model`'s parameters (`&()` if there is no model):
    ///
    /// ```
    /// use wengert_autodiff::{Param, Tape, Tensor, module};
    ///
    /// struct Line {
    ///     weight: Param,
    /// }
    ///
    /// module!(Line { weight });
    ///
    /// let line = Line { weight: Param::new(Tensor::zeros(vec![2, 3])) };
    /// let tape = Tape::new();
    /// let x = tape.constant(Tensor::zeros(vec![4, 3]));
    /// x.linear(tape.param(&line.weight), None).tanh();
    /// assert_eq!(tape.dump(&line), "\
    /// %0 = constant  [4, 3]
    /// %1 = param weight  [2, 3]
    /// %2 = linear(%0, %1)  [4, 2]
    /// %3 = tanh(%2)  [4, 2]
    /// ");
    /// ```
    ///
    /// The inputs are known until `backward` consumes the edges; an inference tape never keeps them. Without them the
    /// last line says so.
    #[doc(alias("make_jaxpr", "print"))]
    pub fn dump(&self, model: &dyn Module<F>) -> String {
        let names = names_by_id(model);
        let mut text = String::new();
        self.each_node(|index, node, edges| {
            let inputs: Vec<_> = edges.iter().map(|edge| format!("%{}", edge.input)).collect();
            let inputs = if inputs.is_empty() { String::new() } else { format!("({})", inputs.join(", ")) };
            text += &format!("%{index} = {}{inputs}  {}\n", title(node, &names), shape(node));
        });
        if let Some(reason) = self.edges_missing() {
            text += &format!("({reason})\n");
        }
        text
    }

    /// Draws the tape in the language of Graphviz (`dot -Tsvg`), with the dotted names of `model`'s parameters (`&()`
    /// if there is no model). Parameters and variables are boxes; along dashed arrows no gradient flows.
    ///
    /// Like [`dump`](Tape::dump), it knows the arrows until `backward` consumes them.
    #[doc(alias("torchviz", "graphviz", "plot_model"))]
    pub fn to_dot(&self, model: &dyn Module<F>) -> String {
        let names = names_by_id(model);
        let mut text = String::from("digraph tape {\n");
        if let Some(reason) = self.edges_missing() {
            text += &format!("  label={};\n", quoted(reason));
        }
        self.each_node(|index, node, edges| {
            let label = quoted(&format!("{}\n{}", title(node, &names), shape(node)));
            let style = match node.kind {
                Kind::Variable | Kind::Param(_) | Kind::Frozen(_) => "shape=box",
                Kind::Constant => "shape=plaintext",
                Kind::Op { .. } => "shape=ellipse",
            };
            text += &format!("  n{index} [label={label}, {style}];\n");
            for edge in edges {
                let style = if edge.pullback.is_some() { "" } else { " [style=dashed]" };
                text += &format!("  n{} -> n{index}{style};\n", edge.input);
            }
        });
        text + "}\n"
    }

    pub(super) fn each_node(&self, mut visit: impl FnMut(usize, &Node<F>, &[Edge<F>])) {
        let (nodes, edges) = (self.nodes.borrow(), self.edges.borrow());
        for (index, node) in nodes.iter().enumerate() {
            let end = nodes.get(index + 1).map_or(edges.len(), |next| next.first_edge);
            visit(index, node, edges.get(node.first_edge..end).unwrap_or_default());
        }
    }

    pub(super) fn edges_missing(&self) -> Option<&'static str> {
        if self.is_inference() {
            Some("no inputs: an inference tape keeps no edges")
        } else {
            self.spent.get().then_some("no inputs: backward() consumed the edges")
        }
    }
}

fn title<F: Real>(node: &Node<F>, names: &BTreeMap<Id, String>) -> String {
    match node.kind {
        Kind::Param(id) | Kind::Frozen(id) => {
            names.get(&id).map_or_else(|| node.op.to_owned(), |name| format!("{} {name}", node.op))
        }
        _ => node.op.to_owned(),
    }
}

fn shape<F: Real>(node: &Node<F>) -> String {
    node.value.as_ref().map_or_else(|| "(given back)".to_owned(), |value| format!("{:?}", value.shape()))
}

/// A string of the DOT language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// From the first byte a tensor reads to the last.
fn addresses<F: Real>(value: &Tensor<F>) -> Range<usize> {
    if value.is_empty() {
        return 0..0;
    }
    let (mut low, mut high) = (0, 0);
    for (&len, &stride) in value.shape().iter().zip(value.strides()) {
        let reach = (len as isize - 1) * stride;
        if reach < 0 { low += reach } else { high += reach }
    }
    let bytes =
        |elements: isize| value.as_ptr().addr().wrapping_add_signed(elements * size_of::<F>() as isize);
    bytes(low)..bytes(high + 1)
}

/// How many addresses the spans cover together.
fn union_length(mut spans: Vec<Range<usize>>) -> usize {
    spans.sort_unstable_by_key(|span| span.start);
    let (mut total, mut covered) = (0, 0);
    for span in spans {
        total += span.end.saturating_sub(span.start.max(covered));
        covered = covered.max(span.end);
    }
    total
}
