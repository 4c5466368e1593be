//! burn's `RmsProp`, driven tensor by tensor through its `Optimizer` trait.

use std::collections::BTreeMap;

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{Optimizer, RmsProp, RmsPropConfig, RmsPropState};
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde_json::{Map, Value, json};

use crate::format::{Params, Problem, Spec};

pub const NOTE: &str = "burn-flex, tensors in f64; alpha, momentum, epsilon and the penalty are f32 inside burn, \
                        so the options state the f32 values widened to f64. The rate is an f64 argument of step.";

/// burn's options, as burn stores them.
struct Options {
    alpha: f32,
    momentum: f32,
    epsilon: f32,
    centered: bool,
    penalty: Option<f32>,
}

const PLAIN: Options = Options { alpha: 0.99, momentum: 0.0, epsilon: 1e-5, centered: false, penalty: None };

/// Records every case.
pub fn cases(problems: &BTreeMap<String, Problem>) -> Vec<Value> {
    let default = Options { momentum: 0.9, ..PLAIN };
    let mut cases = vec![record(problems, "stream", &default, None)];
    for problem in ["stream", "missing", "steep_flat", "quadratic"] {
        cases.push(record(problems, problem, &PLAIN, None));
    }
    for momentum in [0.0, 0.9] {
        for centered in [false, true] {
            for penalty in [None, Some(0.1)] {
                let options = Options { alpha: 0.9, momentum, epsilon: 1e-3, centered, penalty };
                cases.push(record(problems, "stream", &options, None));
            }
        }
        let options = Options { alpha: 0.9, momentum, epsilon: 1e-8, centered: true, penalty: Some(0.1) };
        cases.push(record(problems, "missing", &options, None));
    }
    cases.push(record(problems, "stream", &default, Some((6, 0.005))));
    cases
}

fn record(
    problems: &BTreeMap<String, Problem>,
    name: &'static str,
    options: &Options,
    lr_change: Option<(usize, f64)>,
) -> Value {
    let spec = Spec { problem: name, options: stated(options), lr_change };
    let problem = &problems[name];
    let rule = config(options).build();
    let device = Device::flex();
    let mut a = Leaf::<2>::new(&problem.params.a.data, [2, 3], &device);
    let mut b = Leaf::<1>::new(&problem.params.b.data, [2], &device);
    let mut after = Vec::new();
    for t in 0..problem.len() {
        let grads = problem.gradient(t, &Params { a: a.values(), b: b.values() });
        a.step(&rule, spec.rate(t), grads.a);
        b.step(&rule, spec.rate(t), grads.b);
        after.push(Params { a: a.values(), b: b.values() });
    }
    spec.case("burn", &after, Some(json!({"a": a.stated(), "b": b.stated()})))
}

fn config(options: &Options) -> RmsPropConfig {
    RmsPropConfig::new()
        .with_alpha(options.alpha)
        .with_momentum(options.momentum)
        .with_epsilon(options.epsilon)
        .with_centered(options.centered)
        .with_weight_decay(options.penalty.map(|penalty| WeightDecayConfig { penalty }))
}

fn stated(options: &Options) -> Map<String, Value> {
    let options = json!({
        "lr": 0.01,
        "alpha": f64::from(options.alpha),
        "momentum": f64::from(options.momentum),
        "epsilon": f64::from(options.epsilon),
        "centered": options.centered,
        "weight_decay": options.penalty.map(f64::from),
    });
    options.as_object().expect("an object literal").clone()
}

/// A parameter and the state burn keeps for it.
struct Leaf<const D: usize> {
    value: Tensor<D>,
    state: Option<RmsPropState<D>>,
    shape: [usize; D],
    device: Device,
}

impl<const D: usize> Leaf<D> {
    fn new(data: &[f64], shape: [usize; D], device: &Device) -> Self {
        Leaf { value: tensor(data, shape, device), state: None, shape, device: device.clone() }
    }

    fn step(&mut self, rule: &RmsProp, lr: f64, grad: Option<Vec<f64>>) {
        let Some(grad) = grad else { return };
        let grad = tensor(&grad, self.shape, &self.device);
        let (value, state) = rule.step(lr, self.value.clone(), grad, self.state.take());
        (self.value, self.state) = (value, state);
    }

    fn values(&self) -> Vec<f64> {
        values(&self.value)
    }

    fn stated(&self) -> Value {
        let state = self.state.as_ref().expect("every parameter got a gradient");
        let mut slots = json!({"square_avg": values(&state.square_avg.square_avg)});
        if let Some(grad_avg) = &state.centered.grad_avg {
            slots["grad_avg"] = json!(values(grad_avg));
        }
        slots
    }
}

fn tensor<const D: usize>(data: &[f64], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(data.to_vec(), shape), (device, DType::F64))
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    let data = tensor.clone().into_data();
    assert_eq!(data.dtype(), DType::F64, "burn changed the element type");
    data.try_to_vec::<f64>().expect("f64 data")
}
