//! `check_finite` finds the first NaN or infinity, and says where.

mod panics;

use ndarray::{arr1, arr2};
use panics::assert_panics;
use wengert_autodiff::{Param, Tape, Var, module};

struct Layer {
    weight: Param,
}

struct Model {
    first: Layer,
    second: Layer,
}

module!(Layer { weight });
module!(Model { first, second });

fn model() -> Model {
    let layer = || Layer { weight: arr2(&[[1.0, 0.0], [0.0, -1.0]]).into() };
    Model { first: layer(), second: layer() }
}

impl Layer {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        x.linear(x.tape().param(&self.weight), None)
    }
}

fn checked(model: &Model) -> Tape {
    let mut tape = Tape::new();
    tape.detect_anomaly(model);
    tape.reset();
    tape.reset();
    tape
}

#[test]
fn a_nan_in_the_second_layer() {
    let model = model();
    let tape = checked(&model);
    let x = tape.constant(arr2(&[[1.0, 1.0], [2.0, -2.0]]));
    let h = model.second.forward(model.first.forward(x).exp());
    assert_panics(
        &["value of `ln`", "%6", "near `second.weight`", "step 2", "NaN at [0, 1] of shape [2, 2]"],
        || {
            _ = h.ln();
        },
    );
}

#[test]
fn an_overflow_in_the_first_layer() {
    let model = model();
    let tape = checked(&model);
    let h = model.first.forward(tape.constant(arr2(&[[1.0, 1.0], [1000.0, 0.0]])));
    assert_panics(
        &["value of `exp`", "near `first.weight`", "step 2", "inf at [1, 0] of shape [2, 2]"],
        || {
            _ = h.exp();
        },
    );
}

#[test]
fn an_inference_tape_names_the_layer_too() {
    let model = model();
    let mut tape = Tape::inference();
    tape.detect_anomaly(&model);
    let h = model.first.forward(tape.constant(arr2(&[[1000.0, 0.0]])));
    assert!(!h.needs_grad() && !tape.param(&model.first.weight).needs_grad());
    assert_panics(&["value of `exp`", "near `first.weight`", "inf at [0, 0]"], || {
        _ = h.exp();
    });
}

#[test]
fn a_layer_s_own_result() {
    let mut model = model();
    model.second.weight.value_mut()[[1, 0]] = f32::MAX;
    let tape = checked(&model);
    let h = model.first.forward(tape.constant(arr2(&[[10.0, 0.0]])));
    assert_panics(&["value of `linear`", "near `second.weight`", "inf at [0, 1]"], || {
        _ = model.second.forward(h);
    });
}

#[test]
fn bad_data_come_before_any_layer() {
    let model = model();
    let tape = checked(&model);
    assert_panics(&["value of `constant`", "%0", "before any layer", "NaN at [1] of shape [2]"], || {
        _ = tape.constant(arr1(&[0.0, f32::NAN]));
    });
}

/// `√x · 0` is 0 at 0, but its derivative is `0 · ∞`.
#[test]
fn a_nan_that_only_the_way_back_meets() {
    let model = model();
    let tape = checked(&model);
    let h = model.first.forward(tape.constant(arr2(&[[4.0, 0.0]])));
    let (y, line) = (h.sqrt(), line!());
    let loss = (y * 0.0).sum();
    assert_eq!(loss.item(), 0.0);
    let recorded = format!("recorded at {}:{line}:", file!());
    let parts = [
        "gradient that `sqrt`",
        "%3",
        "near `first.weight`",
        &recorded,
        "input %2 at step 2",
        "NaN at [0, 1]",
    ];
    assert_panics(&parts, || drop(loss.backward()));
}

#[test]
fn a_finite_step_passes_and_without_the_check_nothing_is_said() {
    let model = model();
    let x = arr2(&[[4.0, 1.0]]).into_dyn();
    let tape = checked(&model);
    let grads = model.first.forward(tape.constant(x.clone())).square().mean().backward();
    assert!(grads.get(&model.first.weight).is_some_and(|grad| grad.iter().all(|g| g.is_finite())));

    let tape = Tape::new();
    let grads = model.first.forward(tape.constant(x)).ln().sum().backward();
    assert!(grads.get(&model.first.weight).is_some());
}
