//! What a model computes, for people: a line for each op that has parameters or a matrix product.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::module::names_by_id;
use crate::tape::node::Kind;
use crate::{Module, Real, Tape};

struct Line {
    layer: String,
    op: &'static str,
    output: String,
    parameters: usize,
    multiply_adds: usize,
}

impl<F: Real> Tape<F> {
    /// A table of what `model` has recorded on this tape: its layers in the order in which they ran, the shape of what
    /// they returned, how many numbers their parameters have (once, where they are used again), and how many products
    /// of two numbers are added up in matrix products and convolutions.
    ///
    /// ```
    /// use wengert_autodiff::{Param, Tape, Tensor, module};
    ///
    /// struct Net {
    ///     hidden: Param,
    ///     out: Param,
    /// }
    ///
    /// module!(Net { hidden, out });
    ///
    /// let net = Net { hidden: Param::new(Tensor::zeros(vec![8, 3])), out: Param::new(Tensor::zeros(vec![1, 8])) };
    /// let tape = Tape::new();
    /// let x = tape.constant(Tensor::zeros(vec![4, 3]));
    /// _ = x.linear(tape.param(&net.hidden), None).relu().linear(tape.param(&net.out), None);
    /// assert_eq!(tape.summary(&net), "\
    /// layer   op      output  parameters  multiply-adds
    /// hidden  linear  [4, 8]          24             96
    /// out     linear  [4, 1]           8             32
    /// total                           32            128
    /// ");
    /// ```
    ///
    /// # Panics
    ///
    /// On an inference tape and after `backward`: which op had which input is not known there.
    #[doc(alias("torchinfo", "torchsummary", "FLOPs", "MACs", "count_params"))]
    #[track_caller]
    pub fn summary(&self, model: &dyn Module<F>) -> String {
        if let Some(reason) = self.edges_missing() {
            panic!("`summary`: {reason}");
        }
        let mut lines = self.lines(model);
        lines.push(Line {
            layer: "total".to_owned(),
            op: "",
            output: String::new(),
            parameters: lines.iter().map(|line| line.parameters).sum(),
            multiply_adds: lines.iter().map(|line| line.multiply_adds).sum(),
        });
        let widest = |title: &str, of: fn(&Line) -> usize| {
            lines.iter().map(of).chain([title.len()]).max().expect("the title")
        };
        let layer = widest("layer", |line| line.layer.chars().count());
        let op = widest("op", |line| line.op.len());
        let output = widest("output", |line| line.output.len());
        let mut text =
            format!("{:layer$}  {:op$}  {:output$}  parameters  multiply-adds\n", "layer", "op", "output");
        for Line { layer: of, op: name, output: shape, parameters, multiply_adds } in lines {
            let _ = writeln!(
                text,
                "{of:layer$}  {name:op$}  {shape:output$}  {parameters:>10}  {multiply_adds:>13}"
            );
        }
        text
    }

    fn lines(&self, model: &dyn Module<F>) -> Vec<Line> {
        let names = names_by_id(model);
        let mut lines = Vec::new();
        // By node: the parameter that it is, or is a view of.
        let mut parameters = BTreeMap::new();
        let mut shapes: Vec<Vec<usize>> = Vec::new();
        let mut counted = BTreeSet::new();
        self.each_node(|index, node, edges| {
            let shape = node.value.as_ref().map_or_else(Vec::new, |value| value.shape().to_vec());
            let inputs: Vec<_> = edges.iter().map(|edge| &shapes[edge.input][..]).collect();
            match node.kind {
                Kind::Param(id) | Kind::Frozen(id) => {
                    parameters.insert(index, id);
                }
                _ if node.holds_param => {
                    parameters.extend(
                        edges.first().and_then(|edge| parameters.get(&edge.input).map(|&id| (index, id))),
                    );
                }
                _ => {
                    let own: Vec<_> =
                        edges.iter().filter_map(|edge| parameters.get(&edge.input).copied()).collect();
                    let multiply_adds = multiply_adds(node.op, &inputs, &shape);
                    if !own.is_empty() || multiply_adds > 0 {
                        let of_edge = |edge: &crate::Edge<F>| {
                            let id = parameters.get(&edge.input)?;
                            counted.insert(*id).then(|| shapes[edge.input].iter().product::<usize>())
                        };
                        lines.push(Line {
                            layer: layer(own.iter().filter_map(|id| names.get(id)).map(String::as_str)),
                            op: node.op,
                            output: format!("{shape:?}"),
                            parameters: edges.iter().filter_map(of_edge).sum(),
                            multiply_adds,
                        });
                    }
                }
            }
            shapes.push(shape);
        });
        lines
    }
}

/// What the names of an op's parameters have in common: `fc` of `fc.weight` and `fc.bias`; else the first name.
fn layer<'n>(mut names: impl Iterator<Item = &'n str>) -> String {
    let Some(first) = names.next() else { return String::new() };
    match first.rsplit_once('.') {
        Some((layer, _))
            if names.all(|name| name.rsplit_once('.').is_some_and(|(other, _)| other == layer)) =>
        {
            layer.to_owned()
        }
        _ => first.to_owned(),
    }
}

/// Of matrix products and convolutions; of all else 0.
fn multiply_adds(op: &str, inputs: &[&[usize]], output: &[usize]) -> usize {
    let len = |shape: &[usize]| shape.iter().product::<usize>();
    let per_place = |last: usize| len(output) / last.max(1);
    match (op, inputs) {
        ("matmul", [a, ..]) => len(output) * a.last().copied().unwrap_or(1),
        ("conv2d", [_, weight, ..]) => per_place(weight[0]) * len(weight),
        ("conv_transpose2d", [x, weight, ..]) => len(x) / x[1].max(1) * len(weight),
        ("linear", [_, weight, ..]) => per_place(weight[0]) * len(weight),
        // The product with the input is a `linear` before it.
        ("rnn_tanh" | "rnn_relu" | "gru" | "lstm", [weight, .., x]) => {
            len(x) / weight[0].max(1) * len(weight)
        }
        _ => 0,
    }
}
