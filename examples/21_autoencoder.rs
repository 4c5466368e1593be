//! Making images small and large again: an autoencoder, whose halves mirror each other.
//!
//! The encoder presses a digit of 784 pixels into 16 numbers, with convolutions of stride 2; the decoder turns them
//! back into an image, with the transposed ones. The first 16 principal components are the best that anything linear
//! can do; here the mean stands for the worst. The autoencoder should leave less than 35 % of the variance unexplained.

use rand::{SeedableRng, rngs::StdRng};
use wengert::autodiff::{ConvOptions, Padding};
use wengert::data::synthetic;
use wengert::layers::{Conv2d, ConvTranspose2d, Flatten};
use wengert::prelude::*;

struct Autoencoder {
    encoder: Sequential,
    widen: Dense,
    decoder: Sequential,
}

module!(Autoencoder { encoder, widen, decoder });

impl Autoencoder {
    fn new(rng: &mut StdRng) -> Self {
        let halving =
            ConvOptions { stride: [2, 2], padding: Padding::Zeros([1, 1]), ..ConvOptions::default() };
        Self {
            encoder: Sequential::new()
                .with(Conv2d::with_options(1, 8, [4, 4], halving, rng)) // 8 × 14 × 14
                .with(Activation::Relu)
                .with(Conv2d::with_options(8, 16, [4, 4], halving, rng)) // 16 × 7 × 7
                .with(Activation::Relu)
                .with(Flatten)
                .with(Dense::new(784, 16, rng)),
            widen: Dense::new(16, 784, rng),
            decoder: Sequential::new()
                .with(ConvTranspose2d::with_options(16, 8, [4, 4], halving, rng)) // 8 × 14 × 14
                .with(Activation::Relu)
                .with(ConvTranspose2d::with_options(8, 1, [4, 4], halving, rng)), // 1 × 28 × 28
        }
    }

    /// Of images `[n, 784]`, the logits of their pixels.
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let n = x.shape()[0];
        let code = self.encoder.forward(x.reshape(&[n, 1, 28, 28]));
        let wide = self.widen.forward(code).relu();
        self.decoder.forward(wide.reshape(&[n, 16, 7, 7])).reshape(&[n, 784])
    }
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let (data, test) = synthetic::digits(6_000, 0).split_at(5_000);
    let mut model = Autoencoder::new(rng);
    let mut opt = Optimizer::new(Adam { lr: 2e-3, ..Adam::default() });
    let mut tape = Tape::new();
    for epoch in 1..=6 {
        let mut total = 0.0;
        let batches = data.batches(50).shuffle(rng);
        let count = batches.len() as f32;
        for batch in batches {
            tape.reset();
            let x = tape.constant(batch.x);
            let loss = model.forward(x).bce_with_logits(x);
            total += loss.item();
            let grads = loss.backward();
            opt.step(&mut model, &grads);
        }
        println!("epoch {epoch}: {:.4} nats a pixel", total / count);
    }

    let batch = test.batches(1000).next().expect("1000 images");
    let tape = Tape::inference();
    let x = tape.constant(batch.x);
    let copied = model.forward(x).sigmoid();
    let error = x.mse(copied).item();
    let variance = x.var_axes(&[0], 0, false).mean().item();
    println!("of the variance of the test images, {:.1} % are lost", 100.0 * error / variance);
    assert!(error < 0.35 * variance, "the copies are off by {error}, the variance is {variance}");
}
