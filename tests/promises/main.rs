//! The promises of the README, on a network small enough to be quick and large enough to use two threads.

mod memory;

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::ImageDataset;
use wengert::layers::{Activation, Conv2d, Flatten, MaxPool2d};
use wengert::ndarray::{Array2, Array3};
use wengert::prelude::*;

/// Noise with a bright pixel that gives the label away.
fn images(n: usize) -> ImageDataset {
    let labels: Vec<u8> = (0..n).map(|i| (i * 7 % 10) as u8).collect();
    let pixel = |(i, y, x): (usize, usize, usize)| {
        let noise = (i * 31 + y * 17 + x * 13) as u64 * 2_654_435_761 % 97;
        if y == 0 && x == usize::from(labels[i]) { 255 } else { noise as u8 }
    };
    ImageDataset::new(Array3::from_shape_fn((n, 16, 16), pixel), labels.clone(), 10).unwrap()
}

fn network(rng: &mut StdRng) -> Sequential {
    Sequential::new()
        .with(Dense::new(256, 128, rng))
        .with(BatchNorm::new(128))
        .with(Activation::Relu)
        .with(Dropout::new(0.2))
        .with(Dense::new(128, 10, rng))
}

/// One epoch with everything that is random: initial weights, order, dropout.
fn trained(seed: u64) -> Sequential {
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut model = network(rng);
    let mut opt = Optimizer::new(RmsProp { momentum: 0.5, ..RmsProp::default() });
    let mut tape = Tape::with_seed(seed);
    for batch in images(600).batches(64).shuffle(rng) {
        tape.reset();
        let grads = model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels).backward();
        opt.step(&mut model, &grads);
    }
    model
}

fn bits(model: &Sequential) -> Vec<(String, Vec<u32>)> {
    let state = model.state_dict().into_iter();
    state.map(|(name, tensor)| (name, tensor.iter().map(|x| x.to_bits()).collect())).collect()
}

/// Of what is trained by so many threads.
fn bits_with(threads: usize, train: impl Fn() -> Sequential + Send + Sync) -> Vec<(String, Vec<u32>)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| bits(&train()))
}

#[test]
fn the_same_seed_gives_the_same_bits_at_any_number_of_threads() {
    let with = |threads, seed| bits_with(threads, || trained(seed));
    let one = with(1, 3);
    assert_eq!(one, with(1, 3), "twice with one thread");
    assert_eq!(one, with(2, 3), "with two threads");
    assert_eq!(one, with(5, 3), "with five threads");
    assert_ne!(one, with(1, 4), "another seed");
}

/// 100 steps of a network large enough that products, loops over elements and updates are divided among threads.
fn trained_wide() -> Sequential {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model = Sequential::new()
        .with(Dense::new(784, 512, rng))
        .with(Activation::Relu)
        .with(Dense::new(512, 512, rng))
        .with(Activation::Relu)
        .with(Dense::new(512, 10, rng));
    let mut opt = Optimizer::new(RmsProp { lr: 1e-3, ..RmsProp::default() });
    let mut tape = Tape::new();
    for step in 0..100 {
        tape.reset();
        let pixel =
            |i: usize, j: usize| ((i * 31 + j * 17 + step * 13) as u64 * 2_654_435_761 % 97) as f32 / 97.0;
        let x = Array2::from_shape_fn((128, 784), |(i, j)| pixel(i, j)).into_dyn();
        let labels: Vec<usize> = (0..128).map(|i| (i * 7 + step) % 10).collect();
        let grads = model.forward(tape.constant(x)).cross_entropy(&labels).backward();
        opt.step(&mut model, &grads);
    }
    model
}

#[test]
fn divided_work_gives_the_same_bits() {
    let with = |threads| bits_with(threads, trained_wide);
    let one = with(1);
    assert_eq!(one, with(2), "with two threads");
    assert_eq!(one, with(3), "with three threads");
    // From a thread that is not a member of the pool, or has just become one.
    assert_eq!(one, std::thread::spawn(|| bits(&trained_wide())).join().unwrap(), "without a pool");
}

/// 5 steps of a network whose convolutions divide samples among threads, in both directions.
fn trained_on_images() -> Sequential {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model = Sequential::new()
        .with(Conv2d::new(1, 8, [5, 5], rng))
        .with(BatchNorm::new(8))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Conv2d::new(8, 16, [3, 3], rng))
        .with(Flatten)
        .with(Dense::new(256, 10, rng));
    let mut opt = Optimizer::new(RmsProp::default());
    let mut tape = Tape::new();
    for batch in images(350).batches(70) {
        tape.reset();
        let x = tape.constant(batch.x).reshape(&[70, 1, 16, 16]);
        let grads = model.forward(x).cross_entropy(&batch.labels).backward();
        opt.step(&mut model, &grads);
    }
    model
}

#[test]
fn divided_convolutions_give_the_same_bits() {
    let with = |threads| bits_with(threads, trained_on_images);
    let one = with(1);
    assert_eq!(one, with(2), "with two threads");
    assert_eq!(one, with(5), "with five threads");
}

#[test]
fn a_step_writes_parameters_in_place() {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model = network(rng);
    let mut opt = Optimizer::new(RmsProp::default());
    let mut tape = Tape::with_seed(0);
    let places = |model: &Sequential| -> Vec<*const f32> {
        model.params().values().map(|param| param.value().as_ptr()).collect()
    };
    let before = places(&model);
    for batch in images(128).batches(64) {
        tape.reset();
        let grads = model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels).backward();
        // Not reset: the tape still holds the step's nodes, but no longer the parameters.
        opt.step(&mut model, &grads);
        assert_eq!(places(&model), before);
    }
}

#[test]
fn parameters_gradients_and_state_go_by_the_same_names() {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model = network(rng);
    let mut opt = Optimizer::new(RmsProp::default());
    let tape = Tape::with_seed(0);
    let batch = images(32).batches(32).next().unwrap();
    let grads = model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels).backward();
    opt.step(&mut model, &grads);

    let params: Vec<_> =
        model.params().into_iter().map(|(name, param)| (name, param.shape().to_vec())).collect();
    let named: Vec<_> =
        grads.named(&model).into_iter().map(|(name, grad)| (name, grad.shape().to_vec())).collect();
    let states: Vec<_> =
        opt.states().map(|(name, state)| (name.to_owned(), state.v.shape().to_vec())).collect();
    assert_eq!(params, named);
    assert_eq!(params, states);
    assert_eq!(
        params.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["0.bias", "0.weight", "1.bias", "1.weight", "4.bias", "4.weight"]
    );
}

#[test]
fn models_optimizers_and_gradients_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Sequential>();
    crosses::<Dense>();
    crosses::<BatchNorm>();
    crosses::<Param>();
    crosses::<Gradients>();
    crosses::<Optimizer<RmsProp>>();
}
