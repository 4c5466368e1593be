//! 1998: windows that slide over an image (LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
//! document recognition", Proceedings of the IEEE 86).
//!
//! LeNet-5 reads digits of 32 × 32 pixels with 5 × 5 windows, means over 2 × 2 and tanh. Here the means have no weights
//! of their own, every window of the second layer looks at all six maps, where the paper has a table, and the end is a
//! softmax: 61,706 weights. What windows are for: an image that has moved a little is read all the same. LeNet and a
//! network without windows, of more weights, learn from generated digits in the middle and read 1,000 others that have
//! moved. From two pixels on LeNet should read more of them, at three by at least 8 points (here 15).

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::{ImageDataset, synthetic};
use wengert::layers::{AvgPool2d, Conv2d, Flatten};
use wengert::metrics::Accuracy;
use wengert::ndarray::s;
use wengert::prelude::*;
use wengert_lab::{Axis, Figure, Style};

const FARTHEST: usize = 5;

fn lenet(rng: &mut StdRng) -> Sequential {
    let body = Sequential::new()
        .with(Conv2d::new(1, 6, [5, 5], rng)) // 6 × 28 × 28
        .with(Activation::Tanh)
        .with(AvgPool2d::new(2))
        .with(Conv2d::new(6, 16, [5, 5], rng)) // 16 × 10 × 10
        .with(Activation::Tanh)
        .with(AvgPool2d::new(2))
        .with(Conv2d::new(16, 120, [5, 5], rng)) // 120 × 1 × 1
        .with(Activation::Tanh)
        .with(Flatten);
    body.with(Dense::new(120, 84, rng)).with(Activation::Tanh).with(Dense::new(84, 10, rng))
}

fn without_windows(rng: &mut StdRng) -> Sequential {
    let body = Sequential::new().with(Flatten).with(Dense::new(32 * 32, 84, rng));
    body.with(Activation::Tanh).with(Dense::new(84, 10, rng))
}

/// Images of 28 × 28 on paper of 32 × 32, `[n, 1, 32, 32]`, and by so many pixels to the right of its middle.
fn moved(pixels: &Tensor, by: usize) -> Tensor {
    let n = pixels.shape()[0];
    let images = pixels.to_shape([n, 28, 28]).expect("28 × 28 pixels");
    let mut paper = Tensor::zeros(vec![n, 1, 32, 32]);
    let kept = 28.min(30 - by);
    paper.slice_mut(s![.., 0, 2..30, 2 + by..2 + by + kept]).assign(&images.slice(s![.., .., ..kept]));
    paper
}

fn train(net: &mut Sequential, data: &ImageDataset, rng: &mut StdRng) {
    let mut opt = Optimizer::new(Adam { lr: 1e-3, ..Adam::default() });
    let mut tape = Tape::new();
    for _ in 0..4 {
        for batch in data.batches(40).shuffle(rng) {
            tape.reset();
            let loss = net.forward(tape.constant(moved(&batch.x, 0))).cross_entropy(&batch.labels);
            let grads = loss.backward();
            opt.step(net, &grads);
        }
    }
}

/// The percentage that is read of digits that are moved by so much.
fn read(net: &Sequential, data: &ImageDataset, by: usize) -> f64 {
    let (mut tape, mut accuracy) = (Tape::inference(), Accuracy::new());
    for batch in data.batches(250) {
        tape.reset();
        let logits = net.forward(tape.constant(moved(&batch.x, by)));
        accuracy.update(&logits.value(), &batch.labels);
    }
    100.0 * accuracy.value()
}

fn main() {
    let (data, test) = synthetic::digits(4_000, 0).split_at(3_000);
    let [lenet, other] = [lenet, without_windows].map(|new| {
        let rng = &mut StdRng::seed_from_u64(0);
        let mut net = new(rng);
        train(&mut net, &data, rng);
        let read: Vec<_> = (0..=FARTHEST).map(|by| read(&net, &test, by)).collect();
        println!("{} weights read {read:.0?} %", net.parameter_count());
        (net.parameter_count(), read)
    });
    assert_eq!(lenet.0, 156 + 2_416 + 48_120 + 10_164 + 850);
    assert!(other.0 > lenet.0);
    assert!(
        lenet.1.iter().zip(&other.1).skip(2).all(|(lenet, other)| lenet > other),
        "windows are worth nothing"
    );
    assert!(lenet.1[0] > 85.0 && lenet.1[3] > other.1[3] + 8.0, "windows are worth too little");

    let curve = |read: Vec<f64>| (0..).map(f64::from).zip(read).collect();
    let figure = Figure::new(
        "Digits that have moved",
        Axis::linear("pixels to the right"),
        Axis::linear("read, in percent"),
    );
    let figure = figure.with("LeNet-5", Style::Line, curve(lenet.1));
    wengert_milestones::draw("1998_lenet", &figure.with("without windows", Style::Line, curve(other.1)));
}
