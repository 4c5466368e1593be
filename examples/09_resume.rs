//! Stops a run, looks into its file, changes the optimizer's memory, and goes on.
//!
//! Shows `checkpoint::save` and `load`, and `opt.edit`. One network is trained for 300 steps. A second stops after
//! 150, is written to a file and read back, as a new process would. A third is resumed in the same way, but its `v` is
//! scaled by 100, as if it remembered gradients ten times as large. The second should end with the same bits as the
//! first, and the third's next step should be about ten times shorter.

use std::error::Error;
use std::path::Path;

use rand::{SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use wengert::optim::checkpoint::{self, Checkpoint, Loaded};
use wengert::prelude::*;

const STEPS: u64 = 300;

/// What the loop needs beside model and optimizer.
#[derive(Serialize, Deserialize)]
struct Position {
    step: u64,
}

struct Run {
    model: Sequential,
    opt: Optimizer<RmsProp>,
    step: u64,
}

impl Run {
    fn new() -> Self {
        let rng = &mut StdRng::seed_from_u64(0);
        let model = Sequential::new();
        let model = model.with(Dense::new(2, 16, rng)).with(Activation::Tanh).with(Dense::new(16, 2, rng));
        Self { model, opt: Optimizer::new(RmsProp { lr: 1e-3, ..RmsProp::default() }), step: 0 }
    }

    /// Two rings around the origin, one class each; every step sees other points, which follow from the number of the
    /// step.
    fn train(&mut self, until: u64) {
        let mut tape = Tape::new();
        while self.step < until {
            let angle = |i: usize| (self.step as f32) + 0.37 * i as f32;
            let point = |i: usize| {
                [angle(i).cos(), angle(i).sin()].map(|x| x * if i.is_multiple_of(2) { 0.5 } else { 1.5 })
            };
            let points = Tensor::from_shape_fn(vec![32, 2], |at| point(at[0])[at[1]]);
            let labels: Vec<usize> = (0..32).map(|i| i % 2).collect();
            tape.reset();
            let loss = self.model.forward(tape.constant(points)).cross_entropy(&labels);
            let grads = loss.backward();
            self.opt.step(&mut self.model, &grads);
            self.step += 1;
        }
    }

    fn resume(path: &Path) -> Result<Self, Box<dyn Error>> {
        let mut run = Self::new();
        let loaded: Loaded<Position> = checkpoint::load(path, &mut run.model, &mut run.opt)?;
        println!("resumed at step {}: {}", loaded.extra.step, loaded.report);
        run.step = loaded.extra.step;
        Ok(run)
    }

    fn weight(&self) -> Tensor {
        self.model.state_dict().remove("0.weight").expect("the first layer is dense")
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut whole = Run::new();
    whole.train(STEPS);

    let directory = tempfile::tempdir()?;
    let path = directory.path().join("run.wgt");
    let mut first_half = Run::new();
    first_half.train(STEPS / 2);
    checkpoint::save(&path, &first_half.model, &first_half.opt, &Position { step: first_half.step })?;

    // Inspect: a file is a plain value with names (`wengert inspect run.wgt` prints the same).
    let file = Checkpoint::read(&path)?;
    let optimizer = file.optimizer.as_ref().expect("saved with the optimizer");
    println!("{} after {} steps remembers {:?}", optimizer.kind, optimizer.steps, optimizer.state.keys());

    let mut second = Run::resume(&path)?;
    second.train(STEPS);
    assert_eq!(second.model.state_dict(), whole.model.state_dict(), "not the bits of a run without the stop");
    println!("the same bits as without the stop");

    let mut third = Run::resume(&path)?;
    println!("{}", third.opt.edit("*").field("v").scale(100.0));
    let mut plain = Run::resume(&path)?;
    let length = |run: &mut Run| {
        let before = run.weight();
        run.train(run.step + 1);
        (&run.weight() - &before).mapv(|x| x * x).sum().sqrt()
    };
    let (edited, unedited) = (length(&mut third), length(&mut plain));
    let times = unedited / edited;
    println!("the next step is {edited:.6} long, and {unedited:.6} without the edit: {times:.2} times");
    assert!((9.0..11.0).contains(&times), "the step should be about ten times shorter, not {times} times");
    Ok(())
}
