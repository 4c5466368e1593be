//! Recurrent and attention layers against PyTorch: every output, and the gradients of every input and parameter, to
//! 1e-9 relative in f64.

mod golden;

use std::collections::BTreeMap;

use golden::{assert_close, tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use wengert_autodiff::{Module, Tape, Tensor, Var};
use wengert_layers::{Gru, GruCell, Lstm, LstmCell, Nonlinearity, Recurrent, Rnn, RnnCell};

/// Below this, a difference is the rounding of numbers that cancel.
const ABSOLUTE: f64 = 1e-15;

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

const EXPECTED: [&str; 8] =
    ["GRU", "GRU cell", "LSTM", "LSTM cell", "RNN relu", "RNN relu cell", "RNN tanh", "RNN tanh cell"];

fn run(name: &str, case: &Case) {
    let rng = &mut StdRng::seed_from_u64(0);
    let [inputs, units] = [case.size("inputs"), case.size("units")];
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
            loss = loss + (y * tape.constant(tensor(&case["upstream"][i]))).sum();
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
