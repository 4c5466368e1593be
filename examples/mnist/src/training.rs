//! The training loop.

use std::io::{self, Write};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert::data::mnist::TrainTest;
use wengert::data::{Batch, Batches, ImageDataset};
use wengert::optim::{Schedule, checkpoint};
use wengert::prelude::*;

use crate::cli::Args;
use crate::divergence::{self, Diverged};
use crate::output::{Console, Metrics};
use crate::report::{Confusion, Epoch, Score, Speed, evaluate};
use crate::resume::{self, Run};
use crate::signals::Signals;
use crate::{Outcome, plots};

pub struct Training<'a, R: Rule> {
    args: &'a Args,
    data: &'a TrainTest,
    /// Steps of an epoch.
    per_epoch: usize,
    model: Sequential,
    opt: Optimizer<R>,
    tape: Tape,
    schedule: Schedule,
    /// Finds the learning rate among the hyper-parameters.
    lr: fn(&mut R) -> &mut f64,
    /// What is done.
    run: Run,
}

impl<'a, R: Rule + Serialize + DeserializeOwned> Training<'a, R> {
    /// From the first step, or with `--resume` from where the checkpoint is.
    pub fn start(
        args: &'a Args,
        data: &'a TrainTest,
        mut model: Sequential,
        mut rule: R,
        lr: fn(&mut R) -> &mut f64,
        console: &mut Console,
    ) -> Outcome<Self> {
        let per_epoch = batches(args, &data.train, 1).len();
        let schedule = args.schedule.over(*lr(&mut rule), per_epoch as u64 * u64::from(args.epochs));
        let mut opt = Optimizer::new(rule);
        let run = resume::load(args, data, per_epoch, &mut model, &mut opt, console)?;
        let mut tape = Tape::with_seed(args.seed);
        tape.set_steps(opt.steps());
        Ok(Self { args, data, per_epoch, model, opt, tape, schedule, lr, run })
    }

    /// The epochs that are left, unless a signal comes; returns the exit code.
    pub fn run(mut self, signals: &Signals, console: &mut Console) -> Outcome<u8> {
        signals.defer();
        let mut metrics = Metrics::create(self.args, &self.run.history)?;
        let (train, test) = (self.data.train.len(), self.data.test.len());
        let parameters = self.model.parameter_count();
        console.say(format!("{parameters} parameters, {train} training images, {test} test images"));

        let last = self.args.stop_after.unwrap_or(self.args.epochs).min(self.args.epochs);
        for number in self.run.history.len() as u32 + 1..=last {
            let (start, before) = (Instant::now(), self.run.score.count());
            if let Some(code) = self.epoch(number, signals)? {
                return Ok(code);
            }
            let speed = Speed::new(self.run.score.count() - before, start.elapsed());
            let epoch = Epoch::new(number, &self.run.score, &evaluate(&self.model, &self.data.test));
            if !epoch.is_possible() {
                let symptom = format!("the test loss is {}", epoch.test_loss);
                return Err(
                    divergence::in_test(&self.model, &self.data.test, self.opt.steps(), symptom).into()
                );
            }
            self.run.history.push(epoch.clone());
            self.run.score = Score::default();
            // Before anything is told: to tell may fail.
            self.save()?;
            metrics.write(&epoch, Some(&speed))?;
            console.say(format!("{epoch}  {speed}"));
            if let Some(code) = signals.received() {
                self.tell_interruption(&format!("after epoch {number} of {}", self.args.epochs));
                return Ok(code);
            }
        }
        self.finish(console)?;
        metrics.close()?;
        Ok(0)
    }

    /// The steps of an epoch that are left; the exit code if a signal came before the last of them.
    fn epoch(&mut self, number: u32, signals: &Signals) -> Outcome<Option<u8>> {
        // Some, if the run was interrupted in the middle of this epoch.
        let mut done = self.run.steps_of_epoch(self.opt.steps(), self.per_epoch).unwrap_or(0);
        let bar = progress_bar(self.args, number, self.per_epoch, done);
        for batch in batches(self.args, &self.data.train, number).skip(done) {
            self.step(&batch)?;
            done += 1;
            bar.inc(1);
            if let Some(code) = signals.received()
                && done < self.per_epoch
            {
                bar.finish_and_clear();
                self.save()?;
                self.tell_interruption(&format!(
                    "in epoch {number} after {done} of {} steps",
                    self.per_epoch
                ));
                return Ok(Some(code));
            }
        }
        bar.finish_and_clear();
        Ok(None)
    }

    /// One step. Where a number is not finite, nothing changes.
    fn step(&mut self, batch: &Batch) -> Result<(), Diverged> {
        let Self { args, model, opt, tape, .. } = self;
        let step = opt.steps();
        *(self.lr)(opt.rule_mut()) = self.schedule.at(step);

        tape.reset();
        let logits = model.forward(tape.constant(batch.x.clone()));
        let loss = logits.cross_entropy(&batch.labels);
        if !loss.item().is_finite() {
            return Err(divergence::in_step(
                model,
                batch,
                args.seed,
                step,
                format!("the loss is {}", loss.item()),
            ));
        }
        let grads = loss.backward();
        if let Err(culprit) = opt.step_if_finite(model, &grads) {
            return Err(divergence::in_step(model, batch, args.seed, step, culprit.to_string()));
        }
        self.run.score.add(loss.item(), &logits.value(), &batch.labels);
        Ok(())
    }

    /// Writes the checkpoint, if one is wanted; never over a good one with numbers that are not finite.
    fn save(&self) -> Outcome<()> {
        divergence::check(&self.model, &self.opt)?;
        if let Some(file) = &self.args.checkpoint {
            checkpoint::save(file, &self.model, &self.opt, &self.run)?;
        }
        Ok(())
    }

    fn tell_interruption(&self, place: &str) {
        let saved = self.args.checkpoint.as_ref().map_or_else(
            || "nothing is saved, since there was no --checkpoint".to_owned(),
            |file| format!("saved to {}; the same command with --resume goes on", file.display()),
        );
        let _ = writeln!(io::stderr(), "interrupted {place}: {saved}");
    }

    fn finish(&self, console: &mut Console) -> Outcome<()> {
        let test = &self.data.test;
        let confusion = Confusion::of(&self.model, test);
        if let Some(file) = &self.args.save {
            checkpoint::save_weights(file, &self.model)?;
        }
        if let Some(directory) = &self.args.plots {
            plots::draw(directory, &self.run.history, &confusion.mistakes, test)?;
        }
        console.say(format!("\n{confusion}\n"));
        let correct = confusion.correct();
        let share = correct as f64 / test.len() as f64;
        console.result(format!("test accuracy {share:.4} ({correct}/{})", test.len()));
        Ok(())
    }
}

/// The images in an order that follows from the seed and the epoch alone, so that a resumed run sees the same one. The
/// last batch is smaller than the others. Where one image would remain, batch norm could not take its variance: that
/// image is left out of the epoch.
fn batches<'a>(args: &Args, train: &'a ImageDataset, epoch: u32) -> Batches<'a> {
    let rng = &mut StdRng::seed_from_u64(args.seed ^ u64::from(epoch) << 32);
    let batches = train.batches(args.batch_size).shuffle(rng);
    if train.len() % args.batch_size == 1 { batches.drop_last() } else { batches }
}

fn progress_bar(args: &Args, epoch: u32, steps: usize, done: usize) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {eta}").expect("a valid template");
    let bar = ProgressBar::new(steps as u64).with_style(style).with_prefix(format!("epoch {epoch:>2}"));
    bar.with_position(done as u64)
}
