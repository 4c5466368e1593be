//! A tensor of a graph: always a `Var`, with what ONNX takes its numbers for.

use wengert_autodiff::ndarray::{ArrayD, IxDyn};
use wengert_autodiff::{Real, Tape, Tensor, Var};

/// What the numbers stand for: Wengert computes with floats only, whole numbers and truth values are carried by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Float,
    Integer,
    Truth,
}

impl Kind {
    /// Of an ONNX type, unless that is foreign to Wengert.
    pub fn of(onnx_type: &str) -> Option<Self> {
        match onnx_type {
            "float" | "double" => Some(Self::Float),
            "bool" => Some(Self::Truth),
            _ if onnx_type.trim_start_matches('u').starts_with("int") && !onnx_type.ends_with("int4") => {
                (!onnx_type.ends_with("int2")).then_some(Self::Integer)
            }
            _ => None,
        }
    }
}

/// A tensor on the tape.
#[derive(Clone, Copy)]
pub struct Value<'t, F: Real> {
    pub var: Var<'t, F>,
    pub kind: Kind,
}

/// A tensor from row-major numbers.
pub fn tensor<F: Real>(shape: &[usize], numbers: impl IntoIterator<Item = f64>) -> Tensor<F> {
    let numbers = numbers.into_iter().map(F::from_f64).collect();
    Tensor::from_shape_vec(IxDyn(shape), numbers).expect("as many numbers as the shape says")
}

/// What `argmax` and its like return, on the tape.
pub fn indices<F: Real>(tape: &Tape<F>, places: ArrayD<usize>) -> Var<'_, F> {
    tape.constant(places.mapv(|place| F::from_f64(place as f64)))
}

/// The numbers of a tensor, rounded towards zero: shapes, axes, indices.
pub fn integers<F: Real>(x: Var<'_, F>) -> Vec<i64> {
    x.value().iter().map(|x| x.as_f64() as i64).collect()
}

/// A tensor of truth values.
pub fn truths<F: Real>(x: Var<'_, F>) -> ArrayD<bool> {
    x.value().mapv(|x| x != F::ZERO).into_owned()
}

/// Indices below `length`; a negative one counts from the end.
pub fn places(indices: &[i64], length: usize) -> Vec<usize> {
    indices.iter().map(|&i| if i < 0 { i + length as i64 } else { i } as usize).collect()
}
