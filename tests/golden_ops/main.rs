//! The values and gradients of every op against PyTorch's, to 1e-9 relative in f64; and on dual numbers its
//! Hessian-vector products.

#[path = "../golden/mod.rs"]
mod golden;

mod args;
mod losses;
mod ops;
mod windows;

use std::collections::BTreeMap;

use args::Args;
use golden::{assert_close, is_close, tensor};
use serde_json::Value;
use wengert_autodiff::derivatives::Dual;
use wengert_autodiff::{Real, Tape, Tensor, Var};

/// Below this, a difference is the rounding of numbers that cancel.
const ABSOLUTE: f64 = 1e-15;

/// Second derivatives that are not PyTorch's: op, note of the case, number of elements, reason.
const OTHERWISE: [(&str, &str, usize, &str); 7] = [
    ("elu", "extreme values", 1, "the slope jumps at 0: the side below here, above there"),
    ("selu", "extreme values", 1, "the same"),
    ("softsign", "extreme values", 1, "the slope's kink at 0: the side above here, neither there"),
    ("huber", "a difference of exactly delta", 24, "the slope's kink: the parabola here, the line there"),
    ("mish", "extreme values", 4, "NaN there from 710 on, where it is 0"),
    ("norm", "zeros and ties", 7, "NaN there; 0 here, and ∞ for p = 1.5 beside other elements"),
    ("pow", "zeros and negative bases", 7, "NaN at a base of 0 there; and no mixed term at an exponent of 0"),
];

type Op<F> = for<'t> fn(&[Var<'t, F>], Args<'_>) -> Var<'t, F>;

/// How each op is called here, on one kind of numbers.
type Ops<F> = Vec<(&'static str, Op<F>)>;

#[test]
fn every_op_agrees_with_pytorch() {
    check_all("ops", &ops::ops(), &ops::ops());
}

#[test]
fn every_loss_agrees_with_pytorch() {
    check_all("losses", &losses::ops(), &losses::ops());
}

#[test]
fn every_window_agrees_with_pytorch() {
    check_all("windows", &windows::ops(), &windows::ops());
}

/// `name.py` recorded `name.json`; `ops` says how each op of the file is called here.
fn check_all(name: &str, ops: &Ops<f64>, on_duals: &Ops<Dual<f64>>) {
    let file = golden::read(&format!("{name}.json"));
    let (mut seen, mut otherwise) = (BTreeMap::new(), BTreeMap::new());
    for case in file["cases"].as_array().expect("a list of cases") {
        let op = case["op"].as_str().expect("an op");
        let known = ops.iter().zip(on_duals).find(|&(&(name, _), _)| name == op);
        let (&(op, run), &(_, on_duals)) =
            known.unwrap_or_else(|| panic!("tests/golden/{name}.json has `{op}`: add it to the list of ops"));
        *seen.entry(op).or_insert(0) += 1;
        check(op, run, case);
        let note = case["note"].as_str().expect("a note");
        let differences = differences(op, on_duals, case);
        if differences > 0 {
            let by_choice = OTHERWISE.iter().any(|&(known, at, ..)| (known, at) == (op, note));
            assert!(by_choice, "{}: {differences} second derivatives differ", describe(op, case));
            *otherwise.entry((op, note)).or_insert(0) += differences;
        }
    }
    let few = ops.iter().map(|&(op, _)| op).filter(|op| seen.get(op).is_none_or(|&count| count < 4));
    let few: Vec<_> = few.collect();
    assert!(few.is_empty(), "fewer than 4 cases in tests/golden/{name}.json: {few:?}");
    for (op, note, count, reason) in OTHERWISE.into_iter().filter(|&(op, ..)| seen.contains_key(op)) {
        assert_eq!(otherwise.get(&(op, note)), Some(&count), "{op}, {note}: {reason}");
    }
}

fn check(op: &str, run: Op<f64>, case: &Value) {
    let tape = Tape::new();
    let inputs: Vec<_> = recorded(case, "inputs").iter().map(|x| tape.variable(tensor(x))).collect();
    let what = describe(op, case);
    let y = run(&operands(&inputs, case), Args(&case["args"]));
    assert_close(&what, &y.value(), &tensor(&case["output"]), ABSOLUTE);
    let grads = (y * tape.constant(tensor(&case["upstream"]))).sum().backward();
    let recorded = recorded(case, "grads");
    assert_eq!(recorded.len(), inputs.len(), "{what}: one gradient per input");
    for (i, (&x, recorded)) in inputs.iter().zip(recorded).enumerate() {
        if !recorded.is_null() {
            let found: &Tensor<f64> =
                grads.wrt(x).unwrap_or_else(|| panic!("{what}: no gradient of input {i}"));
            assert_close(&format!("{what}, gradient of input {i}"), found, &tensor(recorded), ABSOLUTE);
        }
    }
}

/// How the gradients change as the inputs that have one go in the recording's directions.
/// Gives the number of elements that differ.
fn differences(op: &str, run: Op<Dual<f64>>, case: &Value) -> usize {
    let mut otherwise = 0;
    let tape = Tape::new();
    let recorded_products = recorded(case, "products");
    let inputs: Vec<_> = recorded(case, "inputs")
        .iter()
        .zip(recorded_products)
        .enumerate()
        .map(|(i, (x, product))| tape.variable(moving(tensor(x), i, !product.is_null())))
        .collect();
    let y = run(&operands(&inputs, case), Args(&case["args"]));
    let grads = (y * tape.constant(tensor(&case["upstream"]).mapv(Dual::from))).sum().backward();
    for (&x, recorded) in inputs.iter().zip(recorded_products) {
        if !recorded.is_null() {
            let found = grads.wrt(x).expect("a gradient").mapv(|g| g.tangent).into_shared();
            let recorded = tensor(recorded);
            assert_eq!(found.shape(), recorded.shape(), "{op} {case}");
            otherwise += found.iter().zip(&recorded).filter(|&(&f, &r)| !is_close(f, r, ABSOLUTE)).count();
        }
    }
    otherwise
}

/// Element j of input i goes by cos(0.8 j + 0.5 i).
fn moving(x: Tensor<f64>, i: usize, moves: bool) -> Tensor<Dual<f64>> {
    let tangent = |j: usize| if moves { (0.8 * j as f64 + 0.5 * i as f64).cos() } else { 0.0 };
    let numbers = x.iter().enumerate().map(|(j, &value)| Dual { value, tangent: tangent(j) }).collect();
    Tensor::from_shape_vec(x.raw_dim(), numbers).expect("as many as before")
}

fn operands<'t, F: Real>(inputs: &[Var<'t, F>], case: &Value) -> Vec<Var<'t, F>> {
    let repeated = case["args"]["repeated"] == Value::Bool(true);
    inputs.iter().chain(inputs.last().filter(|_| repeated)).copied().collect()
}

fn recorded<'a>(case: &'a Value, what: &str) -> &'a [Value] {
    case[what].as_array().unwrap_or_else(|| panic!("a list of {what}"))
}

fn describe(op: &str, case: &Value) -> String {
    let shapes: Vec<_> = recorded(case, "inputs").iter().map(|x| x["shape"].to_string()).collect();
    format!("{op} {} of {} {}", case["args"], shapes.join(", "), case["note"])
}
