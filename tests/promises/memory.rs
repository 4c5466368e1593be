//! A step allocates nothing that grows.

use allocation_counter::measure;
use rand::{SeedableRng, rngs::StdRng};
use wengert::layers::{Activation, Prepared, Residual};
use wengert::ndarray::{Array2, s};
use wengert::prelude::*;

#[test]
fn a_long_run_does_not_grow() {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model: Dense = Dense::new(4, 3, rng);
    let mut opt = Optimizer::new(RmsProp { centered: true, momentum: 0.9, ..RmsProp::default() });
    let mut tape = Tape::new();
    let x = Tensor::from_shape_fn(vec![5, 4], |i| (i[0] * 4 + i[1]) as f32 / 20.0);
    let mut steps = |n: usize| {
        for _ in 0..n {
            tape.reset();
            let loss = model.forward(tape.constant(x.clone())).tanh().cross_entropy(&[0, 1, 2, 0, 1]);
            let grads = loss.backward();
            opt.step(&mut model, &grads);
        }
    };
    // The first steps make the state and size the arena.
    let start = measure(|| steps(10));
    assert!(start.bytes_current > 0, "the counter counts: {start:?}");
    let run = measure(|| steps(10_000));
    assert_eq!(run.bytes_current, 0, "bytes left behind by 10,000 steps: {run:?}");
}

#[test]
fn a_step_asks_for_no_memory_that_the_last_one_had() {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model = Sequential::new()
        .with(Dense::new(784, 256, rng))
        .with(Activation::Relu)
        .with(Dense::new(256, 256, rng))
        .with(Activation::Tanh)
        .with(Dense::new(256, 1000, rng));
    let mut opt = Optimizer::new(RmsProp::default());
    let mut tape = Tape::new();
    let x = Tensor::from_shape_fn(vec![128, 784], |i| (i[0] * 31 + i[1] * 7) as f32 % 1.0);
    let labels: Vec<usize> = (0..128).collect();
    let mut step = || {
        tape.reset();
        let grads = model.forward(tape.constant(x.clone())).cross_entropy(&labels).backward();
        opt.step(&mut model, &grads);
    };
    let first = measure(&mut step);
    step();
    let later = measure(&mut step);
    // Arrays of less than 256 elements and the tape's own bookkeeping are the system allocator's.
    assert!(first.bytes_total > 3_000_000, "activations, gradients and state: {first:?}");
    assert!(later.bytes_total < 60_000, "a step asked for memory again: {later:?}");
}

#[test]
fn a_prepared_model_takes_no_memory_after_the_first_call() {
    let rng = &mut StdRng::seed_from_u64(0);
    let inner = Sequential::new().with(Dense::new(30, 30, rng)).with(Activation::Gelu);
    let model = Sequential::new()
        .with(Activation::Tanh)
        .with(Dense::new(20, 30, rng))
        .with(BatchNorm::new(30))
        .with(Residual(inner))
        .with(Dense::new(30, 5, rng));
    let prepared = Prepared::new(&model).unwrap();
    let x = Array2::from_shape_fn((256, 20), |(i, j)| (i * 31 + j * 7) as f32 % 1.0);
    let mut y = Array2::zeros((256, 5));
    let mut call = |n: usize| prepared.predict_into(x.slice(s![..n, ..]), y.slice_mut(s![..n, ..]));
    let first = measure(|| call(256));
    assert!(first.bytes_total > 3 * 48 * 30 * 4, "three buffers: {first:?}");
    let later = measure(|| [1, 7, 48, 100, 256].into_iter().cycle().take(1000).for_each(&mut call));
    assert_eq!(later.bytes_total, 0, "{later:?}");
}

#[test]
fn a_view_does_not_keep_its_array_alive() {
    let mut tape = Tape::<f32>::new();
    let x = Tensor::ones(vec![1000, 1000]);
    let mut step = || {
        tape.reset();
        let first = tape.constant(x.clone()).relu().slice(0, 0..1);
        _ = (0..20).fold(first, |y, _| y.relu());
    };
    step();
    let later = measure(|| (0..10).for_each(|_| step()));
    assert!(later.bytes_current < 8_000_000, "arrays of 4 MB are held: {later:?}");
    assert!(later.bytes_total < 100_000, "and asked for again: {later:?}");
}

#[test]
fn what_a_step_does_not_need_is_freed() {
    let mut tape = Tape::<f32>::new();
    let square = |tape: &Tape<f32>, n: usize| _ = tape.constant(Tensor::zeros(vec![n])).square();
    square(&tape, 1_000_000);
    let freed = measure(|| {
        for _ in 0..2 {
            tape.reset();
            square(&tape, 10);
        }
        tape.reset();
    });
    assert!(freed.bytes_current < -4_000_000, "the square of a million elements: {freed:?}");

    let kept: Vec<_> = (0..4)
        .map(|_| {
            tape.reset();
            tape.constant(Tensor::ones(vec![2000])).square().value()
        })
        .collect();
    tape.reset();
    _ = tape.constant(Tensor::zeros(vec![2000])).square();
    assert!(kept.iter().all(|y| y.iter().all(|&y| y == 1.0)), "a value that is held is not written over");
}
