//! Every layer against PyTorch: values, gradients and running statistics over several steps, then evaluation, to 1e-9
//! relative in f64. And the initialisers' bounds, means and standard deviations.

#[path = "../golden/mod.rs"]
mod golden;

mod windows;

use std::collections::BTreeMap;

use golden::{assert_close, integers, number, tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use wengert_autodiff::ndarray::ArrayD;
use wengert_autodiff::{Module, ModulePath, Tape, Tensor, Var, Visitor, VisitorMut};
use wengert_layers::{BatchNorm, Dense, Embedding, GroupNorm, Layer, LayerNorm, PRelu, RmsNorm, init};

/// Below this, a difference is the rounding of numbers that cancel.
const ABSOLUTE: f64 = 1e-15;

/// A recorded layer: an embedding takes integers, all others a tensor.
enum Recorded {
    Layer(Box<dyn Layer<f64>>),
    Embedding(Embedding<f64>),
}

impl Module<f64> for Recorded {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, f64>) {
        match self {
            Self::Layer(layer) => layer.visit(path, visitor),
            Self::Embedding(embedding) => embedding.visit(path, visitor),
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, f64>) {
        match self {
            Self::Layer(layer) => layer.visit_mut(path, visitor),
            Self::Embedding(embedding) => embedding.visit_mut(path, visitor),
        }
    }
}

impl Recorded {
    fn new(name: &str, config: &Value) -> Self {
        let rng = &mut StdRng::seed_from_u64(0);
        let size = |key: &str| config[key].as_u64().unwrap_or_else(|| panic!("{key} of {config}")) as usize;
        let flag = |key: &str| config[key].as_bool().unwrap_or_else(|| panic!("{key} of {config}"));
        let eps = config["eps"].as_f64();
        Self::Layer(match name {
            "Linear" => {
                let dense = Dense::new(size("in_features"), size("out_features"), rng);
                Box::new(if flag("bias") { dense } else { Dense { bias: None, ..dense } })
            }
            "Embedding" => {
                let embedding = Embedding::new(size("num_embeddings"), size("embedding_dim"), rng);
                let padding_idx = config["padding_idx"].as_u64().map(|index| index as usize);
                return Self::Embedding(Embedding { padding_idx, ..embedding });
            }
            "PReLU" => Box::new(PRelu::new(size("num_parameters"))),
            "BatchNorm" => {
                let norm = BatchNorm::new(size("num_features"));
                let norm = BatchNorm { eps: eps.unwrap(), momentum: config["momentum"].as_f64(), ..norm };
                Box::new(if flag("affine") { norm } else { BatchNorm { weight: None, bias: None, ..norm } })
            }
            "LayerNorm" => {
                let norm = LayerNorm::new(integers(&config["normalized_shape"]));
                let norm = LayerNorm { eps: eps.unwrap(), ..norm };
                Box::new(if flag("affine") { norm } else { LayerNorm { weight: None, bias: None, ..norm } })
            }
            "RMSNorm" => {
                let norm = RmsNorm::new(integers(&config["normalized_shape"]));
                let norm = RmsNorm { eps: eps.unwrap(), ..norm };
                Box::new(if flag("affine") { norm } else { RmsNorm { weight: None, ..norm } })
            }
            "GroupNorm" => {
                let norm = GroupNorm::new(size("num_groups"), size("num_channels"));
                let norm = GroupNorm { eps: eps.unwrap(), ..norm };
                Box::new(if flag("affine") { norm } else { GroupNorm { weight: None, bias: None, ..norm } })
            }
            windows => windows::layer(windows, config, rng),
        })
    }

    /// The output, and the input as a variable where it is a tensor.
    fn run<'t>(&self, tape: &'t Tape<f64>, input: &Value) -> (Var<'t, f64>, Option<Var<'t, f64>>) {
        match self {
            Self::Layer(layer) => {
                let x = tape.variable(tensor(input));
                (layer.forward(x), Some(x))
            }
            Self::Embedding(embedding) => {
                let mut shape = integers(&input["shape"]);
                shape.push(embedding.weight.shape()[1]);
                (embedding.forward(tape, &integers(&input["data"])).reshape(&shape), None)
            }
        }
    }
}

fn tensors(value: &Value) -> BTreeMap<String, Tensor<f64>> {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), tensor(value))).collect()
}

fn assert_all_close(what: &str, found: &BTreeMap<String, Tensor<f64>>, recorded: &Value) {
    let recorded = tensors(recorded);
    assert!(found.keys().eq(recorded.keys()), "{what}: {:?}, recorded {:?}", found.keys(), recorded.keys());
    for (name, found) in found {
        assert_close(&format!("{what}, {name}"), found, &recorded[name], ABSOLUTE);
    }
}

#[test]
fn layers_are_pytorchs() {
    check_all(
        "layers.json",
        &["BatchNorm", "Embedding", "GroupNorm", "LayerNorm", "Linear", "PReLU", "RMSNorm"],
    );
}

#[test]
fn layers_with_windows_are_pytorchs() {
    check_all(
        "layers_windows.json",
        &["BatchNorm", "Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d", "InstanceNorm"],
    );
}

fn check_all(file: &str, expected: &[&str]) {
    let file = golden::read(file);
    let mut seen = BTreeMap::new();
    for case in file["cases"].as_array().expect("a list of cases") {
        let name = case["layer"].as_str().expect("a layer");
        *seen.entry(name.to_owned()).or_insert(0) += 1;
        check(name, case);
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), expected);
    assert!(seen.values().all(|&count| count >= 2), "few cases: {seen:?}");
}

