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
        todo!("a layer, ReLU, a layer")
    }
}

/// Trains with RMSProp at the rate 3e-3, in shuffled batches of 100. Returns the mean loss of each epoch.
pub fn train(net: &mut Net, images: &ImageDataset, epochs: usize, rng: &mut StdRng) -> Vec<f64> {
    todo!("one optimizer for the whole training, a tape that is reset before each step")
}

/// The share of the images that are read correctly.
pub fn accuracy(net: &Net, images: &ImageDataset) -> f64 {
    todo!("the largest logit of each row, on Tape::inference()")
}
