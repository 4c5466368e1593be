//! The values and gradients of ops where numbers are extreme: ±0, ±∞, NaN, subnormal numbers, 1e±30, bounds and ties.
//! `tests/golden/edges.py` says where the recorded numbers come from.

#[expect(dead_code, reason = "the numbers are bits, not tensors")]
mod golden;

use std::collections::BTreeMap;

use golden::number;
use serde_json::Value;
use wengert_autodiff::{Tape, Var};

/// How far a finite result may be from the exact one: 6 units in the last place, or of the smallest subnormal number.
const RELATIVE: f64 = 6.0 / (1 << 23) as f64;

/// One op at one place: the bits are as recorded.
struct Case {
    op: String,
    inputs: Vec<f32>,
    upstream: Vec<f32>,
    found: Vec<f32>,
    recorded: Vec<f32>,
}

/// Where this crate differs from PyTorch by choice, why, and in how many cases.
struct Choice {
    reason: &'static str,
    /// None for all.
    ops: &'static [&'static str],
    applies: fn(&Case) -> bool,
    cases: usize,
}

const CHOICES: &[Choice] = &[
    Choice {
        reason: "PyTorch multiplies an infinite gradient by the sign 0, here 0 is selected",
        ops: &["abs", "mae"],
        applies: |case| case.upstream[0].is_infinite() && case.found.iter().all(|&x| x == 0.0),
        cases: 18,
    },
    Choice {
        reason: "a NaN is not hidden: PyTorch's sign of NaN is 0, and its elu and kin let the gradient through",
        ops: &["abs", "sign", "mae", "elu", "selu", "hardswish"],
        applies: |case| case.inputs.iter().any(|x| x.is_nan()) || case.found[0].is_nan(),
        cases: 204,
    },
    Choice {
        reason: "the gradient is 0 at the bounds, as that of relu at 0",
        ops: &["clamp"],
        applies: |case| [-1.0, 2.0].contains(&case.inputs[0]),
        cases: 10,
    },
    Choice {
        reason: "the gradient of a NaN goes to the NaN, in PyTorch to all elements",
        ops: &["max", "min"],
        applies: |case| case.inputs.iter().any(|x| x.is_nan()),
        cases: 24,
    },
    Choice {
        reason: "C's pow; PyTorch takes a square root, which differs at -0 and -∞",
        ops: &["powf"],
        applies: |case| case.inputs[0] == 0.0 || case.inputs[0] == f32::NEG_INFINITY,
        cases: 16,
    },
    Choice {
        reason: "below -15 the slope, less than 1e-49, is 0",
        ops: &["gelu"],
        applies: |case| (f32::MIN..-15.0).contains(&case.inputs[0]) && case.found[1] == 0.0,
        cases: 1,
    },
    Choice {
        reason: "outside of its domain acosh has no slope; PyTorch's formula gives numbers below -1",
        ops: &["acosh"],
        applies: |case| case.inputs[0] <= -1.0 && case.found.iter().all(|x| x.is_nan()),
        cases: 73,
    },
    Choice {
        reason: "outside of the logarithm's domain, where PyTorch's own order of operations rounds",
        ops: &["log2", "log10"],
        applies: |case| case.inputs[0] < 0.0 && case.found[0].is_nan(),
        cases: 7,
    },
    Choice {
        reason: "the base is negative, where PyTorch leaves the range on the way to its gradient",
        ops: &["pow"],
        applies: |case| {
            let [a, b, dy] = [case.inputs[0], case.inputs[1], case.upstream[0]].map(f64::from);
            let slope = (b * a.abs().powf(b - 1.0) * dy).abs();
            a < 0.0
                && same(case.found[0], case.recorded[0])
                && same(case.found[1].abs(), slope as f32)
                && case.found[2].is_nan()
        },
        cases: 12,
    },
    Choice {
        reason: "left of the origin the slope is 1/x, where PyTorch's squares leave the range",
        ops: &["atan2"],
        applies: |case| {
            case.inputs[0] == 0.0
                && case.inputs[1] < 0.0
                && same(case.found[0], case.recorded[0])
                && same(case.found[1], case.upstream[0] / case.inputs[1])
                && (case.found[2] == 0.0 || case.upstream[0].is_infinite())
        },
        cases: 18,
    },
    Choice {
        reason: "the limit, where PyTorch's formula has 0 times infinity",
        ops: &[],
        applies: |case| {
            let pairs = case.found.iter().zip(&case.recorded);
            case.inputs.iter().all(|x| !x.is_nan()) && pairs.clone().all(|(&a, &b)| same(a, b) || b.is_nan())
        },
        cases: 599,
    },
];

fn float(bits: &Value) -> f32 {
    bits.as_u64().map_or(f32::NAN, |bits| f32::from_bits(bits as u32))
}

fn floats(list: &Value) -> Vec<f32> {
    list.as_array().expect("a list").iter().map(float).collect()
}

fn same(found: f32, recorded: f32) -> bool {
    if !found.is_finite() || !recorded.is_finite() {
        // The largest finite number and ∞ are neighbours.
        let near_the_end = |x: f32, y: f32| x.abs() > 0.999_999 * f32::MAX && x.signum() == y.signum();
        return found == recorded
            || found.is_nan() && recorded.is_nan()
            || near_the_end(found, recorded) && near_the_end(recorded, found);
    }
    let (found, recorded) = (f64::from(found), f64::from(recorded));
    (found - recorded).abs() <= (RELATIVE * recorded.abs()).max(6.0 * f64::from(f32::from_bits(1)))
}

