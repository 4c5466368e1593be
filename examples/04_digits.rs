//! Handwritten digits: batches, epochs, and a score on images that the network has not seen.
//!
//! The images are generated, 28 × 28 pixels each, so nothing is downloaded. After ten passes over 20,000 of them the
//! network should read more than 95 % of 2,000 others. Guessing would read 10 %, a linear classifier about 90 %. The
//! example `mnist` is the same job with everything around it: other data, flags, checkpoints, pictures.

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::{ImageDataset, synthetic};
use wengert::metrics::Accuracy;
use wengert::prelude::*;

struct Net {
    hidden: Dense,
    out: Dense,
}

module!(Net { hidden, out });

impl Net {
    /// Ten numbers for each image; the largest says what it is read as.
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        self.out.forward(self.hidden.forward(x).relu())
    }
}

/// The share of the images that are read correctly.
fn accuracy(net: &Net, images: &ImageDataset) -> f64 {
    let mut tape = Tape::inference();
    let mut accuracy = Accuracy::new();
    for batch in images.batches(500) {
        tape.reset();
        let logits = net.forward(tape.constant(batch.x));
        accuracy.update(&logits.value(), &batch.labels);
    }
    accuracy.value()
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let (train, test) = synthetic::digits(22_000, 0).split_at(20_000);
    let mut net = Net { hidden: Dense::new(784, 128, rng), out: Dense::new(128, 10, rng) };
    let mut opt = Optimizer::new(RmsProp { lr: 3e-3, ..RmsProp::default() });

    let mut tape = Tape::new();
    for epoch in 1..=10 {
        for batch in train.batches(100).shuffle(rng) {
            tape.reset();
            let loss = net.forward(tape.constant(batch.x)).cross_entropy(&batch.labels);
            let grads = loss.backward();
            opt.step(&mut net, &grads);
        }
        println!("epoch {epoch:>2}: reads {:.1} % of the test images", 100.0 * accuracy(&net, &test));
    }
    let accuracy = accuracy(&net, &test);
    assert!(accuracy > 0.95, "only {:.1} % of the test images are read correctly", 100.0 * accuracy);
}
