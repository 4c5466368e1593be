//! Training digits.

use rand::rngs::StdRng;
use wengert::data::ImageDataset;
use wengert::prelude::*;

pub struct Net {
    pub hidden: Dense,
    pub out: Dense,
}

module!(Net { hidden, out });

impl Net {
    /// 784 pixels, 64 hidden units, 10 classes.
    pub fn new(rng: &mut StdRng) -> Self {
        Self { hidden: Dense::new(784, 64, rng), out: Dense::new(64, 10, rng) }
    }

    /// Ten logits for each image.
    pub fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        self.out.forward(self.hidden.forward(x).relu())
    }
}

/// Trains with RMSProp at the rate 3e-3, in shuffled batches of 100. Returns the mean loss of each epoch.
pub fn train(net: &mut Net, images: &ImageDataset, epochs: usize, rng: &mut StdRng) -> Vec<f64> {
    let mut opt = Optimizer::new(RmsProp { lr: 3e-3, ..RmsProp::default() });
    let mut tape = Tape::new();
    let mut losses = Vec::new();
    for _ in 0..epochs {
        let (mut sum, mut count) = (0.0, 0);
        for batch in images.batches(100).shuffle(rng) {
            tape.reset();
            let loss = net.forward(tape.constant(batch.x)).cross_entropy(&batch.labels);
            sum += f64::from(loss.value().sum()) * batch.labels.len() as f64;
            count += batch.labels.len();
            let grads = loss.backward();
            opt.step(net, &grads);
        }
        losses.push(sum / count as f64);
    }
    losses
}

/// The share of the images that are read correctly.
pub fn accuracy(net: &Net, images: &ImageDataset) -> f64 {
    let mut tape = Tape::inference();
    let (mut correct, mut count) = (0, 0);
    for batch in images.batches(500) {
        tape.reset();
        let logits = net.forward(tape.constant(batch.x)).value();
        for (row, &label) in logits.rows().into_iter().zip(&batch.labels) {
            correct += usize::from(row.iter().all(|&logit| logit <= row[label]));
            count += 1;
        }
    }
    correct as f64 / count as f64
}
