//! burn's gradient clipping, which acts on one tensor at a time.

use std::collections::BTreeMap;

use burn::grad_clipping::{GradientClipping, GradientClippingConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::format::Params;

pub const NOTE: &str =
    "burn-flex, tensors in f64; thresholds are f32 inside burn and stated as such, widened.";

/// The part of a clipping recording that is read back.
#[derive(Deserialize)]
pub struct Inputs {
    cases: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    input_name: String,
    input: Params<Option<Vec<f64>>>,
}

/// Records every case for the inputs found in another clipping recording.
pub fn cases(inputs: Inputs) -> Vec<Value> {
    let inputs: BTreeMap<String, Params<Option<Vec<f64>>>> =
        inputs.cases.into_iter().map(|case| (case.input_name, case.input)).collect();
    let mut cases = Vec::new();
    for (name, input) in &inputs {
        for limit in [0.7, 14.0] {
            let rules = [
                ("Value", GradientClippingConfig::Value(limit)),
                ("Norm", GradientClippingConfig::Norm(limit)),
            ];
            for (rule, config) in rules {
                let clip = |g: &Option<Vec<f64>>| g.as_ref().map(|g| clip(&config.init(), g));
                cases.push(json!({
                    "rule": rule, "framework": "burn", "options": {"threshold": f64::from(limit)},
                    "input_name": name, "input": input,
                    "output": Params { a: clip(&input.a), b: clip(&input.b) },
                }));
            }
        }
    }
    cases
}

fn clip(rule: &GradientClipping, grad: &[f64]) -> Vec<f64> {
    let data = TensorData::new(grad.to_vec(), [grad.len()]);
    let grad = Tensor::<1>::from_data(data, (&Device::flex(), DType::F64));
    rule.clip_gradient(grad).into_data().try_to_vec::<f64>().expect("f64 data")
}
