//! Recurrent layers, attention and transformers against PyTorch: every output, and the gradients of every input and
//! parameter, to 1e-9 relative in f64.

mod golden;

use std::collections::BTreeMap;

use golden::{assert_close, tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use wengert_autodiff::ndarray::{ArrayD, ArrayView2, Ix2};
use wengert_autodiff::{Module, Tape, Tensor, Var};
use wengert_layers::{
    Activation, LayerNorm, Masks, MultiheadAttention, TransformerEncoder, TransformerEncoderLayer,
};
use wengert_layers::{Gru, GruCell, Lstm, LstmCell, Nonlinearity, Recurrent, Rnn, RnnCell};

/// Below this, a difference is the rounding of numbers that cancel: the keys' bias, for one, changes no weight.
const ABSOLUTE: f64 = 1e-13;

#[test]
fn layers_of_sequences_are_pytorchs() {
    let file = golden::read("sequences.json");
    let mut seen = BTreeMap::new();
    for case in file["cases"].as_array().expect("a list of cases") {
        let name = case["layer"].as_str().expect("a layer");
        *seen.entry(name).or_insert(0) += 1;
        run(name, &Case(case));
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), EXPECTED);
    assert!(seen.values().all(|&count| count >= 8), "few cases: {seen:?}");
}

const EXPECTED: [&str; 12] = [
    "GRU",
    "GRU cell",
    "LSTM",
    "LSTM cell",
    "MultiheadAttention",
    "RNN relu",
    "RNN relu cell",
    "RNN tanh",
    "RNN tanh cell",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "attention",
];

fn run(name: &str, case: &Case) {
    let rng = &mut StdRng::seed_from_u64(0);
    let (inputs, units) = (case.0["config"]["inputs"].as_u64(), case.0["config"]["units"].as_u64());
    let [inputs, units] = [inputs, units].map(|size| size.unwrap_or(1) as usize);
    match name {
        "RNN tanh" => {
            case.check(case.stack(), |rnn: &Rnn<f64>, x| pair(rnn.forward_from(x.of("x"), x.get("h"))))
        }
        "RNN relu" => {
            let rnn: Rnn<f64> = case.stack();
            let rnn = rnn.with_nonlinearity(Nonlinearity::Relu);
            case.check(rnn, |rnn, x| pair(rnn.forward_from(x.of("x"), x.get("h"))));
        }
        "GRU" => case.check(case.stack(), |gru: &Gru<f64>, x| pair(gru.forward_from(x.of("x"), x.get("h")))),
        "LSTM" => case.check(case.stack(), |lstm: &Lstm<f64>, x| {
            let (y, (h, c)) = lstm.forward_from(x.of("x"), x.get("h").zip(x.get("c")));
            vec![y, h, c]
        }),
        "RNN tanh cell" | "RNN relu cell" => {
            let mut cell = RnnCell::new(inputs, units, rng);
            if name == "RNN relu cell" {
                cell.nonlinearity = Nonlinearity::Relu;
            }
            if !case.flag("bias") {
                (cell.bias_ih, cell.bias_hh) = (None, None);
            }
            case.check(cell, |cell, x| vec![cell.forward(x.of("x"), x.get("h"))]);
        }
        "GRU cell" => {
            let mut cell = GruCell::new(inputs, units, rng);
            if !case.flag("bias") {
                (cell.bias_ih, cell.bias_hh) = (None, None);
            }
            case.check(cell, |cell, x| vec![cell.forward(x.of("x"), x.get("h"))]);
        }
        "LSTM cell" => {
            let mut cell = LstmCell::new(inputs, units, rng);
            if !case.flag("bias") {
                (cell.bias_ih, cell.bias_hh) = (None, None);
            }
            case.check(cell, |cell, x| pair(cell.forward(x.of("x"), x.get("h").zip(x.get("c")))));
        }
        "attention" => case.check((), |(), x| {
            let mask = case.mask("mask");
            let mask = mask.as_ref().map(|mask| mask.view());
            vec![x.of("x").scaled_dot_product_attention(x.of("k"), x.of("v"), mask, x.get("bias"))]
        }),
        "MultiheadAttention" => case.check(case.attention(), |attention, x| {
            let query = x.of("x");
            let (key, value) = x.get("k").zip(x.get("v")).unwrap_or((query, query));
            let (y, weights) = case.masked(x.get("bias"), |masks| attention.attend(query, key, value, masks));
            vec![y, weights.mean_axes(&[-3], false)]
        }),
        "TransformerEncoderLayer" => case.check(case.encoder_layer(), |layer, x| {
            vec![case.masked(None, |masks| layer.forward_masked(x.of("x"), masks))]
        }),
        "TransformerEncoder" => {
            let norm = case.flag("norm_first").then(|| LayerNorm::new(case.size("width")));
            let encoder = TransformerEncoder { layers: vec![case.encoder_layer(); 2], norm };
            case.check(encoder, |encoder, x| {
                vec![case.masked(None, |masks| encoder.forward_masked(x.of("x"), masks))]
            });
        }
        other => panic!("an unknown layer {other}"),
    }
}

fn pair<'t>((a, b): (Var<'t, f64>, Var<'t, f64>)) -> Vec<Var<'t, f64>> {
    vec![a, b]
}

