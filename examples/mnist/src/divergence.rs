//! When numbers are no longer finite: what went wrong, and where.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use wengert::autodiff::compute::first_non_finite;
use wengert::autodiff::{Leaf, Module, ModulePath};
use wengert::data::{Batch, ImageDataset};
use wengert::optim::{Field, State};
use wengert::prelude::*;

use crate::report::EVALUATION_BATCH;

/// What the training ran into, in words.
#[derive(Debug)]
pub struct Diverged(pub String);

impl std::error::Error for Diverged {}

impl std::fmt::Display for Diverged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the training diverged: {}; a lower --lr may help", self.0)
    }
}

/// Names the op, the layer and the step: runs the step again, to the same bits, now with a look at every value.
pub fn in_step(model: &Sequential, batch: &Batch, seed: u64, steps: u64, symptom: String) -> Diverged {
    named(Tape::with_seed(seed), model, steps, symptom, |tape| {
        let logits = model.forward(tape.constant(batch.x.clone()));
        drop(logits.cross_entropy(&batch.labels).backward());
    })
}

/// Like [`in_step`], where every step was finite but the test is not.
pub fn in_test(model: &Sequential, test: &ImageDataset, steps: u64, symptom: String) -> Diverged {
    named(Tape::inference(), model, steps - 1, symptom, |tape| {
        for batch in test.batches(EVALUATION_BATCH) {
            let _ = model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels);
        }
    })
}

/// The first thing that `run` finds not to be finite, or else the symptom. The tape says it in a panic.
fn named(
    mut tape: Tape,
    model: &Sequential,
    steps: u64,
    symptom: String,
    run: impl FnOnce(&Tape),
) -> Diverged {
    tape.detect_anomaly(model);
    tape.set_steps(steps);
    tape.reset();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(&tape)));
    panic::set_hook(hook);
    let words = |panic: Box<dyn Any + Send>| panic.downcast::<String>().ok().map(|words| *words);
    Diverged(outcome.err().and_then(words).unwrap_or(format!("{symptom} at step {}", steps + 1)))
}

/// Whether everything that would be saved is finite: no loss has seen yet what the last update did.
pub fn check<R: Rule>(model: &Sequential, opt: &Optimizer<R>) -> Result<(), Diverged> {
    let mut culprit = None;
    let mut look = |name: String, tensor: &Tensor| {
        if let (None, Some((at, x))) = (&culprit, first_non_finite(tensor)) {
            culprit = Some(format!("{} has made `{name}` {x} at {at:?} by step {}", R::NAME, opt.steps()));
        }
    };
    model.visit(&mut ModulePath::default(), &mut |name, leaf| match leaf {
        Leaf::Param(param) => look(name.to_owned(), param.value()),
        Leaf::Buffer(buffer) => look(name.to_owned(), buffer.value()),
    });
    for (param, state) in opt.states() {
        for (field, value) in state.fields() {
            if let Field::Tensor(tensor) = value {
                look(format!("{param}/{field}"), tensor);
            }
        }
    }
    culprit.map_or(Ok(()), |culprit| Err(Diverged(culprit)))
}
