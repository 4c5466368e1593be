//! A run that stops and goes on ends with the same bits as one that did not stop: for every rule, with dropout, batch
//! norm, shuffling, a schedule and groups, on one thread and on two.

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Tape, Tensor, Var, module};
use wengert_layers::{BatchNorm, Dense, Dropout, Layer};
use wengert_optim::Epsilon::Inside;
use wengert_optim::WeightDecay::Decoupled;
use wengert_optim::checkpoint::{self, Checkpoint, Loaded};
use wengert_optim::{Adam, Optimizer, RmsProp, Rule, Sgd, for_every_rule};

const EPOCHS: u64 = 4;
const ROWS: usize = 430;
const BATCH: usize = 96;
const BATCHES: u64 = 5; // the last of 46

/// Large enough, with this batch, that two threads share a matrix product.
const INPUTS: usize = 96;
const HIDDEN: usize = 128;

const SEED: u64 = 11;

struct Mlp {
    hidden: Dense,
    norm: BatchNorm,
    dropout: Dropout,
    out: Dense,
}

module!(Mlp { hidden, norm, out });

impl Mlp {
    fn new() -> Self {
        let rng = &mut StdRng::seed_from_u64(SEED);
        Self {
            hidden: Dense::new(INPUTS, HIDDEN, rng),
            norm: BatchNorm::new(HIDDEN),
            dropout: Dropout::new(0.3),
            out: Dense::new(HIDDEN, 3, rng),
        }
    }

    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let h = self.norm.forward(self.hidden.forward(x)).tanh();
        self.out.forward(self.dropout.forward(h))
    }
}

/// What the loop needs beside model and optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    epoch: u64,
    batch: usize,
    /// Of a schedule that remembers.
    best: Option<f64>,
    rate: f64,
}

struct Run<R: Rule> {
    model: Mlp,
    opt: Optimizer<R>,
    tape: Tape,
    at: Position,
    set_lr: fn(&mut R, f64),
}

impl<R: Rule + Serialize + DeserializeOwned> Run<R> {
    fn new(rule: &R, set_lr: fn(&mut R, f64)) -> Self {
        let mut bias = rule.clone();
        set_lr(&mut bias, 0.02);
        Self {
            model: Mlp::new(),
            opt: Optimizer::new(rule.clone()).with_group("*.bias", bias),
            tape: Tape::with_seed(SEED),
            at: Position { epoch: 0, batch: 0, best: None, rate: 0.05 },
            set_lr,
        }
    }

    fn load(path: &Path, rule: &R, set_lr: fn(&mut R, f64)) -> Self {
        let mut run = Self::new(rule, set_lr);
        let Loaded { extra, report } = checkpoint::load(path, &mut run.model, &mut run.opt).unwrap();
        assert!(report.is_complete());
        run.at = extra;
        run.tape.set_steps(run.opt.steps());
        run
    }

    fn save(&self, path: &Path) {
        checkpoint::save(path, &self.model, &self.opt, &self.at).unwrap();
    }

    /// Trains until the end, or until so many steps are done in all.
    fn train(&mut self, until: u64) {
        let (x, labels) = data();
        while self.at.epoch < EPOCHS {
            let mut order: Vec<_> = (0..ROWS).collect();
            order.shuffle(&mut StdRng::seed_from_u64(SEED ^ (self.at.epoch << 32)));
            for rows in order.chunks(BATCH).skip(self.at.batch) {
                if self.opt.steps() == until {
                    return;
                }
                self.step(&x, &labels, rows);
                self.at.batch += 1;
            }
            self.at = Position { epoch: self.at.epoch + 1, batch: 0, ..self.at.clone() };
        }
    }

    fn step(&mut self, x: &Tensor, labels: &[usize], rows: &[usize]) {
        let rate = self.at.rate;
        for (index, rule) in self.opt.rules_mut().enumerate() {
            (self.set_lr)(rule, rate / (1.0 + index as f64));
        }
        self.tape.reset();
        let batch = x.select(ndarray::Axis(0), rows).into_shared();
        let labels: Vec<_> = rows.iter().map(|&row| labels[row]).collect();
        let loss = self.model.forward(self.tape.constant(batch)).cross_entropy(&labels);
        let (grads, loss) = (loss.backward(), f64::from(loss.item()));
        self.opt.step(&mut self.model, &grads);
        if self.at.best.is_some_and(|best| best <= loss) {
            self.at.rate *= 0.97;
        } else {
            self.at.best = Some(loss);
        }
    }

