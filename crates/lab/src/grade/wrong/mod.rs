//! Rules with one thing wrong each, as somebody might write them, and a part of what the grade must say of each. The
//! example `grade` shows them, a test holds the grader to them. They share nothing with the formulas that it uses.

mod moments;
mod plain;
mod right;
mod rmsprop;

use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex};

use wengert_autodiff::{Real, Tensor};
use wengert_optim::{InvalidHyperparameter, Rule, WeightDecay, state};

use super::{Grade, Paper, grade_port};

/// A rule, and what its grade must say.
pub struct Wrong {
    /// What it is meant to be, and what it does instead.
    pub name: String,
    /// A part of the mistake that the grade names, or the name of a law that it must find broken.
    pub expected: &'static str,
    /// Its grade.
    pub grade: Box<dyn Fn() -> Grade>,
}

/// A rule that is written for one element.
#[derive(Clone)]
struct Written<M> {
    hyper: M,
    element: fn(&M, At),
    /// What all tensors share, if somebody puts the state there.
    shared: Arc<Mutex<[f64; 2]>>,
}

/// One element at work.
struct At<'a> {
    p: &'a mut f64,
    g: f64,
    v: &'a mut f64,
    m: &'a mut f64,
    b: &'a mut f64,
    t: f64,
    shared: &'a mut [f64; 2],
    /// The other elements' mean gradient.
    mean: f64,
}

#[derive(Clone, Debug)]
struct Memory<F: Real> {
    v: Tensor<F>,
    m: Tensor<F>,
    b: Tensor<F>,
    steps: u64,
}

state!(Memory { v, m, b, steps });

impl<M: Debug> Debug for Written<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({:?})", self.hyper)
    }
}

impl<M: Paper> Rule<f64> for Written<M> {
    const NAME: &'static str = "Written";
    type State = Memory<f64>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        self.hyper.validate()
    }

    fn init(&self, param: &Tensor<f64>) -> Memory<f64> {
        let zeros = || Tensor::zeros(param.raw_dim());
        Memory { v: zeros(), m: zeros(), b: zeros(), steps: 0 }
    }

    fn update(&self, param: &mut Tensor<f64>, grad: &Tensor<f64>, state: &mut Memory<f64>) {
        state.steps += 1;
        let (t, mean) = (state.steps as f64, grad.mean().unwrap_or(0.0));
        let memory = state.v.iter_mut().zip(state.m.iter_mut()).zip(state.b.iter_mut());
        let mut shared = self.shared.lock().expect("no update panics");
        for ((p, &g), ((v, m), b)) in param.iter_mut().zip(grad).zip(memory) {
            (self.element)(&self.hyper, At { p, g, v, m, b, t, shared: &mut shared, mean });
        }
    }
}

fn wrong<M: Paper>(name: &str, expected: &'static str, hyper: M, element: fn(&M, At)) -> Wrong {
    let port = move |hyper| Written { hyper, element, shared: Arc::default() };
    Wrong { name: format!("{}: {name}", M::NAME), expected, grade: Box::new(move || grade_port(port, hyper)) }
}

/// All of them.
pub fn catalogue() -> Vec<Wrong> {
    [rmsprop::all(), plain::all(), moments::all()].into_iter().flatten().collect()
}

/// Rules that are right, and nothing is expected to be said of.
pub fn right() -> Vec<Wrong> {
    right::all()
}

fn lambda(decay: WeightDecay) -> f64 {
    match decay {
        WeightDecay::L2(lambda) | WeightDecay::Decoupled(lambda) => lambda,
        _ => 0.0,
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
