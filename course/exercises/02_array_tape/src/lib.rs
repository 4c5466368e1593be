//! A tape of arrays.

use std::cell::RefCell;

use wengert::ndarray::{ArrayD, Axis, Ix2, IxDyn};

pub type Array = ArrayD<f64>;

/// From the gradient of a result to the gradient of one input.
type Edge = Box<dyn Fn(&Array) -> Array>;

#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
}

struct Node {
    value: Array,
    inputs: Vec<(usize, Edge)>,
}

#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: &'t Tape,
    index: usize,
}

impl Tape {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn var(&self, value: Array) -> Var<'_> {
        self.push(value, Vec::new())
    }

    fn push(&self, value: Array, inputs: Vec<(usize, Edge)>) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { value, inputs });
        Var { tape: self, index: nodes.len() - 1 }
    }
}

/// Sums an array down to a shape that broadcasts to the array's: leading axes that the shape lacks go, axes of length 1
/// stay.
pub fn sum_to(array: &Array, shape: &[usize]) -> Array {
    todo!("sum over the axes that were stretched")
}

impl<'t> Var<'t> {
    pub fn value(self) -> Array {
        self.tape.nodes.borrow()[self.index].value.clone()
    }

    /// `a + b`, broadcast.
    pub fn add(self, other: Var<'t>) -> Var<'t> {
        todo!("a gradient has the shape of its variable")
    }

    /// `a b`, element by element, broadcast.
    pub fn mul(self, other: Var<'t>) -> Var<'t> {
        todo!("a gradient has the shape of its variable")
    }

    /// The sum of all elements, without axes.
    pub fn sum(self) -> Var<'t> {
        todo!("every element has the derivative 1")
    }

    /// The product of two matrices.
    pub fn matmul(self, other: Var<'t>) -> Var<'t> {
        todo!("da = dc bᵀ, db = aᵀ dc")
    }

    /// The gradients of this sum with respect to all variables.
    pub fn backward(self) -> Gradients {
        let nodes = self.tape.nodes.borrow();
        let mut d: Vec<Option<Array>> = nodes.iter().map(|_| None).collect();
        d[self.index] = Some(Array::ones(nodes[self.index].value.raw_dim()));
        for i in (0..=self.index).rev() {
            let Some(dy) = d[i].clone() else { continue };
            for (input, edge) in &nodes[i].inputs {
                let share = edge(&dy);
                d[*input] = Some(match d[*input].take() {
                    Some(before) => before + share,
                    None => share,
                });
            }
        }
        Gradients(d)
    }
}

pub struct Gradients(Vec<Option<Array>>);

impl Gradients {
    pub fn of(&self, var: Var<'_>) -> Array {
        self.0[var.index].clone().expect("the result depends on the variable")
    }
}
