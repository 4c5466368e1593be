//! A tape of numbers.

use std::cell::RefCell;
use std::ops::{Add, Mul, Sub};

#[derive(Default)]
pub struct Tape {
    nodes: RefCell<Vec<Node>>,
}

/// The inputs of an operation, and the derivative of its result with respect to each.
struct Node {
    inputs: Vec<(usize, f64)>,
}

#[derive(Clone, Copy)]
pub struct Var<'t> {
    tape: &'t Tape,
    index: usize,
    value: f64,
}

impl Tape {
    pub fn new() -> Self {
        Self::default()
    }

    /// A number to differentiate with respect to.
    pub fn var(&self, value: f64) -> Var<'_> {
        self.push(value, Vec::new())
    }

    fn push(&self, value: f64, inputs: Vec<(usize, f64)>) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { inputs });
        Var { tape: self, index: nodes.len() - 1, value }
    }
}

impl<'t> Var<'t> {
    pub fn value(self) -> f64 {
        self.value
    }

    pub fn tanh(self) -> Var<'t> {
        let y = self.value.tanh();
        self.tape.push(y, vec![(self.index, 1.0 - y * y)])
    }

    pub fn exp(self) -> Var<'t> {
        let y = self.value.exp();
        self.tape.push(y, vec![(self.index, y)])
    }

    /// `xⁿ`
    pub fn powi(self, n: i32) -> Var<'t> {
        let slope = f64::from(n) * self.value.powi(n - 1);
        self.tape.push(self.value.powi(n), vec![(self.index, slope)])
    }

    /// The gradient of this number with respect to each variable of the tape, by index.
    pub fn backward(self) -> Gradients {
        let nodes = self.tape.nodes.borrow();
        let mut d = vec![0.0; nodes.len()];
        d[self.index] = 1.0;
        for i in (0..=self.index).rev() {
            for &(input, derivative) in &nodes[i].inputs {
                d[input] += derivative * d[i];
            }
        }
        Gradients(d)
    }
}

pub struct Gradients(Vec<f64>);

impl Gradients {
    /// The gradient with respect to this variable; 0 if the result does not depend on it.
    pub fn of(&self, var: Var<'_>) -> f64 {
        self.0.get(var.index).copied().unwrap_or(0.0)
    }
}

impl<'t> Add for Var<'t> {
    type Output = Var<'t>;

    fn add(self, other: Self) -> Var<'t> {
        self.tape.push(self.value + other.value, vec![(self.index, 1.0), (other.index, 1.0)])
    }
}

impl<'t> Sub for Var<'t> {
    type Output = Var<'t>;

    fn sub(self, other: Self) -> Var<'t> {
        self.tape.push(self.value - other.value, vec![(self.index, 1.0), (other.index, -1.0)])
    }
}

impl<'t> Mul for Var<'t> {
    type Output = Var<'t>;

    fn mul(self, other: Self) -> Var<'t> {
        self.tape.push(self.value * other.value, vec![(self.index, other.value), (other.index, self.value)])
    }
}
