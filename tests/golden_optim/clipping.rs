//! Clipping against the recordings.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use wengert_autodiff::{Gradients, Param, Tensor};
use wengert_optim::clip;

use crate::recording::{self, Named, Options};

#[derive(Deserialize)]
struct Clippings {
    cases: Vec<Clipping>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clipping {
    rule: String,
    framework: String,
    options: Map<String, Value>,
    input_name: String,
    input: Named<Option<Vec<f64>>>,
    output: Named<Option<Vec<f64>>>,
    norm: Option<Value>,
}

type Clip = fn(&mut Gradients<f64>, f64) -> f64;

#[test]
fn every_clipping_is_the_recorded_one() {
    let (mut replayed, mut not_offered) = (BTreeMap::new(), 0);
    for file in recording::files().iter().filter(|file| file.starts_with("clipping")) {
        for case in recording::read::<Clippings>(file).cases {
            if check(&case) {
                *replayed.entry(case.framework).or_insert(0) += 1;
            } else {
                not_offered += 1;
            }
        }
    }
    assert_eq!(replayed.keys().collect::<Vec<_>>(), ["burn", "keras", "optax", "torch"]);
    assert!(replayed.values().all(|&count| count >= 20), "few cases: {replayed:?}");
    // PyTorch's 1- and ∞-norm: five inputs and two limits of each.
    assert_eq!(not_offered, 20);
}

/// Returns whether the case is one that we offer.
fn check(case: &Clipping) -> bool {
    let mut o = Options::new(&case.options);
    let mut one_at_a_time = false;
    let (clip, limit): (Clip, f64) = match case.rule.as_str() {
        "clip_grad_value_" => (clip::value, o.number("clip_value")),
        "clip" => (clip::value, o.number("max_delta")),
        "clipvalue" => (clip::value, o.number("clipvalue")),
        "Value" => (clip::value, o.number("threshold")),
        "clip_grad_norm_" if o.take("norm_type") != 2.0 => return false,
        "clip_grad_norm_" => (clip::global_norm, o.number("max_norm")),
        "clip_by_global_norm" => (clip::global_norm, o.number("max_norm")),
        "global_clipnorm" => (clip::global_norm, o.number("global_clipnorm")),
        "clip_grad_norm_ per tensor" => {
            assert_eq!(o.take("norm_type"), 2.0);
            (clip::tensor_norm, o.number("max_norm"))
        }
        "clipnorm" => (clip::tensor_norm, o.number("clipnorm")),
        "Norm" => (clip::tensor_norm, o.number("threshold")),
        "clip_by_block_rms" => {
            one_at_a_time = true;
            (clip::tensor_norm, o.number("threshold"))
        }
        other => panic!("no clipping `{other}`"),
    };
    o.finish();
    let tensors = [("a", &case.input.a, &case.output.a), ("b", &case.input.b, &case.output.b)];
    if one_at_a_time {
        // The root mean square of n elements is their norm over √n.
        for tensor in tensors {
            let elements = tensor.1.as_ref().map_or(0, Vec::len) as f64;
            compare(case, clip, limit * elements.sqrt(), &[tensor]);
        }
    } else {
        compare(case, clip, limit, &tensors);
    }
    true
}

type Tensors<'c> = (&'c str, &'c Option<Vec<f64>>, &'c Option<Vec<f64>>);

fn compare(case: &Clipping, clip: Clip, limit: f64, tensors: &[Tensors<'_>]) {
    let what = format!("{} {} {:?} on {}", case.framework, case.rule, case.options, case.input_name);
    let params: Vec<_> =
        tensors.iter().map(|(_, input, _)| input.as_ref().map(|input| Param::new(tensor(input)))).collect();
    let mut grads = Gradients::default();
    for param in params.iter().flatten() {
        grads.set(param, param.value().clone());
    }
    let norm = clip(&mut grads, limit);
    if let Some(recorded) = &case.norm {
        let recorded = recorded_norm(recorded);
        assert!((norm - recorded).abs() <= 1e-12 * recorded, "{what}: norm {norm:e}, recorded {recorded:e}");
    }
    for ((name, _, output), param) in tensors.iter().zip(&params) {
        let (Some(output), Some(param)) = (output, param) else {
            assert!(output.is_none() && param.is_none(), "{what}: a gradient from nothing");
            continue;
        };
        let ours = grads.get(param).expect("still there");
        let correction = correction(case, name, limit);
        for (&ours, &recorded) in ours.iter().zip(output) {
            let off = (ours - recorded * correction).abs();
            assert!(off <= 1e-12 * recorded.abs(), "{what}: {ours:e}, recorded {recorded:e}");
        }
    }
}

/// What PyTorch would have given had it divided by the norm, as others do, and not by the norm plus 1e-6.
fn correction(case: &Clipping, name: &str, limit: f64) -> f64 {
    let Some(norm) = case.norm.as_ref().filter(|_| case.framework == "torch") else { return 1.0 };
    let norm = norm.get(name).unwrap_or(norm).as_f64().expect("a norm");
    if norm > limit { (norm + 1e-6) / norm } else { 1.0 }
}

/// One norm, or one of each tensor, of which ours is the norm.
fn recorded_norm(recorded: &Value) -> f64 {
    let each = match recorded {
        Value::Object(each) => each.values().cloned().collect(),
        one => vec![one.clone()],
    };
    let squares = each.iter().map(|norm| norm.as_f64().expect("a norm").powi(2));
    squares.sum::<f64>().sqrt()
}

fn tensor(data: &[f64]) -> Tensor<f64> {
    ndarray::arr1(data).into_dyn().into_shared()
}
