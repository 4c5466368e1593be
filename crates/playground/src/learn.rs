//! Networks that learn, one for each rule, side by side: the same start, the same batches.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{IntoTensor, LeafMut, Module, ModulePath, Param, Tape, Tensor};
use wengert_data::metrics::argmax;
use wengert_data::synthetic;
use wengert_layers::{Activation, Dense, Layer, Sequential};
use wengert_optim::inspect::Quantiles;

use crate::rules::{Choice, Walks};

const PIXELS: usize = 28 * 28;
/// Generated digits in a batch, and as many of those that were taught, if there are that many.
const BATCH: usize = 32;
/// Steps in one answer.
const MOST_STEPS: usize = 1000;
/// Points along the side of XOR's plane.
const LONGEST_SIDE: usize = 200;
/// Drawings that are kept; points in one of them.
const MOST_TAUGHT: usize = 1000;
const MOST_POINTS: usize = 10_000;
/// Whose rate and v are shown: the last layer's, which both tasks have, and which are few enough to sort in each frame.
const WATCHED: &str = "2.weight";

/// A drawing: points `[x, y]`, with `y` downwards.
pub(crate) type Strokes = Vec<Vec<[f32; 2]>>;

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Task {
    Xor,
    Digits,
}

impl Task {
    fn network(self, seed: u64) -> Sequential {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (inputs, hidden, between, classes) = match self {
            Self::Xor => (2, 8, Activation::Tanh, 2),
            Self::Digits => (PIXELS, 64, Activation::Relu, 10),
        };
        let net = Sequential::new().with(Dense::new(inputs, hidden, rng)).with(between);
        net.with(Dense::new(hidden, classes, rng))
    }
}

/// Rows of inputs with their labels.
struct Batch {
    x: Tensor,
    labels: Vec<usize>,
}

/// Before a step: the loss, and how many of the batch were right.
#[derive(Clone, Copy, Serialize)]
struct Progress {
    loss: f32,
    right: usize,
    of: usize,
}

/// The effective rate and v of the last layer's weights: 5 %, half and 95 % of them are below.
#[derive(Serialize)]
struct Memory {
    rate: [f64; 3],
    v: Option<[f64; 3]>,
}

/// The last step's progress of each network, and its memory.
#[derive(Serialize)]
pub(crate) struct Training {
    step: u64,
    learners: Vec<Trained>,
}

#[derive(Serialize)]
struct Trained {
    progress: Progress,
    memory: Memory,
}

/// The probability of 1 that each network gives to the points of a grid from -½ to 1½, row by row from the top.
#[derive(Serialize)]
pub(crate) struct Planes {
    planes: Vec<Vec<f32>>,
}

/// A drawing as the networks see it, 28 × 28 numbers from 0 to 1, and the ten probabilities of each.
#[derive(Serialize)]
pub(crate) struct Reading {
    pixels: Vec<f32>,
    probabilities: Vec<Vec<f32>>,
}

/// How many drawings are in the lesson.
#[derive(Serialize)]
pub(crate) struct Taught {
    taught: usize,
}

/// A network, and its rule at work on each of its parameters.
struct Learner {
    net: Sequential,
    walkers: BTreeMap<String, Box<dyn Walks>>,
    tape: Tape,
}

impl Learner {
    fn new(rule: &Choice, task: Task, seed: u64) -> Result<Self, String> {
        let net = task.network(seed);
        let walker = |(name, param): (String, &Param)| Ok((name, rule.walker(param.value())?));
        let walkers: Result<_, String> = net.params().into_iter().map(walker).collect();
        Ok(Self { walkers: walkers?, net, tape: Tape::new() })
    }

    fn step(&mut self, batch: &Batch) -> Progress {
        let Self { net, walkers, tape } = self;
        tape.reset();
        let logits = net.forward(tape.constant(batch.x.clone()));
        let right = right(&logits.value(), &batch.labels);
        let loss = logits.cross_entropy(&batch.labels);
        let progress = Progress { loss: loss.item(), right, of: batch.labels.len() };
        let grads = loss.backward();
        net.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
            if let LeafMut::Param(param) = leaf
                && let (Some(walker), Some(grad)) = (walkers.get_mut(name), grads.get(param))
            {
                walker.step(param.value_mut(), grad);
            }
        });
        progress
    }

    /// The probability of each class, row by row.
    fn probabilities(&self, x: Tensor) -> Tensor {
        let tape = Tape::inference();
        self.net.forward(tape.constant(x)).softmax(1).value()
    }

    fn memory(&self) -> Memory {
        let three = |tensor: &Tensor| {
            let Quantiles { p5, median, p95, .. } = Quantiles::new(tensor);
            [p5, median, p95]
        };
        let (walker, params) = (&self.walkers[WATCHED], self.net.params());
        Memory { rate: three(&walker.rate(params[WATCHED].value())), v: walker.v().as_ref().map(three) }
    }
}

fn right(logits: &Tensor, labels: &[usize]) -> usize {
    let rows = logits.outer_iter().zip(labels);
    rows.filter(|(row, label)| argmax(row.view()) == Some(**label)).count()
}

