//! What a run reports: a line per epoch, the confusion matrix, the mistakes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wengert::data::ImageDataset;
use wengert::metrics::{self, Accuracy, argmax};
use wengert::prelude::*;

/// Images per step where nothing is learnt.
pub const EVALUATION_BATCH: usize = 500;

/// What an epoch came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub epoch: u32,
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub test_loss: f64,
    pub test_accuracy: f64,
}

/// How fast it was trained, without the evaluation; of an epoch that was interrupted, the part since then.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    seconds: f64,
    samples_per_second: f64,
}

impl Epoch {
    pub fn new(epoch: u32, train: &Score, test: &Score) -> Self {
        Self {
            epoch,
            train_loss: train.loss(),
            train_accuracy: train.accuracy(),
            test_loss: test.loss(),
            test_accuracy: test.accuracy(),
        }
    }

    /// Whether these are means and shares at all.
    pub fn is_possible(&self) -> bool {
        [self.train_loss, self.test_loss].iter().all(|loss| (0.0..=f64::from(f32::MAX)).contains(loss))
            && [self.train_accuracy, self.test_accuracy].iter().all(|share| (0.0..=1.0).contains(share))
    }
}

impl Speed {
    pub fn new(images: usize, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        Self { seconds, samples_per_second: images as f64 / seconds }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s, {:.0} images/s", self.seconds, self.samples_per_second)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "epoch {:>2}  train: loss {:.4}, accuracy {:.4}  test: loss {:.4}, accuracy {:.4}",
            self.epoch, self.train_loss, self.train_accuracy, self.test_loss, self.test_accuracy
        )
    }
}

/// Sums over the images seen so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Score {
    loss: f64,
    correct: usize,
    count: usize,
}

impl Score {
    /// Adds a batch: its mean loss, its logits `[n, classes]` and its labels.
    pub fn add(&mut self, loss: f32, logits: &Tensor, labels: &[usize]) {
        self.loss += f64::from(loss) * labels.len() as f64;
        let mut batch = Accuracy::new();
        batch.update(logits, labels);
        self.correct += batch.correct();
        self.count += batch.count();
    }

    /// How many images there were.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether this can be the score of that many images.
    pub fn is_possible(&self, images: usize) -> bool {
        self.count == images
            && self.correct <= images
            && (0.0..=f64::from(f32::MAX) * images as f64).contains(&self.loss)
    }

    /// Mean loss per image.
    pub fn loss(&self) -> f64 {
        self.loss / self.count as f64
    }

    /// Share of the images read correctly.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.count as f64
    }
}

/// Reads every image of `data` without learning.
pub fn evaluate(model: &impl Layer, data: &ImageDataset) -> Score {
    let mut score = Score::default();
    let mut tape = Tape::inference();
    for batch in data.batches(EVALUATION_BATCH) {
        tape.reset();
        let logits = model.forward(tape.constant(batch.x));
        let loss = logits.cross_entropy(&batch.labels);
        score.add(loss.item(), &logits.value(), &batch.labels);
    }
    score
}

/// A test image that the network misreads.
#[derive(Debug)]
pub struct Mistake {
    pub index: usize,
    pub label: usize,
    pub prediction: usize,
    /// What the network gives its wrong answer.
    pub probability: f32,
}

/// How often each digit was read as which.
#[derive(Debug)]
pub struct Confusion {
    all: metrics::Confusion,
    /// The surest first.
    pub mistakes: Vec<Mistake>,
}

impl Confusion {
    pub fn of(model: &impl Layer, data: &ImageDataset) -> Self {
        let mut confusion = Self { all: metrics::Confusion::new(data.classes()), mistakes: Vec::new() };
        let mut tape = Tape::inference();
        let mut index = 0;
        for batch in data.batches(EVALUATION_BATCH) {
            tape.reset();
            let probabilities = model.forward(tape.constant(batch.x)).softmax(1).value();
            for (row, &label) in probabilities.rows().into_iter().zip(&batch.labels) {
                let prediction = argmax(row);
                confusion.all.record(label, prediction);
                if let Some(prediction) = prediction.filter(|&class| class != label) {
                    let probability = row[prediction];
                    confusion.mistakes.push(Mistake { index, label, prediction, probability });
                }
                index += 1;
            }
        }
        confusion.mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        confusion
    }

    /// How many images were read correctly.
    pub fn correct(&self) -> usize {
        self.all.counts().diag().sum()
    }
}

impl fmt::Display for Confusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "label \\ read as")?;
        let counts = self.all.counts();
        for class in 0..counts.ncols() {
            write!(f, "{class:>6}")?;
        }
        for (label, row) in counts.rows().into_iter().enumerate() {
            write!(f, "\n{label:>15}")?;
            for &count in row {
                if count == 0 { write!(f, "{:>6}", "·")? } else { write!(f, "{count:>6}")? }
            }
        }
        Ok(())
    }
}