/// The inputs of a case, on a tape.
struct Inputs<'t>(BTreeMap<String, Var<'t, f64>>);

impl<'t> Inputs<'t> {
    fn get(&self, name: &str) -> Option<Var<'t, f64>> {
        self.0.get(name).copied()
    }

    fn of(&self, name: &str) -> Var<'t, f64> {
        self.get(name).unwrap_or_else(|| panic!("no input {name}"))
    }
}

/// A recorded case.
struct Case<'c>(&'c Value);

impl Case<'_> {
    fn size(&self, key: &str) -> usize {
        self.0["config"][key].as_u64().unwrap_or_else(|| panic!("{key} of {}", self.0["config"])) as usize
    }

    fn flag(&self, key: &str) -> bool {
        self.0["config"][key].as_bool().unwrap_or_else(|| panic!("{key} of {}", self.0["config"]))
    }

    fn stack<C: wengert_layers::RecurrentCell<Float = f64>>(&self) -> Recurrent<C> {
        let rng = &mut StdRng::seed_from_u64(0);
        let [inputs, units, layers] = ["inputs", "units", "layers"].map(|key| self.size(key));
        let stack = Recurrent::stacked(inputs, units, layers, self.flag("bidirectional"), rng);
        let stack = Recurrent { batch_first: self.flag("batch_first"), ..stack };
        if self.flag("bias") { stack } else { stack.without_bias() }
    }

    /// A recorded mask of zeros and ones.
    fn mask(&self, key: &str) -> Option<ArrayD<bool>> {
        let mask = &self.0["config"][key];
        (!mask.is_null()).then(|| tensor(mask).mapv(|x| x != 0.0).into_owned())
    }

    fn masked<'t, R>(&self, added: Option<Var<'t, f64>>, run: impl FnOnce(&Masks<'_, 't, f64>) -> R) -> R {
        let (allowed, padding) = (self.mask("allowed"), self.mask("padding"));
        let padding = padding.map(|mask| mask.into_dimensionality::<Ix2>().unwrap());
        run(&Masks {
            allowed: allowed.as_ref().map(|mask| mask.view()),
            padding: padding.as_ref().map(|mask| -> ArrayView2<'_, bool> { mask.view() }),
            added,
        })
    }

    fn attention(&self) -> MultiheadAttention<f64> {
        let rng = &mut StdRng::seed_from_u64(0);
        let [width, heads, key, value] = ["width", "heads", "kdim", "vdim"].map(|key| self.size(key));
        let attention = if (key, value) == (width, width) {
            MultiheadAttention::new(width, heads, rng)
        } else {
            MultiheadAttention::with_widths(width, heads, key, value, rng)
        };
        let attention = MultiheadAttention { batch_first: self.flag("batch_first"), ..attention };
        if self.flag("bias") { attention } else { attention.without_bias() }
    }

    fn encoder_layer(&self) -> TransformerEncoderLayer<f64> {
        let rng = &mut StdRng::seed_from_u64(0);
        let [width, heads, inner] = ["width", "heads", "inner"].map(|key| self.size(key));
        let mut layer = TransformerEncoderLayer::new(width, heads, inner, rng).with_dropout(0.0);
        layer.norm_first = self.flag("norm_first");
        layer.self_attn.batch_first = self.flag("batch_first");
        if self.0["config"]["activation"] == "gelu" {
            layer.activation = Activation::Gelu;
        }
        layer
    }

    fn check<M: Module<f64>>(
        &self,
        mut model: M,
        run: impl for<'t> Fn(&M, &Inputs<'t>) -> Vec<Var<'t, f64>>,
    ) {
        let case = self.0;
        let shape = &case["inputs"]["x"]["shape"];
        let what = format!("{} {} of {shape} {}", case["layer"], case["config"], case["note"]);
        model.load_state_dict(tensors(&case["state"])).unwrap_or_else(|error| panic!("{what}: {error}"));
        let tape = Tape::new();
        let inputs = tensors(&case["inputs"]).into_iter().map(|(name, x)| (name, tape.variable(x)));
        let inputs = Inputs(inputs.collect());
        let outputs = run(&model, &inputs);
        let recorded = case["outputs"].as_array().unwrap();
        assert_eq!(outputs.len(), recorded.len(), "{what}: outputs");
        let mut loss = tape.constant(0.0);
        for (i, (&y, recorded)) in outputs.iter().zip(recorded).enumerate() {
            assert_close(&format!("{what}, output {i}"), &y.value(), &tensor(recorded), ABSOLUTE);
            loss += (y * tape.constant(tensor(&case["upstream"][i]))).sum();
        }
        let grads = loss.backward();
        for (name, recorded) in tensors(&case["grad_inputs"]) {
            let found = grads.wrt(inputs.of(&name)).expect("a variable");
            assert_close(&format!("{what}, gradient of {name}"), found, &recorded, ABSOLUTE);
        }
        let found = grads.named(&model);
        let recorded = tensors(&case["grad_params"]);
        assert!(found.keys().eq(recorded.keys()), "{what}: {:?}", found.keys());
        for (name, recorded) in recorded {
            assert_close(&format!("{what}, gradient of {name}"), found[&name], &recorded, ABSOLUTE);
        }
    }
}

fn tensors(value: &Value) -> BTreeMap<String, Tensor<f64>> {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), tensor(value))).collect()
}
