//! What travels beside the gradients: observed buffers, and random numbers.

mod panics;

use ndarray::{arr0, arr1};
use panics::assert_panics;
use rand::RngExt as _;
use wengert_autodiff::{Buffer, Gradients, Param, Tape, module};

struct Counter {
    scale: Param,
    mean: Buffer,
}

module!(Counter { scale, mean });

fn counter() -> Counter {
    Counter { scale: arr0(1.0).into(), mean: arr0(0.0).into() }
}

#[test]
fn an_observation_is_seen_at_once_and_written_by_the_step() {
    let mut model = counter();
    let tape = Tape::new();
    assert_eq!(tape.buffer(&model.mean)[[]], 0.0);
    for _ in 0..2 {
        let next = tape.buffer(&model.mean) + 1.0; // used twice in a step, as a shared layer would
        tape.update_buffer(&model.mean, next);
    }
    assert_eq!(tape.buffer(&model.mean)[[]], 2.0);
    assert_eq!(model.mean.value()[[]], 0.0, "forward does not write");

    let grads = tape.param(&model.scale).backward();
    assert_eq!(grads.buffer_update(&model.mean).map(|mean| mean[[]]), Some(2.0));
    grads.apply_buffer_updates(&mut model);
    assert_eq!(model.mean.value()[[]], 2.0);
}

#[test]
fn observations_belong_to_one_step() {
    let model = counter();
    let mut tape = Tape::new();
    tape.update_buffer(&model.mean, arr0(5.0).into_dyn().into_shared());
    tape.reset();
    assert_eq!(tape.buffer(&model.mean)[[]], 0.0);
    assert!(tape.param(&model.scale).backward().buffer_update(&model.mean).is_none());
}

#[test]
fn an_inference_tape_observes_nothing() {
    let model = counter();
    let tape = Tape::inference();
    tape.update_buffer(&model.mean, arr0(5.0).into_dyn().into_shared());
    assert_eq!(tape.buffer(&model.mean)[[]], 0.0);
}

#[test]
fn an_observation_of_another_shape_panics() {
    let (model, tape) = (counter(), Tape::new());
    assert_panics(&["`update_buffer`", "[2]", "[]"], || {
        tape.update_buffer(&model.mean, arr1(&[1.0, 2.0]).into_dyn().into())
    });
}

#[test]
fn an_observation_that_comes_too_late_is_not_lost_silently() {
    let (model, tape) = (counter(), Tape::new());
    _ = tape.param(&model.scale).backward();
    assert_panics(&["`update_buffer` after backward()", "call reset() first"], || {
        tape.update_buffer(&model.mean, arr0(5.0).into_dyn().into())
    });
}

fn draws(tape: &Tape) -> [u64; 3] {
    [(); 3].map(|()| tape.with_rng(|rng| rng.random()))
}

#[test]
fn the_same_seed_gives_the_same_bits_in_every_step() {
    let (mut a, mut b) = (Tape::with_seed(7), Tape::with_seed(7));
    let mut steps = Vec::new();
    for step in 0..4 {
        let bits = draws(&a);
        if step != 2 {
            // A step that draws less than another does not shift the ones after it.
            assert_eq!(bits, draws(&b), "step {step}");
        }
        steps.push(bits);
        a.reset();
        b.reset();
    }
    steps.sort_unstable();
    steps.dedup();
    assert_eq!(steps.len(), 4, "each step has numbers of its own");
    assert_ne!(draws(&Tape::with_seed(7)), draws(&Tape::with_seed(8)));
}

#[test]
fn a_resumed_run_draws_what_it_would_have_drawn() {
    let mut whole = Tape::with_seed(7);
    for _ in 0..3 {
        whole.reset();
    }
    let mut resumed = Tape::with_seed(7);
    draws(&resumed);
    resumed.set_steps(3);
    assert_eq!(resumed.steps(), 3);
    assert_eq!(draws(&resumed), draws(&whole));
}

#[test]
fn a_tape_without_a_seed_has_no_random_numbers() {
    let tape = Tape::<f32>::new();
    assert_panics(&["Tape::with_seed(seed)"], || _ = tape.with_rng(|rng| rng.random::<u64>()));
}

#[test]
fn a_buffer_gets_a_value_that_no_tape_has_observed() {
    let mut model = counter();
    let mut grads = Gradients::default();
    grads.set_buffer_update(&model.mean, 3.0);
    grads.set_buffer_update(&model.mean, 5.0);
    grads.apply_buffer_updates(&mut model);
    assert_eq!(model.mean.value()[[]], 5.0);
    assert_panics(&["`set_buffer_update`", "[2]", "[]"], || grads.set_buffer_update(&model.mean, [1.0, 2.0]));
}
