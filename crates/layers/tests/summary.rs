//! The table of a model's layers, with numbers that were counted by hand.

use rand::{SeedableRng, rngs::StdRng};
use wengert_autodiff::{Tape, Tensor};
use wengert_layers::{
    Activation, BatchNorm, Conv1d, Conv2d, ConvTranspose2d, Dense, Flatten, Gru, Layer, MaxPool2d, Sequential,
};

fn summary(model: &impl Layer, input: &[usize]) -> String {
    let tape = Tape::new();
    _ = model.forward(tape.constant(Tensor::zeros(input)));
    tape.summary(model)
}

#[test]
fn of_lenet() {
    let rng = &mut StdRng::seed_from_u64(0);
    let lenet = Sequential::new()
        .with(Conv2d::new(1, 6, [5, 5], rng))
        .with(BatchNorm::new(6))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Conv2d::new(6, 16, [5, 5], rng))
        .with(MaxPool2d::new(2))
        .with(Flatten)
        .with(Dense::new(256, 10, rng));
    // 2 · 24² · 150, 2 · 8² · 2400, 2 · 2560.
    let expected = "\
layer  op          output          parameters  multiply-adds
0      conv2d      [2, 6, 24, 24]         156         172800
1      batch_norm  [2, 6, 24, 24]          12              0
4      conv2d      [2, 16, 8, 8]         2416         307200
7      linear      [2, 10]               2570           5120
total                                    5154         485120
";
    assert_eq!(summary(&lenet, &[2, 1, 28, 28]), expected);
}

#[test]
fn of_signals_sequences_and_a_layer_that_is_used_twice() {
    let rng = &mut StdRng::seed_from_u64(0);
    let count = |model: &dyn Fn(&Tape) -> String| model(&Tape::new()).lines().last().unwrap().to_owned();
    let signal = summary(&Conv1d::new(2, 3, 4, rng), &[5, 2, 7]);
    assert!(signal.ends_with(&format!("{:>10}  {:>13}\n", 27, 5 * 4 * 24)), "{signal}");
    let larger = summary(&ConvTranspose2d::new(2, 3, [2, 2], rng), &[5, 2, 3, 3]);
    assert!(larger.ends_with(&format!("{:>10}  {:>13}\n", 27, 5 * 9 * 24)), "{larger}");
    // 3 gates of 4 units, from 2 inputs and the last state: 72 products for each of 5 · 7 places.
    let sequence = summary(&Gru::new(2, 4, rng), &[5, 7, 2]);
    assert!(sequence.ends_with(&format!("{:>10}  {:>13}\n", 96, 5 * 7 * 72)), "{sequence}");
    let dense = Dense::new(3, 3, rng);
    let twice = count(&|tape| {
        _ = dense.forward(dense.forward(tape.constant(Tensor::zeros(vec![1, 3]))));
        tape.summary(&dense)
    });
    assert!(twice.ends_with(&format!("{:>10}  {:>13}", 12, 18)), "{twice}");
}

#[test]
#[should_panic(expected = "`summary`: no inputs: an inference tape keeps no edges")]
fn of_an_inference_tape_is_not_known() {
    Tape::<f32>::inference().summary(&());
}
