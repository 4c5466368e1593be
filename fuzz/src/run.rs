//! A model of all that a model can have, and an optimizer with a group.

use std::collections::BTreeMap;

use ndarray::{arr1, arr2};
use wengert_autodiff::{Buffer, Gradients, Param, Tape, module};
use wengert_optim::checkpoint::{Checkpoint, RawTensor};
use wengert_optim::{Field, Optimizer, Rule, State};

pub struct Model {
    pub weight: Param,
    pub bias: Param,
    pub mean: Buffer,
    pub seen: Buffer,
}

module!(Model { weight, bias, mean, seen });

impl Default for Model {
    fn default() -> Self {
        Self {
            weight: arr2(&[[1.0, -2.0], [0.5, 0.0]]).into(),
            bias: arr1(&[0.25, 3.0]).into(),
            mean: arr1(&[0.5, -0.5]).into(),
            seen: Buffer::count(2.0),
        }
    }
}

impl Model {
    pub fn gradients(&self) -> Gradients {
        let tape = Tape::new();
        let loss = (tape.param(&self.weight) * tape.param(&self.bias)).square().sum();
        loss.backward()
    }
}

pub fn optimizer<R: Rule + Default + Clone>() -> Optimizer<R> {
    Optimizer::new(R::default()).with_group("*.bias", R::default()).with_group("bias", R::default())
}

/// After two steps.
pub fn trained<R: Rule + Default + Clone>() -> (Model, Optimizer<R>) {
    let (mut model, mut opt) = (Model::default(), optimizer::<R>());
    for _ in 0..2 {
        let gradients = model.gradients();
        opt.step(&mut model, &gradients);
    }
    (model, opt)
}

/// All that a step can change: the tensors, what the optimizer remembers of each, its steps and hyper-parameters.
pub fn content<R: Rule>(
    model: &Model,
    opt: &Optimizer<R>,
) -> (Checkpoint, BTreeMap<String, Vec<u8>>, String) {
    let mut state = BTreeMap::new();
    for (param, fields) in opt.states() {
        for (field, value) in fields.fields() {
            let bytes = match value {
                Field::Tensor(tensor) => RawTensor::from_tensor(tensor).bytes().to_vec(),
                Field::Steps(count) | Field::Count(count) => count.to_le_bytes().to_vec(),
                Field::Number(number) => number.to_le_bytes().to_vec(),
                _ => panic!("{param}/{field} is of a kind that is not compared"),
            };
            state.insert(format!("{param}/{field}"), bytes);
        }
    }
    let rules = [opt.rule(), opt.rule_for("weight"), opt.rule_for("bias")];
    (Checkpoint::from_model(model), state, format!("{} {rules:?}", opt.steps()))
}
