//! The values and gradients of every op against PyTorch's, to 1e-9 relative in f64.

#[path = "../golden/mod.rs"]
mod golden;

mod args;
mod ops;
mod windows;

use std::collections::BTreeMap;

use args::Args;
use golden::{assert_close, tensor};
use serde_json::Value;
use wengert_autodiff::{Tape, Tensor, Var};

/// Below this, a difference is the rounding of numbers that cancel.
const ABSOLUTE: f64 = 1e-15;

type Op = for<'t> fn(&[Var<'t, f64>], Args<'_>) -> Var<'t, f64>;

#[test]
fn every_op_agrees_with_pytorch() {
    check_all("ops", ops::OPS);
}

#[test]
fn every_window_agrees_with_pytorch() {
    check_all("windows", windows::OPS);
}

/// `name.py` recorded `name.json`; `ops` says how each op of the file is called here.
fn check_all(name: &str, ops: &[(&str, Op)]) {
    let file = golden::read(&format!("{name}.json"));
    let mut seen = BTreeMap::new();
    for case in file["cases"].as_array().expect("a list of cases") {
        let op = case["op"].as_str().expect("an op");
        let known = ops.iter().find(|&&(name, _)| name == op);
        let &(op, run) =
            known.unwrap_or_else(|| panic!("tests/golden/{name}.json has `{op}`: add it to OPS"));
        *seen.entry(op).or_insert(0) += 1;
        check(op, run, case);
    }
    let few = ops.iter().map(|&(op, _)| op).filter(|op| seen.get(op).is_none_or(|&count| count < 4));
    let few: Vec<_> = few.collect();
    assert!(few.is_empty(), "fewer than 4 cases in tests/golden/{name}.json: {few:?}");
}

fn check(op: &str, run: Op, case: &Value) {
    let args = &case["args"];
    let tape = Tape::new();
    let inputs: Vec<_> =
        case["inputs"].as_array().expect("inputs").iter().map(|x| tape.variable(tensor(x))).collect();
    let shapes: Vec<_> = inputs.iter().map(|x| x.shape()).collect();
    let what = format!("{op} {args} of {shapes:?} {}", case["note"]);
    let mut operands = inputs.clone();
    if args["repeated"] == Value::Bool(true) {
        operands.push(*inputs.last().expect("an input to repeat"));
    }
    let y = run(&operands, Args(args));
    assert_close(&what, &y.value(), &tensor(&case["output"]), ABSOLUTE);
    let grads = (y * tape.constant(tensor(&case["upstream"]))).sum().backward();
    let recorded = case["grads"].as_array().expect("gradients");
    assert_eq!(recorded.len(), inputs.len(), "{what}: one gradient per input");
    for (i, (&x, recorded)) in inputs.iter().zip(recorded).enumerate() {
        if !recorded.is_null() {
            let found: &Tensor<f64> =
                grads.wrt(x).unwrap_or_else(|| panic!("{what}: no gradient of input {i}"));
            assert_close(&format!("{what}, gradient of input {i}"), found, &tensor(recorded), ABSOLUTE);
        }
    }
}
