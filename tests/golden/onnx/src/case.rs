//! The tests as `onnx_cases.py` writes them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

/// The first line: where the tests come from.
#[derive(Deserialize)]
pub struct Header {
    pub origin: Origin,
}

#[derive(Deserialize)]
pub struct Origin {
    pub onnx: String,
}

/// A graph, what goes in and what must come out.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub rtol: f64,
    pub atol: f64,
    pub inputs: BTreeMap<String, Array>,
    pub nodes: Vec<Node>,
    pub outputs: BTreeMap<String, Array>,
}

/// One op; an absent input or output has an empty name.
#[derive(Deserialize)]
pub struct Node {
    pub op: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: BTreeMap<String, Json>,
}

/// A tensor, row-major; without data if its type is foreign to Wengert.
#[derive(Clone, Deserialize)]
pub struct Array {
    #[serde(rename = "type")]
    pub kind: String,
    pub shape: Vec<usize>,
    data: Option<Vec<Number>>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Other(String),
}

impl Array {
    /// The numbers, as `f64`.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let number = |x: &Number| match x {
            Number::Finite(x) => *x,
            Number::Other(x) => x.parse().expect("nan, inf or -inf"),
        };
        self.data.as_ref().map(|data| data.iter().map(number).collect())
    }
}

impl Case {
    /// Whether the graph is a function's definition in place of the function.
    pub fn is_expanded(&self) -> bool {
        self.name.contains("_expanded")
    }

    /// What goes in and what must come out.
    pub fn tensors(&self) -> impl Iterator<Item = &Array> {
        self.inputs.values().chain(self.outputs.values())
    }
}