fn check(name: &str, case: &Value) {
    let what = format!("{name} {} {}", case["config"], case["note"]);
    let mut layer = Recorded::new(name, &case["config"]);
    layer.load_state_dict(tensors(&case["state"])).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut tape = Tape::new();
    for (step, input) in case["inputs"].as_array().unwrap().iter().enumerate() {
        let what = format!("{what}, step {step}");
        tape.reset();
        let (y, x) = layer.run(&tape, input);
        assert_close(&what, &y.value(), &tensor(&case["outputs"][step]), ABSOLUTE);
        let grads = (y * tape.constant(tensor(&case["upstream"][step]))).sum().backward();
        if let Some(x) = x {
            let found = grads.wrt(x).expect("the input is a variable");
            assert_close(&format!("{what}, input"), found, &tensor(&case["grad_input"][step]), ABSOLUTE);
        }
        let found = grads.named(&layer).into_iter().map(|(name, grad)| (name, grad.clone())).collect();
        assert_all_close(&format!("{what}, gradient"), &found, &case["grad_params"][step]);
        grads.apply_buffer_updates(&mut layer);
        assert_all_close(&format!("{what}, state"), &layer.state_dict(), &case["state_after"][step]);
    }
    let tape = Tape::inference();
    let (y, _) = layer.run(&tape, &case["eval_input"]);
    assert_close(&format!("{what}, evaluation"), &y.value(), &tensor(&case["eval_output"]), ABSOLUTE);
}

#[test]
fn gains_are_pytorchs() {
    for case in golden::read("init.json")["gains"].as_array().unwrap() {
        let found = gain(case["nonlinearity"].as_str().unwrap(), case["param"].as_f64().unwrap_or(0.01));
        assert!((found - number(&case["gain"])).abs() < 1e-15, "{case}: {found}");
    }
}

fn gain(nonlinearity: &str, slope: f64) -> f64 {
    match nonlinearity {
        "linear" | "sigmoid" | "conv1d" | "conv2d" | "conv3d" => 1.0,
        "tanh" => init::TANH_GAIN,
        "relu" => init::RELU_GAIN,
        "selu" => init::SELU_GAIN,
        "leaky_relu" => init::leaky_relu_gain(slope),
        other => panic!("an unknown non-linearity {other}"),
    }
}

/// For each recorded initialiser a large weight, made of many of the recorded shape. The bounds of mean and standard
/// deviation are six of their own standard errors: σ/√n, and σ √((κ - 1) / 4n) < σ/√(2n) since no kurtosis κ here
/// exceeds the normal distribution's 3.
#[test]
fn initialisers_are_pytorchs() {
    const REPEATS: usize = 200;
    for case in golden::read("init.json")["inits"].as_array().unwrap() {
        let rng = &mut StdRng::seed_from_u64(0);
        let sample: Vec<f64> = (0..REPEATS).flat_map(|_| initialise(case, rng)).collect();
        let n = sample.len() as f64;
        let (mean, std) = (number(&case["mean"]), number(&case["std"]));
        let found_mean = sample.iter().sum::<f64>() / n;
        let found_std = (sample.iter().map(|x| (x - found_mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!((found_mean - mean).abs() < 6.0 * std / n.sqrt(), "{case}: mean {found_mean}");
        assert!((found_std - std).abs() < 6.0 * std / (2.0 * n).sqrt(), "{case}: deviation {found_std}");
        if let Some(bound) = case["bound"].as_f64() {
            let largest = sample.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(largest <= bound * (1.0 + 1e-15), "{case}: {largest} is out of bounds");
            assert!(largest > 0.999 * bound, "{case}: nothing near the bound, only {largest}");
        }
    }
}

fn initialise(case: &Value, rng: &mut StdRng) -> ArrayD<f64> {
    let (shape, args) = (integers(&case["shape"]), &case["args"]);
    let kaiming = || {
        let fan = if args["mode"] == "fan_in" { init::Fan::In } else { init::Fan::Out };
        (fan, gain(args["nonlinearity"].as_str().unwrap(), number(&args["a"])))
    };
    match case["init"].as_str().unwrap() {
        "xavier_uniform" => init::xavier_uniform(&shape, number(&args["gain"]), rng),
        "xavier_normal" => init::xavier_normal(&shape, number(&args["gain"]), rng),
        "kaiming_uniform" => init::kaiming_uniform(&shape, kaiming().0, kaiming().1, rng),
        "kaiming_normal" => init::kaiming_normal(&shape, kaiming().0, kaiming().1, rng),
        "lecun_uniform" => init::lecun_uniform(&shape, rng),
        "lecun_normal" => init::lecun_normal(&shape, rng),
        "linear_default_weight" => Dense::new(shape[1], shape[0], rng).weight.value().to_owned(),
        // A bias has only `out` values: the recorded fan, and as many of them as the recorded shape has.
        "linear_default_bias" => {
            let bias = Dense::new(shape[1], shape[0] * shape[1], rng).bias.expect("a bias");
            bias.value().to_owned()
        }
        "trunc_normal" => {
            let [mean, std, lo, hi] = ["mean", "std", "a", "b"].map(|key| number(&args[key]));
            init::truncated_normal(&shape, mean, std, lo, hi, rng)
        }
        other => panic!("an unknown initialiser {other}"),
    }
}
