//! dfdx's `RMSprop`, driven with gradients written straight into its `Gradients`.

use std::collections::BTreeMap;

use dfdx::optim::{Optimizer, OptimizerUpdateError, RMSprop, RMSpropConfig, WeightDecay};
use dfdx::prelude::{Cpu, Gradients, Rank1, Rank2, Shape, Tensor, TensorFromVec};
use serde_json::{Map, Value, json};

use crate::format::{Params, Problem, Spec};

pub const NOTE: &str = "Cpu device, f64. weight_decay is null, {\"l2\": w} or {\"decoupled\": w}. State is private in \
                        dfdx. In the problem `missing` parameter b's first gradient comes after the optimizer's first \
                        step, so its square average starts at 0 and not at 1.";

type Model = (Tensor<Rank2<2, 3>, f64, Cpu>, Tensor<Rank1<2>, f64, Cpu>);

/// Records every case.
pub fn cases(problems: &BTreeMap<String, Problem>) -> Vec<Value> {
    let default = RMSpropConfig::default();
    let mut cases = Vec::new();
    for problem in ["stream", "missing", "steep_flat", "quadratic"] {
        cases.push(record(problems, problem, default, None));
    }
    for momentum in [None, Some(0.9)] {
        for centered in [false, true] {
            for weight_decay in [None, Some(WeightDecay::L2(0.1)), Some(WeightDecay::Decoupled(0.1))] {
                let config =
                    RMSpropConfig { alpha: 0.95, eps: 1e-3, momentum, centered, weight_decay, ..default };
                cases.push(record(problems, "stream", config, None));
            }
        }
        let config = RMSpropConfig { momentum, centered: true, ..default };
        cases.push(record(problems, "missing", config, None));
    }
    let config = RMSpropConfig { momentum: Some(0.9), ..default };
    cases.push(record(problems, "stream", config, Some((6, 0.005))));
    cases
}

fn record(
    problems: &BTreeMap<String, Problem>,
    name: &'static str,
    config: RMSpropConfig,
    lr_change: Option<(usize, f64)>,
) -> Value {
    let spec = Spec { problem: name, options: stated(&config), lr_change };
    let problem = &problems[name];
    let device = Cpu::default();
    let mut model: Model = (
        device.tensor_from_vec(problem.params.a.data.clone(), Rank2::default()),
        device.tensor_from_vec(problem.params.b.data.clone(), Rank1::default()),
    );
    let mut optimizer = RMSprop::new(&model, config);
    let mut after = Vec::new();
    for t in 0..problem.len() {
        let grads = problem.gradient(t, &values(&model));
        let mut gradients = Gradients::leaky();
        fill(&mut gradients, &model.0, grads.a);
        fill(&mut gradients, &model.1, grads.b);
        optimizer.cfg.lr = spec.rate(t);
        // dfdx updates what it can and then reports the parameters without a gradient.
        match optimizer.update(&mut model, &gradients) {
            Ok(()) | Err(OptimizerUpdateError::UnusedParams(_)) => after.push(values(&model)),
            Err(error) => panic!("{error:?}"),
        }
    }
    spec.case("dfdx", &after, None)
}

fn fill<S: Shape>(gradients: &mut Gradients<f64, Cpu>, param: &Tensor<S, f64, Cpu>, grad: Option<Vec<f64>>) {
    if let Some(grad) = grad {
        gradients.get_or_alloc_mut(param).expect("memory").copy_from_slice(&grad);
    }
}

fn values(model: &Model) -> Params<Vec<f64>> {
    Params { a: model.0.as_vec(), b: model.1.as_vec() }
}

fn stated(config: &RMSpropConfig) -> Map<String, Value> {
    let weight_decay = match config.weight_decay {
        None => Value::Null,
        Some(WeightDecay::L2(w)) => json!({"l2": w}),
        Some(WeightDecay::Decoupled(w)) => json!({"decoupled": w}),
    };
    let options = json!({
        "lr": config.lr, "alpha": config.alpha, "eps": config.eps, "momentum": config.momentum,
        "centered": config.centered, "weight_decay": weight_decay,
    });
    options.as_object().expect("an object literal").clone()
}