/// What is learnt, and by whom.
pub(crate) struct Lesson {
    task: Task,
    learners: Vec<Learner>,
    seed: u64,
    steps: u64,
    taught: Vec<(Vec<f32>, usize)>,
}

impl Lesson {
    pub(crate) fn new(task: Task, rules: &[Choice], seed: u64) -> Result<Self, String> {
        let learners: Result<_, String> = rules.iter().map(|rule| Learner::new(rule, task, seed)).collect();
        Ok(Self { task, learners: learners?, seed, steps: 0, taught: Vec::new() })
    }

    /// With what was taught before, which is the work of whoever drew it.
    pub(crate) fn after(self, before: Option<Self>) -> Self {
        Self { taught: before.map(|lesson| lesson.taught).unwrap_or_default(), ..self }
    }

    pub(crate) fn taught(&self) -> Taught {
        Taught { taught: self.taught.len() }
    }

    pub(crate) fn train(&mut self, steps: usize) -> Result<Training, String> {
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(format!("between 1 and {MOST_STEPS} steps, not {steps}"));
        }
        let mut progress = Vec::new();
        for _ in 0..steps {
            let batch = self.batch();
            progress = self.learners.iter_mut().map(|learner| learner.step(&batch)).collect();
            self.steps += 1;
        }
        let learner = |(progress, learner): (_, &Learner)| Trained { progress, memory: learner.memory() };
        let learners = progress.into_iter().zip(&self.learners).map(learner).collect();
        Ok(Training { step: self.steps, learners })
    }

    /// Digits that no network has seen, so that what it makes of them is a test before it is a lesson.
    fn batch(&self) -> Batch {
        match self.task {
            Task::Xor => Batch {
                x: [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].into_tensor(),
                labels: vec![0, 1, 1, 0],
            },
            Task::Digits => {
                let digits = synthetic::digits(BATCH, self.seed.wrapping_add(self.steps));
                let mut x: Vec<f32> = digits.pixels().iter().map(|&ink| f32::from(ink) / 255.0).collect();
                let mut labels: Vec<_> = digits.labels().iter().map(|&label| usize::from(label)).collect();
                let turn = self.steps as usize * BATCH;
                for i in 0..self.taught.len().min(BATCH) {
                    let (pixels, label) = &self.taught[(turn + i) % self.taught.len()];
                    x.extend(pixels);
                    labels.push(*label);
                }
                Batch { x: (&x[..], [labels.len(), PIXELS]).into_tensor(), labels }
            }
        }
    }

    pub(crate) fn plane(&self, side: usize) -> Result<Planes, String> {
        self.expect(Task::Xor)?;
        if !(2..=LONGEST_SIDE).contains(&side) {
            return Err(format!("a side of 2 to {LONGEST_SIDE} points, not {side}"));
        }
        let at = |i: usize| 2.0 * i as f32 / (side - 1) as f32 - 0.5;
        let points: Vec<f32> =
            (0..side * side).flat_map(|i| [at(i % side), at(side - 1 - i / side)]).collect();
        let points = (&points[..], [side * side, 2]).into_tensor();
        let plane = |learner: &Learner| {
            let p = learner.probabilities(points.clone());
            p.outer_iter().map(|row| row[1]).collect()
        };
        Ok(Planes { planes: self.learners.iter().map(plane).collect() })
    }

    pub(crate) fn read(&self, strokes: &Strokes) -> Result<Reading, String> {
        self.expect(Task::Digits)?;
        let pixels = pixels(strokes)?;
        let read = |learner: &Learner| {
            let p = learner.probabilities((&pixels[..], [1, PIXELS]).into_tensor());
            p.iter().copied().collect()
        };
        let probabilities = self.learners.iter().map(read).collect();
        Ok(Reading { pixels, probabilities })
    }

    pub(crate) fn teach(&mut self, strokes: &Strokes, label: u8) -> Result<Taught, String> {
        self.expect(Task::Digits)?;
        if label > 9 {
            return Err(format!("a digit from 0 to 9, not {label}"));
        }
        if self.taught.len() == MOST_TAUGHT {
            return Err(format!("{MOST_TAUGHT} drawings are enough"));
        }
        self.taught.push((pixels(strokes)?, label.into()));
        Ok(self.taught())
    }

    fn expect(&self, task: Task) -> Result<(), String> {
        if self.task == task { Ok(()) } else { Err("the networks learn something else".to_owned()) }
    }
}

fn pixels(strokes: &Strokes) -> Result<Vec<f32>, String> {
    if strokes.iter().flatten().count() > MOST_POINTS {
        return Err(format!("a drawing of at most {MOST_POINTS} points"));
    }
    if !strokes.iter().flatten().flatten().all(|x| x.abs() < 1e6) {
        return Err("a drawing outside of any page".to_owned());
    }
    Ok(synthetic::drawing(strokes).iter().map(|&ink| f32::from(ink) / 255.0).collect())
}
