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
        let op = case["op"].as_str().expect("an op");
        let known = OPS.iter().find(|&&(name, _)| name == op);
        let &(op, run) = known.unwrap_or_else(|| panic!("tests/golden/ops.json has `{op}`: add it to OPS"));
        *seen.entry(op).or_insert(0) += 1;
        check(op, run, case);
    }
    let few = OPS.iter().map(|&(op, _)| op).filter(|op| seen.get(op).is_none_or(|&count| count < 4));
    let few: Vec<_> = few.collect();
    assert!(few.is_empty(), "fewer than 4 cases in tests/golden/ops.json, which ops.py records: {few:?}");
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

type Op = for<'t> fn(&[Var<'t, f64>], Args<'_>) -> Var<'t, f64>;

/// The ops that PyTorch has, by their names in the file, and how each is called here.
#[rustfmt::skip]
const OPS: &[(&str, Op)] = &[
    ("neg", |x, _| -x[0]),
    ("powi", |x, a| x[0].powi(a.number("n") as i32)),
    ("powf", |x, a| x[0].powf(a.number("p"))),
    ("sqrt", |x, _| x[0].sqrt()),
    ("square", |x, _| x[0].square()),
    ("recip", |x, _| x[0].recip()),
    ("exp", |x, _| x[0].exp()),
    ("ln", |x, _| x[0].ln()),
    ("ln_1p", |x, _| x[0].ln_1p()),
    ("exp_m1", |x, _| x[0].exp_m1()),
    ("sin", |x, _| x[0].sin()),
    ("cos", |x, _| x[0].cos()),
    ("tanh", |x, _| x[0].tanh()),
    ("sigmoid", |x, _| x[0].sigmoid()),
    ("relu", |x, _| x[0].relu()),
    ("leaky_relu", |x, a| x[0].leaky_relu(a.number("slope"))),
    ("elu", |x, a| x[0].elu(a.number("alpha"))),
    ("gelu", |x, _| x[0].gelu()),
    ("gelu_tanh", |x, _| x[0].gelu_tanh()),
    ("silu", |x, _| x[0].silu()),
    ("softplus", |x, _| x[0].softplus()),
    ("abs", |x, _| x[0].abs()),
    ("sign", |x, _| x[0].sign()),
    ("clamp", |x, a| x[0].clamp(a.number("lo"), a.number("hi"))),
    ("add", |x, _| x[0] + x[1]),
    ("sub", |x, _| x[0] - x[1]),
    ("mul", |x, _| x[0] * x[1]),
    ("div", |x, _| x[0] / x[1]),
    ("maximum", |x, _| x[0].maximum(x[1])),
    ("minimum", |x, _| x[0].minimum(x[1])),
    ("where", |x, _| Var::where_cond(x[0].value().mapv(|c| c != 0.0).view(), x[1], x[2])),
    ("matmul", |x, _| x[0].matmul(x[1])),
    ("sum", |x, a| x[0].sum_axes(&a.axes(), a.keepdim())),
    ("mean", |x, a| x[0].mean_axes(&a.axes(), a.keepdim())),
    ("var", |x, a| x[0].var_axes(&a.axes(), a.integer("ddof"), a.keepdim())),
    ("max", |x, a| x[0].max_axes(&a.axes(), a.keepdim())),
    ("min", |x, a| x[0].min_axes(&a.axes(), a.keepdim())),
    ("softmax", |x, a| x[0].softmax(a.axis("axis"))),
    ("log_softmax", |x, a| x[0].log_softmax(a.axis("axis"))),
    ("logsumexp", |x, a| x[0].logsumexp_axes(&a.axes(), a.keepdim())),
    ("reshape", |x, a| x[0].reshape(&a.list("shape"))),
    ("broadcast_to", |x, a| x[0].broadcast_to(&a.list("shape"))),
    ("permute", |x, a| x[0].permute(&a.axes())),
    ("transpose", |x, a| x[0].transpose(a.axis("axis0"), a.axis("axis1"))),
    ("slice", |x, a| x[0].slice(a.axis("axis"), a.integer("start")..a.integer("stop"))),
    ("concat", |x, a| Var::concat(x, a.axis("axis"))),
    ("stack", |x, a| Var::stack(x, a.axis("axis"))),
    ("index_select", |x, a| x[0].index_select(a.axis("axis"), &a.list("indices"))),
    ("gather", |x, a| x[0].gather(a.axis("axis"), a.index().view())),
];

/// What a case says beside its tensors.
#[derive(Clone, Copy)]
struct Args<'a>(&'a Value);

impl Args<'_> {
    fn number(self, name: &str) -> f64 {
        number(&self.0[name])
    }

    fn integer(self, name: &str) -> usize {
        self.0[name].as_u64().expect("an integer") as usize
    }

    fn axis(self, name: &str) -> isize {
        self.0[name].as_i64().expect("an axis") as isize
    }

    fn list(self, name: &str) -> Vec<usize> {
        integers(&self.0[name])
    }

    fn axes(self) -> Vec<isize> {
        self.list("axes").into_iter().map(|axis| axis as isize).collect()
    }

    fn keepdim(self) -> bool {
        self.0["keepdim"].as_bool().expect("true or false")
    }

    fn index(self) -> ArrayD<usize> {
        let recorded = &self.0["index"];
        ArrayD::from_shape_vec(integers(&recorded["shape"]), integers(&recorded["data"]))
            .expect("as many numbers as the shape says")
    }
}
