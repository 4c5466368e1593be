//! Runs a graph node by node.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use wengert_autodiff::{Real, Tape, Var};

use crate::case::{Array, Case, Node};
use crate::ops;
use crate::value::{Kind, Value, integers, tensor};

/// Why a test cannot be run: the reason as the table says it.
#[derive(Debug)]
pub struct Missing(pub String);

pub type Result<T> = std::result::Result<T, Missing>;

/// How Wengert has an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// As one public op or layer.
    Direct,
    /// As a few of them, one after the other.
    Composed,
}

/// What a node gives.
pub struct Done<'t, F: Real> {
    pub outputs: Vec<Var<'t, F>>,
    pub how: How,
}

/// One op's answer.
pub fn direct<'t, F: Real>(y: Var<'t, F>) -> Result<Done<'t, F>> {
    Ok(Done { outputs: vec![y], how: How::Direct })
}

/// The answer of several ops.
pub fn composed<'t, F: Real>(y: Var<'t, F>) -> Result<Done<'t, F>> {
    Ok(Done { outputs: vec![y], how: How::Composed })
}

/// Several results.
pub fn several<'t, F: Real>(how: How, outputs: Vec<Var<'t, F>>) -> Result<Done<'t, F>> {
    Ok(Done { outputs, how })
}

/// There is no such thing.
pub fn missing<T>(why: impl Into<String>) -> Result<T> {
    Err(Missing(why.into()))
}

/// A node with its inputs.
pub struct Call<'c, 't, F: Real> {
    pub tape: &'t Tape<F>,
    pub node: &'c Node,
    pub inputs: Vec<Option<Value<'t, F>>>,
    /// Whether the node is one of several: then whole numbers are shapes that the graph computes with.
    pub inner: bool,
}

impl<'t, F: Real> Call<'_, 't, F> {
    /// An input that must be there.
    pub fn x(&self, index: usize) -> Var<'t, F> {
        self.input(index).unwrap_or_else(|| panic!("input {index} of {} is there", self.node.op))
    }

    /// An input that may be absent.
    pub fn input(&self, index: usize) -> Option<Var<'t, F>> {
        self.inputs.get(index).copied().flatten().map(|value| value.var)
    }

    pub fn kind(&self, index: usize) -> Kind {
        self.inputs.get(index).copied().flatten().map_or(Kind::Float, |value| value.kind)
    }

    /// An input of whole numbers.
    pub fn integers(&self, index: usize) -> Option<Vec<i64>> {
        self.input(index).map(integers)
    }

    pub fn attribute(&self, name: &str) -> Option<&Json> {
        self.node.attributes.get(name)
    }

    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |x| x.as_i64().expect("an integer"))
    }

    pub fn float(&self, name: &str, default: f64) -> f64 {
        self.attribute(name).map_or(default, |x| x.as_f64().expect("a number"))
    }

    pub fn text<'s>(&'s self, name: &str, default: &'s str) -> &'s str {
        self.attribute(name).map_or(default, |x| x.as_str().expect("a string"))
    }

    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        let list = self.attribute(name)?.as_array().expect("a list");
        Some(list.iter().map(|x| x.as_i64().expect("integers")).collect())
    }

    /// The same list as lengths.
    pub fn sizes(&self, name: &str, default: Vec<usize>) -> Vec<usize> {
        self.ints(name).map_or(default, |list| list.into_iter().map(|x| x as usize).collect())
    }

    /// Whether somebody takes this output.
    pub fn wants(&self, output: usize) -> bool {
        self.node.outputs.get(output).is_some_and(|name| !name.is_empty())
    }

    /// A number as a scalar on the tape.
    pub fn number(&self, x: f64) -> Var<'t, F> {
        self.tape.constant(F::from_f64(x))
    }
}

/// Runs the graph of a test: its outputs, and how they came about.
pub fn run<'t, F: Real>(case: &Case, tape: &'t Tape<F>) -> Result<(Vec<Value<'t, F>>, How)> {
    let mut values = BTreeMap::new();
    for (name, array) in &case.inputs {
        values.insert(name.clone(), on_tape(tape, array)?);
    }
    let mut how = if case.nodes.len() == 1 { How::Direct } else { How::Composed };
    for node in &case.nodes {
        let inputs = node.inputs.iter().map(|name| values.get(name).copied()).collect();
        let call = Call { tape, node, inputs, inner: case.nodes.len() > 1 };
        let done = ops::run(&call)?;
        how = how.max(done.how);
        for (index, (name, var)) in node.outputs.iter().zip(done.outputs).enumerate() {
            values.insert(name.clone(), Value { var, kind: ops::kind_of_output(&call, index) });
        }
    }
    let outputs = case.outputs.keys().map(|name| values.get(name).copied());
    let outputs =
        outputs.map(|value| value.ok_or_else(|| Missing("an output that Wengert does not give".into())));
    Ok((outputs.collect::<Result<_>>()?, how))
}

/// A tensor of the file as a leaf; what is differentiable is a variable.
pub fn on_tape<'t, F: Real>(tape: &'t Tape<F>, array: &Array) -> Result<Value<'t, F>> {
    let Some((kind, numbers)) = Kind::of(&array.kind).zip(array.numbers()) else {
        return missing(foreign(&array.kind));
    };
    let value = tensor(&array.shape, numbers);
    let var = if kind == Kind::Float { tape.variable(value) } else { tape.constant(value) };
    Ok(Value { var, kind })
}

/// Why there is no tensor of this type.
pub fn foreign(onnx_type: &str) -> &'static str {
    match onnx_type {
        "string" => "strings",
        "sequence" | "optional" => "sequences and optional values",
        "float16" | "bfloat16" => "half precision: Wengert computes in f32 and f64",
        "complex64" | "complex128" => "complex numbers",
        _ => "floats of 8 bits and fewer, whole numbers of 4 and 2",
    }
}