    /// Everything, to the last bit.
    fn bits(&self, directory: &Path) -> (Checkpoint, Position) {
        let path = directory.join("bits.wgt");
        self.save(&path);
        (Checkpoint::read(&path).unwrap(), self.at.clone())
    }
}

fn data() -> (Tensor, Vec<usize>) {
    let x =
        ndarray::Array2::from_shape_fn((ROWS, INPUTS), |(i, j)| ((i * 31 + j * 17) % 23) as f32 / 11.0 - 1.0);
    (x.into_dyn().into_shared(), (0..ROWS).map(|i| i * i % 3).collect())
}

fn stopping_changes_no_bit<R: Rule + Serialize + DeserializeOwned>(rule: R, set_lr: fn(&mut R, f64)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.wgt");
    let expected = on_threads(1, || {
        let mut whole = Run::new(&rule, set_lr);
        whole.train(u64::MAX);
        assert_eq!(whole.opt.steps(), EPOCHS * BATCHES);
        whole.bits(directory.path())
    });

    // Before the first gradient, inside an epoch, at its end, before the last step.
    for stops in [vec![0], vec![3], vec![5], vec![19], vec![1, 2, 7, 10, 11]] {
        let mut run = Run::new(&rule, set_lr);
        for &stop in &stops {
            run.train(stop);
            assert_eq!(run.opt.steps(), stop);
            run.save(&path);
            run = Run::load(&path, &rule, set_lr);
        }
        run.train(u64::MAX);
        assert!(run.bits(directory.path()) == expected, "{rule:?}: other bits after stopping at {stops:?}");
    }

    // The same by way of safetensors.
    let mut run = Run::new(&rule, set_lr);
    run.train(8);
    run.save(&path);
    Checkpoint::read(&path).unwrap().write_safetensors(&path).unwrap();
    run = Run::load(&path, &rule, set_lr);
    run.train(u64::MAX);
    assert!(run.bits(directory.path()) == expected, "{rule:?}: other bits after safetensors");

    // A run that loses its state ends elsewhere, or all this would prove nothing.
    let mut run = Run::load(&path, &rule, set_lr);
    let weights = Checkpoint::from_model(&run.model);
    run.opt = Run::new(&rule, set_lr).opt;
    run.train(u64::MAX);
    assert!(Checkpoint::from_model(&run.model) != weights);
    assert!(run.bits(directory.path()) != expected, "{rule:?}: losing the state made no difference");
}

macro_rules! stop_and_go_on {
    ($($rule:expr),* $(,)?) => {
        $(stopping_changes_no_bit($rule, |rule, lr| rule.lr = lr);)*
    };
}

macro_rules! with_defaults {
    ($($rule:ty),*) => {
        stop_and_go_on!($(<$rule>::default()),*)
    };
}

/// Every rule as it is by default, and those with options that make them keep more state.
fn stopping_changes_no_bit_of_any_rule() {
    for_every_rule!(with_defaults!);
    stop_and_go_on!(
        Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() },
        RmsProp { momentum: 0.9, centered: true, bias_correction: true, ..RmsProp::default() },
        RmsProp { eps: Inside(1e-7), weight_decay: Decoupled(1e-2), ..RmsProp::default() },
        Adam { amsgrad: true, ..Adam::w() },
    );
}

fn on_threads<T: Send>(threads: usize, test: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(test)
}

#[test]
fn stopping_on_one_thread_changes_no_bit() {
    on_threads(1, stopping_changes_no_bit_of_any_rule);
}

#[test]
fn going_on_with_two_threads_instead_of_one_changes_no_bit() {
    on_threads(2, stopping_changes_no_bit_of_any_rule);
}

#[test]
fn a_thousand_relaunches_leave_the_file_at_its_size() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.wgt");
    let rule = RmsProp { centered: true, momentum: 0.9, ..RmsProp::default() };
    let mut run = Run::new(&rule, |rule, lr| rule.lr = lr);
    let start = run.at.clone();
    let mut size = None;
    for steps in 1..=1000 {
        run.train(steps);
        run.at = start.clone(); // so that the run does not end, and its numbers have as many digits
        run.save(&path);
        let now = std::fs::metadata(&path).unwrap().len();
        assert_eq!(now, *size.get_or_insert(now), "after {steps} relaunches");
        run = Run::load(&path, &rule, |rule, lr| rule.lr = lr);
    }
    assert_eq!(run.opt.steps(), 1000);
    assert_eq!(run.opt.state("hidden.weight").unwrap().steps, 1000);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
