//! The values and gradients of every op against PyTorch's, to 1e-9 relative in f64.

mod golden;

use std::collections::BTreeMap;

use golden::{assert_close, integers, number, tensor};
use serde_json::Value;
use wengert_autodiff::ndarray::ArrayD;
use wengert_autodiff::{Tape, Tensor, Var};

/// Below this, a difference is the rounding of numbers that cancel.
const ABSOLUTE: f64 = 1e-15;

#[test]
fn every_op_agrees_with_pytorch() {
    let file = golden::read("ops.json");
    let mut seen = BTreeMap::new();
    for case in file["cases"].as_array().expect("a list of cases") {
        *seen.entry(case["op"].as_str().expect("an op")).or_insert(0) += 1;
        check(case);
    }
    assert_eq!(seen.len(), 49, "an op is missing, or new: {seen:?}");
    assert!(seen.values().all(|&count| count >= 4), "few cases: {seen:?}");
}

fn check(case: &Value) {
    let (op, args) = (case["op"].as_str().expect("an op"), &case["args"]);
    let tape = Tape::new();
    let inputs: Vec<_> =
        case["inputs"].as_array().expect("inputs").iter().map(|x| tape.variable(tensor(x))).collect();
    let shapes: Vec<_> = inputs.iter().map(|x| x.shape()).collect();
    let what = format!("{op} {args} of {shapes:?} {}", case["note"]);
    let mut operands = inputs.clone();
    if args["repeated"] == Value::Bool(true) {
        operands.push(*inputs.last().expect("an input to repeat"));
    }
    let y = run(op, args, &operands);
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

fn run<'t>(op: &str, args: &Value, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    let integer = |name: &str| args[name].as_u64().expect("an integer") as usize;
    let axis = |name: &str| args[name].as_i64().expect("an axis") as isize;
    let axes = || integers(&args["axes"]).into_iter().map(|axis| axis as isize).collect::<Vec<_>>();
    let keepdim = || args["keepdim"].as_bool().expect("true or false");
    match op {
        "neg" => -x[0],
        "powi" => x[0].powi(number(&args["n"]) as i32),
        "powf" => x[0].powf(number(&args["p"])),
        "sqrt" => x[0].sqrt(),
        "square" => x[0].square(),
        "recip" => x[0].recip(),
        "exp" => x[0].exp(),
        "ln" => x[0].ln(),
        "ln_1p" => x[0].ln_1p(),
        "exp_m1" => x[0].exp_m1(),
        "sin" => x[0].sin(),
        "cos" => x[0].cos(),
        "tanh" => x[0].tanh(),
        "sigmoid" => x[0].sigmoid(),
        "relu" => x[0].relu(),
        "leaky_relu" => x[0].leaky_relu(number(&args["slope"])),
        "elu" => x[0].elu(number(&args["alpha"])),
        "gelu" => x[0].gelu(),
        "gelu_tanh" => x[0].gelu_tanh(),
        "silu" => x[0].silu(),
        "softplus" => x[0].softplus(),
        "abs" => x[0].abs(),
        "sign" => x[0].sign(),
        "clamp" => x[0].clamp(number(&args["lo"]), number(&args["hi"])),
        "add" => x[0] + x[1],
        "sub" => x[0] - x[1],
        "mul" => x[0] * x[1],
        "div" => x[0] / x[1],
        "maximum" => x[0].maximum(x[1]),
        "minimum" => x[0].minimum(x[1]),
        "where" => Var::where_cond(x[0].value().mapv(|c| c != 0.0).view(), x[1], x[2]),
        "matmul" => x[0].matmul(x[1]),
        "sum" => x[0].sum_axes(&axes(), keepdim()),
        "mean" => x[0].mean_axes(&axes(), keepdim()),
        "var" => x[0].var_axes(&axes(), integer("ddof"), keepdim()),
        "max" => x[0].max_axes(&axes(), keepdim()),
        "min" => x[0].min_axes(&axes(), keepdim()),
        "softmax" => x[0].softmax(axis("axis")),
        "log_softmax" => x[0].log_softmax(axis("axis")),
        "logsumexp" => x[0].logsumexp_axes(&axes(), keepdim()),
        "reshape" => x[0].reshape(&integers(&args["shape"])),
        "broadcast_to" => x[0].broadcast_to(&integers(&args["shape"])),
        "permute" => x[0].permute(&axes()),
        "transpose" => x[0].transpose(axis("axis0"), axis("axis1")),
        "slice" => x[0].slice(axis("axis"), integer("start")..integer("stop")),
        "concat" => Var::concat(x, axis("axis")),
        "stack" => Var::stack(x, axis("axis")),
        "index_select" => x[0].index_select(axis("axis"), &integers(&args["indices"])),
        "gather" => x[0].gather(axis("axis"), index(&args["index"]).view()),
        unknown => panic!("the file has an op that this test does not know: {unknown}"),
    }
}

fn index(recorded: &Value) -> ArrayD<usize> {
    ArrayD::from_shape_vec(integers(&recorded["shape"]), integers(&recorded["data"]))
        .expect("as many numbers as the shape says")
}
