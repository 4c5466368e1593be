//! Five training steps of a network with batch norm under RMSProp, as PyTorch took them, loss by loss, and the network
//! that comes out. Recorded by `tests/golden/mlp.py`.

mod golden;

use std::collections::BTreeMap;

use golden::{assert_close, integers, number, read, tensor};
use rand::{SeedableRng, rngs::StdRng};
use wengert::prelude::*;

struct Mlp {
    first: Dense<f64>,
    norm: BatchNorm<f64>,
    second: Dense<f64>,
    out: Dense<f64>,
}

module!(Mlp: f64 { first, norm, second, out });

impl Mlp {
    fn forward<'t>(&self, x: Var<'t, f64>) -> Var<'t, f64> {
        let h = self.norm.forward(self.first.forward(x)).tanh();
        self.out.forward(self.second.forward(h).tanh())
    }
}

/// The gradient of `first.bias` is rounding alone, since the normalisation takes the bias away again; RMSProp makes a
/// step of about 1e-11 of it, which the running mean sees too.
fn absolute(name: &str) -> f64 {
    if ["first.bias", "norm.running_mean"].contains(&name) { 1e-9 } else { 1e-13 }
}

#[test]
fn five_steps_go_as_in_pytorch() {
    let file = read("mlp.json");
    let case = &file["cases"][0];
    let state = |key: &str| -> BTreeMap<String, Tensor<f64>> {
        let tensors = case[key].as_object().expect("tensors by name").iter();
        tensors.map(|(name, value)| (name.clone(), tensor(value))).collect()
    };
    let rng = &mut StdRng::seed_from_u64(0);
    let (first, norm) = (Dense::new(6, 5, rng), BatchNorm::new(5));
    let mut model = Mlp { first, norm, second: Dense::new(5, 4, rng), out: Dense::new(4, 3, rng) };
    model.load_state_dict(state("state")).expect("PyTorch's names and shapes are ours");

    let options = &case["rmsprop"];
    let mut opt = Optimizer::new(RmsProp {
        lr: number(&options["lr"]),
        rho: number(&options["alpha"]),
        ..RmsProp::torch()
    });
    let mut tape = Tape::new();
    for (step, recorded) in file["steps"].as_array().expect("a list of steps").iter().enumerate() {
        tape.reset();
        let loss = model
            .forward(tape.constant(tensor(&recorded["input"])))
            .cross_entropy(&integers(&recorded["labels"]));
        let expected = number(&recorded["loss"]);
        assert!((loss.item() - expected).abs() < 1e-11, "step {step}: {} instead of {expected}", loss.item());
        let grads = loss.backward();
        opt.step(&mut model, &grads);
    }

    let recorded = state("state_after");
    assert_eq!(recorded.len(), model.state_dict().len());
    for (name, tensor) in model.state_dict() {
        assert_close(&name, &tensor, &recorded[&name], absolute(&name));
    }
    for (name, v) in state("square_avg") {
        assert_close(
            &format!("v of {name}"),
            &opt.state(&name).expect("every parameter had a gradient").v,
            &v,
            1e-13,
        );
    }
    let tape = Tape::inference();
    let logits = model.forward(tape.constant(tensor(&case["eval_input"])));
    assert_close("logits at evaluation", &logits.value(), &tensor(&case["eval_logits"]), 1e-9);
}
