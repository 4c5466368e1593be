//! Convolution: windows of weights that slide over an image (LeNet-5, LeCun et al., 1998).
//!
//! What a window has learnt it knows at every place; a dense network has to learn it for each anew. Both are trained on
//! 4,000 generated digits that stand in the middle and read 1,000 others that are moved by up to two pixels. LeNet
//! should read more than 70 % of them, and the dense network, with more weights, at least 12 points less. On MNIST
//! itself LeNet reads 99.2 %: `cargo run --release --example lenet -- DIR --epochs 15 --lr 2e-3 --cosine`.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::data::metrics::Accuracy;
use wengert::data::{ImageDataset, synthetic};
use wengert::layers::{Conv2d, Flatten, MaxPool2d};
use wengert::ndarray::s;
use wengert::prelude::*;

/// 1 × 28 × 28 → 6 × 12 × 12 → 16 × 4 × 4 → 120 → 84 → 10.
fn lenet(rng: &mut StdRng) -> Sequential {
    Sequential::new()
        .with(Conv2d::new(1, 6, [5, 5], rng))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Conv2d::new(6, 16, [5, 5], rng))
        .with(Activation::Relu)
        .with(MaxPool2d::new(2))
        .with(Flatten)
        .with(Dense::new(256, 120, rng))
        .with(Activation::Relu)
        .with(Dense::new(120, 84, rng))
        .with(Activation::Relu)
        .with(Dense::new(84, 10, rng))
}

fn dense(rng: &mut StdRng) -> Sequential {
    Sequential::new()
        .with(Flatten)
        .with(Dense::new(784, 84, rng))
        .with(Activation::Relu)
        .with(Dense::new(84, 10, rng))
}

/// The images of a batch as `[n, 1, 28, 28]`, each moved by up to `most` pixels along both axes.
fn moved(pixels: &Tensor, most: i32, rng: &mut StdRng) -> Tensor {
    let n = pixels.shape()[0];
    let images = pixels.to_shape([n, 1, 28, 28]).expect("28 × 28 pixels");
    let mut moved = Tensor::zeros(vec![n, 1, 28, 28]);
    let parts = |by: i32| if by < 0 { (-by as usize, 0) } else { (0, by as usize) };
    for i in 0..n {
        let ((y_from, y_to), (x_from, x_to)) =
            (parts(rng.random_range(-most..=most)), parts(rng.random_range(-most..=most)));
        let part = images.slice(s![i, 0, y_from..28 - y_to, x_from..28 - x_to]);
        moved.slice_mut(s![i, 0, y_to..28 - y_from, x_to..28 - x_from]).assign(&part);
    }
    moved
}

fn train(net: &mut Sequential, data: &ImageDataset, rng: &mut StdRng) {
    let mut opt = Optimizer::new(Adam { lr: 1e-3, ..Adam::default() });
    let mut tape = Tape::new();
    for _ in 0..8 {
        for batch in data.batches(50).shuffle(rng) {
            tape.reset();
            let x = tape.constant(moved(&batch.x, 0, rng));
            let grads = net.forward(x).cross_entropy(&batch.labels).backward();
            opt.step(net, &grads);
        }
    }
}

/// The share of the moved images that are read correctly.
fn accuracy(net: &Sequential, data: &ImageDataset) -> f64 {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut tape = Tape::inference();
    let mut accuracy = Accuracy::new();
    for batch in data.batches(250) {
        tape.reset();
        let x = tape.constant(moved(&batch.x, 2, rng));
        accuracy.update(&net.forward(x).value(), &batch.labels);
    }
    accuracy.value()
}

fn main() {
    let (data, test) = synthetic::digits(5_000, 0).split_at(4_000);
    let [lenet, dense] = [lenet, dense].map(|new| {
        let rng = &mut StdRng::seed_from_u64(0);
        let mut net = new(rng);
        train(&mut net, &data, rng);
        let weights: usize = net.params().values().map(|param| param.value().len()).sum();
        let read = accuracy(&net, &test);
        println!("{weights:>6} weights read {:.1} % of the moved digits", 100.0 * read);
        read
    });
    assert!(lenet > 0.7, "LeNet reads only {:.1} %", 100.0 * lenet);
    assert!(
        lenet > dense + 0.12,
        "convolution wins too little: {:.1} % against {:.1} %",
        100.0 * lenet,
        100.0 * dense
    );
}