fn unary<'t>(op: &str, args: &Value, x: Var<'t>) -> Var<'t> {
    match op {
        "neg" => -x,
        "square" => x.square(),
        "sqrt" => x.sqrt(),
        "recip" => x.recip(),
        "exp" => x.exp(),
        "exp_m1" => x.exp_m1(),
        "ln" => x.ln(),
        "ln_1p" => x.ln_1p(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "abs" => x.abs(),
        "sign" => x.sign(),
        "relu" => x.relu(),
        "leaky_relu" => x.leaky_relu(number(&args["slope"])),
        "elu" => x.elu(number(&args["alpha"])),
        "tanh" => x.tanh(),
        "sigmoid" => x.sigmoid(),
        "silu" => x.silu(),
        "softplus" => x.softplus(),
        "selu" => x.selu(),
        "mish" => x.mish(),
        "hardsigmoid" => x.hardsigmoid(),
        "hardswish" => x.hardswish(),
        "softsign" => x.softsign(),
        "gelu" => x.gelu(),
        "gelu_tanh" => x.gelu_tanh(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round" => x.round(),
        "trunc" => x.trunc(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "asinh" => x.asinh(),
        "acosh" => x.acosh(),
        "atanh" => x.atanh(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "rsqrt" => x.rsqrt(),
        "erf" => x.erf(),
        "clamp" => x.clamp(number(&args["lo"]), number(&args["hi"])),
        "div_scalar" => x / number(&args["c"]) as f32,
        "powi" => x.powi(number(&args["n"]) as i32),
        "powf" => x.powf(number(&args["p"])),
        _ => panic!("`{op}` is missing in this test"),
    }
}

fn binary<'t>(op: &str, a: Var<'t>, b: Var<'t>) -> Var<'t> {
    match op {
        "add" => a + b,
        "sub" => a - b,
        "mul" => a * b,
        "div" => a / b,
        "maximum" => a.maximum(b),
        "minimum" => a.minimum(b),
        "pow" => a.pow(b),
        "remainder" => a.remainder(b),
        "atan2" => a.atan2(b),
        "mse" => a.mse_each(b),
        "mae" => a.mae_each(b),
        "huber" => a.huber_each(b, 1.0),
        "bce_with_logits" => a.bce_with_logits_each(b),
        "kl_div" => a.kl_div_each(b),
        _ => panic!("`{op}` is missing in this test"),
    }
}

fn row<'t>(op: &str, x: Var<'t>) -> Var<'t> {
    match op {
        "softmax" => x.softmax(0),
        "log_softmax" => x.log_softmax(0),
        "logsumexp" => x.logsumexp(),
        "cross_entropy" => x.reshape(&[1, 3]).cross_entropy(&[0]),
        "max" => x.max(),
        "min" => x.min(),
        "sum" => x.sum(),
        "mean" => x.mean(),
        "var" => x.var(0),
        _ => panic!("`{op}` is missing in this test"),
    }
}

/// The value and all gradients, one after the other.
fn run(kind: &str, op: &str, args: &Value, inputs: &[f32], upstream: &[f32]) -> Vec<f32> {
    let tape = Tape::new();
    let variables: Vec<_> = match kind {
        "rows" => vec![tape.variable(inputs.to_vec())],
        _ => inputs.iter().map(|&x| tape.variable(x)).collect(),
    };
    let y = match (kind, &*variables) {
        ("unary", &[x]) => unary(op, args, x),
        ("binary", &[a, b]) => binary(op, a, b),
        ("rows", &[x]) => row(op, x),
        _ => panic!("{kind} of {} inputs", variables.len()),
    };
    let value = y.value();
    let dy = if y.shape().is_empty() { tape.constant(upstream[0]) } else { tape.constant(upstream.to_vec()) };
    let grads = (y * dy).sum().backward();
    let grads =
        variables.iter().flat_map(|&x| grads.wrt(x).expect("a gradient").iter().copied().collect::<Vec<_>>());
    value.iter().copied().chain(grads).collect()
}

#[test]
fn extreme_numbers_are_right() {
    let file = golden::read("edges.json");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for kind in ["unary", "binary", "rows"] {
        for op in file[kind].as_array().expect("a list of ops") {
            let (name, args) = (op["op"].as_str().expect("a name"), &op["args"]);
            for case in op["cases"].as_array().expect("a list of cases") {
                let [inputs, upstream] = [&case[0], &case[1]];
                let upstream = if kind == "rows" { floats(upstream) } else { vec![float(upstream)] };
                let inputs = floats(inputs);
                let recorded = if kind == "rows" { floats(&case[2]) } else { vec![float(&case[2])] };
                let recorded = [recorded, floats(&case[3])].concat();
                let found = run(kind, name, args, &inputs, &upstream);
                let case = Case { op: format!("{name} {args}"), inputs, upstream, found, recorded };
                let equal = case.found.len() == case.recorded.len()
                    && case.found.iter().zip(&case.recorded).all(|(&a, &b)| same(a, b));
                let choice = CHOICES
                    .iter()
                    .find(|c| (c.ops.is_empty() || c.ops.contains(&name)) && (c.applies)(&case));
                let outcome = match (equal, choice) {
                    (true, _) => "equal",
                    (false, Some(choice)) => choice.reason,
                    (false, None) => {
                        wrong.push(case);
                        continue;
                    }
                };
                *counts.entry(outcome).or_insert(0) += 1;
            }
        }
    }
    for case in &wrong {
        let Case { op, inputs, upstream, found, recorded } = case;
        println!("{op} at {inputs:?} with dy = {upstream:?}: {found:?}, recorded {recorded:?}");
    }
    println!("{counts:#?}");
    assert!(wrong.is_empty(), "{} differ without a reason", wrong.len());
    for choice in CHOICES {
        assert_eq!(counts.get(choice.reason), Some(&choice.cases), "{}", choice.reason);
    }
}
