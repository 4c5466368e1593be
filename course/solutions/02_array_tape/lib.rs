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
    let mut sum = array.clone();
    while sum.ndim() > shape.len() {
        sum = sum.sum_axis(Axis(0));
    }
    for (axis, &length) in shape.iter().enumerate() {
        if length == 1 {
            sum = sum.sum_axis(Axis(axis)).insert_axis(Axis(axis));
        }
    }
    sum
}

impl<'t> Var<'t> {
    pub fn value(self) -> Array {
        self.tape.nodes.borrow()[self.index].value.clone()
    }

    /// `a + b`, broadcast.
    pub fn add(self, other: Var<'t>) -> Var<'t> {
        let (a, b) = (self.value(), other.value());
        let (of_a, of_b) = (a.shape().to_vec(), b.shape().to_vec());
        let da: Edge = Box::new(move |dy| sum_to(dy, &of_a));
        let db: Edge = Box::new(move |dy| sum_to(dy, &of_b));
        self.tape.push(&a + &b, vec![(self.index, da), (other.index, db)])
    }

    /// `a b`, element by element, broadcast.
    pub fn mul(self, other: Var<'t>) -> Var<'t> {
        let (a, b) = (self.value(), other.value());
        let y = &a * &b;
        let (factor_a, factor_b) = (b.clone(), a.clone());
        let da: Edge = Box::new(move |dy| sum_to(&(dy * &factor_a), a.shape()));
        let db: Edge = Box::new(move |dy| sum_to(&(dy * &factor_b), b.shape()));
        self.tape.push(y, vec![(self.index, da), (other.index, db)])
    }

    /// The sum of all elements, without axes.
    pub fn sum(self) -> Var<'t> {
        let x = self.value();
        let y = Array::from_elem(IxDyn(&[]), x.sum());
        let dx: Edge = Box::new(move |dy| Array::from_elem(x.raw_dim(), dy.sum()));
        self.tape.push(y, vec![(self.index, dx)])
    }

    /// The product of two matrices.
    pub fn matmul(self, other: Var<'t>) -> Var<'t> {
        let [a, b] = [self, other].map(|var| var.value().into_dimensionality::<Ix2>().expect("a matrix"));
        let y = a.dot(&b).into_dyn();
        let of_c = |dy: &Array| dy.clone().into_dimensionality::<Ix2>().expect("a matrix");
        let da: Edge = Box::new(move |dy| of_c(dy).dot(&b.t()).into_dyn());
        let db: Edge = Box::new(move |dy| a.t().dot(&of_c(dy)).into_dyn());
        self.tape.push(y, vec![(self.index, da), (other.index, db)])
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
