//! A step is whole: one that panics has not happened.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_autodiff::{Buffer, Module, Param, Tape, Tensor, module};
use wengert_optim::{InvalidHyperparameter, Optimizer, Rule, Sgd};

struct Layer {
    weight: Param,
    mean: Buffer,
}

struct Model {
    hidden: Layer,
    bias: Param,
}

module!(Layer { weight, mean });
module!(Model { hidden, bias });

fn param(values: &[f32]) -> Param {
    ndarray::Array1::from(values.to_vec()).into()
}

fn model() -> Model {
    let hidden = Layer { weight: param(&[1.0, 2.0]), mean: ndarray::arr1(&[0.0]).into() };
    Model { hidden, bias: param(&[3.0]) }
}

fn values(param: &Param) -> &[f32] {
    param.value().as_slice().unwrap()
}

/// What a step of all parameters would change: gradients of 1, and a new value for the buffer.
fn whole_step<R: Rule<f32>>(opt: &mut Optimizer<R>, model: &mut Model) -> Result<(), String> {
    let tape = Tape::new();
    tape.update_buffer(&model.hidden.mean, ndarray::arr1(&[9.0]).into_dyn().into_shared());
    let sums = model.params().values().map(|param| tape.param(param).sum()).collect::<Vec<_>>();
    let grads = sums.into_iter().reduce(|a, b| a + b).unwrap().backward();
    let outcome = catch_unwind(AssertUnwindSafe(|| opt.step(model, &grads)));
    outcome.map_err(|panic| *panic.downcast::<String>().unwrap())
}

/// All but the parameter that is changed on purpose.
fn remembered(model: &Model, opt: &Optimizer<Sgd>) -> String {
    format!("{:?} {:?}", values(&model.hidden.weight), opt.states().collect::<Vec<_>>())
}

#[test]
fn a_step_that_panics_changes_nothing_and_the_next_one_is_sound() {
    let rule = Sgd { lr: 1.0, momentum: 0.5, ..Sgd::default() };
    for (cause, words) in [
        ("shape", "the parameter of `bias` has shape [2], but its state was made for [1]"),
        ("rate", "Sgd: lr is -1, but must be finite and not negative"),
    ] {
        let (mut model, mut opt) = (model(), Optimizer::new(rule).with_group("bias", rule));
        whole_step(&mut opt, &mut model).unwrap();
        model.hidden.mean.value_mut()[0] = 0.0;
        let sound = model.bias.clone();
        match cause {
            "shape" => *model.bias.value_mut() = param(&[1.0, 2.0]).value().clone(),
            _ => opt.group_mut("bias").unwrap().lr = -1.0,
        }
        let before = remembered(&model, &opt);
        assert!(whole_step(&mut opt, &mut model).unwrap_err().ends_with(words), "{cause}");
        assert_eq!((opt.steps(), model.hidden.mean.value()[0]), (1, 0.0), "{cause}");
        assert_eq!(remembered(&model, &opt), before, "{cause}");

        *model.bias.value_mut() = sound.value().clone();
        opt.group_mut("bias").unwrap().lr = 1.0;
        whole_step(&mut opt, &mut model).unwrap();
        // p = 1 - 1 - (1 + ½), as if nothing had happened in between.
        assert_eq!((opt.steps(), values(&model.hidden.weight)[0]), (2, -1.5), "{cause}");
        assert_eq!(model.hidden.mean.value()[0], 9.0, "{cause}");
    }
}

/// A rule of one's own that panics in the middle of a step.
#[derive(Clone, Debug)]
struct Fussy;

impl Rule<f32> for Fussy {
    const NAME: &'static str = "fussy";
    type State = ();

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Ok(())
    }

    fn init(&self, _param: &Tensor) {}

    fn update(&self, param: &mut Tensor, _grad: &Tensor, _state: &mut ()) {
        assert!(param[0] != 7.0, "{}", "a seven");
    }
}

#[test]
fn a_rule_that_panics_costs_its_step_and_no_other() {
    let (mut model, mut opt) = (model(), Optimizer::new(Fussy));
    model.bias.value_mut()[0] = 7.0;
    assert_eq!(whole_step(&mut opt, &mut model).unwrap_err(), "a seven");
    assert_eq!((opt.steps(), model.hidden.mean.value()[0]), (0, 0.0));
    model.bias.value_mut()[0] = 8.0;
    whole_step(&mut opt, &mut model).unwrap();
    assert_eq!((opt.steps(), model.hidden.mean.value()[0]), (1, 9.0));
}
