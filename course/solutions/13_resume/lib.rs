//! A checkpoint, and the same bits.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use wengert::optim::checkpoint::{self, CheckpointError, Loaded};
use wengert::prelude::*;

/// What the loop needs beside model and optimizer.
#[derive(Serialize, Deserialize)]
struct Position {
    step: u64,
}

pub struct Run {
    pub model: Dense,
    pub opt: Optimizer<Adam>,
    /// How many steps are done.
    pub step: u64,
}

impl Run {
    /// Weights from this seed.
    pub fn new(seed: u64) -> Self {
        let model = Dense::new(2, 1, &mut StdRng::seed_from_u64(seed));
        Self { model, opt: Optimizer::new(Adam::default()), step: 0 }
    }

    /// The points of a step, `[16, 2]`, and what is to be predicted for them, `[16, 1]`.
    fn points(step: u64) -> (Tensor, Tensor) {
        let rng = &mut StdRng::seed_from_u64(step);
        let x = Tensor::from_shape_simple_fn(vec![16, 2], || rng.random_range(-1.0..1.0));
        let y = Tensor::from_shape_fn(vec![16, 1], |at| 3.0 * x[[at[0], 0]] - x[[at[0], 1]] + 0.5);
        (x, y)
    }

    /// The rate of a step.
    pub fn rate(step: u64) -> f64 {
        0.1 / (1.0 + 0.01 * step as f64)
    }

    /// A step on its points, down the mean squared error, with its rate. Counts it.
    pub fn next(&mut self) {
        let (x, y) = Self::points(self.step);
        self.opt.rule_mut().lr = Self::rate(self.step);
        let tape = Tape::new();
        let loss = self.model.forward(tape.constant(x)).mse(tape.constant(y));
        let grads = loss.backward();
        self.opt.step(&mut self.model, &grads);
        self.step += 1;
    }

    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        checkpoint::save(path, &self.model, &self.opt, &Position { step: self.step })
    }

    /// A run that goes on where the one of the file stopped.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let mut run = Self::new(0);
        let loaded: Loaded<Position> = checkpoint::load(path, &mut run.model, &mut run.opt)?;
        run.step = loaded.extra.step;
        Ok(run)
    }
}
