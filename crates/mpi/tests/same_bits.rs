//! A run gives the same bits at any number of ranks, and with one shard those of the plain loop.

mod run;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ndarray::{Array2, Axis};
use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert::data::Rows;
use wengert::prelude::*;
use wengert_mpi::{Alone, Group, GroupError, Shards, Threads};

use run::{Outcome, data, start, train};

const DEADLINE: Duration = Duration::from_secs(60);

/// A loop as anyone would write it, without shards.
fn plain_loop(steps: u64) -> Outcome {
    let (train, index) = data();
    let (mut model, mut opt) = start();
    let mut tape = Tape::with_seed(7);
    let mut losses = Vec::new();
    for rows in run::batches(&index, steps) {
        tape.reset();
        let batch = train.gather(&rows);
        let loss = model.forward(tape.constant(batch.0)).cross_entropy(&batch.1);
        losses.push(loss.item().to_bits());
        let grads = loss.backward();
        opt.step(&mut model, &grads);
    }
    Outcome::new(&model, &opt, losses)
}

#[test]
fn one_shard_is_the_plain_loop() {
    assert_eq!(train(&Shards::new(&Alone, 1).unwrap(), 40), plain_loop(40));
}

#[test]
fn any_number_of_ranks_gives_the_same_bits() {
    for shards in [8, 5] {
        let alone = train(&Shards::new(&Alone, shards).unwrap(), 40);
        assert_ne!(alone, plain_loop(40), "batch norm sees shards");
        for ranks in (1..=8).filter(|&ranks| ranks <= shards) {
            let all = Threads::run(ranks, DEADLINE, |group| train(&Shards::new(group, shards).unwrap(), 40));
            assert_eq!(all.len(), ranks);
            for (rank, outcome) in all.iter().enumerate() {
                assert_eq!(*outcome, alone, "rank {rank} of {ranks} with {shards} shards");
            }
        }
    }
}

/// Without batch norm and dropout, shards give the gradients of the whole batch, up to rounding.
#[test]
fn the_mean_weights_shards_by_their_rows() {
    let rng = &mut StdRng::seed_from_u64(1);
    let model: Sequential<f64> =
        Sequential::new().with(Dense::new(3, 4, rng)).with(Activation::Tanh).with(Dense::new(4, 2, rng));
    let x = Array2::from_shape_fn((23, 3), |(i, j)| (i as f64 * 0.7 + j as f64).sin());
    let labels: Vec<usize> = (0..23).map(|i| i * i % 2).collect();
    // A closure cannot say that what it returns lives as long as the tape.
    fn of<F: for<'t> Fn(&'t Tape<f64>, &[usize]) -> Var<'t, f64>>(loss: F) -> F {
        loss
    }
    let loss_of = of(|tape, rows| {
        let labels: Vec<_> = rows.iter().map(|&row| labels[row]).collect();
        model.forward(tape.constant(x.select(Axis(0), rows))).cross_entropy(&labels)
    });
    for n in 1..=23 {
        let rows: Vec<_> = (0..n).rev().collect();
        let tape = Tape::new();
        let loss = loss_of(&tape, &rows);
        let (loss, grads) = (loss.item(), loss.backward());
        for (shards, ranks) in [(8, 1), (8, 3), (7, 7)] {
            let all = Threads::run(ranks, DEADLINE, |group| {
                Shards::new(group, shards).unwrap().step(&mut Tape::new(), &model, &rows, loss_of).unwrap()
            });
            for (shard_loss, shard_grads) in all {
                assert!((shard_loss - loss).abs() < 1e-14);
                assert_eq!(shard_grads.len(), 4);
                for (ours, whole) in shard_grads.iter().zip(&grads) {
                    assert!(
                        ours.iter().zip(whole).all(|(a, b)| (a - b).abs() < 1e-14),
                        "{ours} is not {whole}"
                    );
                }
            }
        }
    }
}

/// The new running statistics are the mean over the shards, and the step counts once.
#[test]
fn running_statistics_move_by_the_mean_over_shards() {
    let mut norm = BatchNorm::<f64>::new(2);
    let x = Array2::from_shape_fn((7, 2), |(i, j)| (i * i + 3 * j) as f64);
    let rows: Vec<_> = (0..7).collect();
    // Seven rows make three shards of 2, 2 and 3.
    let shards = [0..2, 2..4, 4..7].map(|shard| x.select(Axis(0), &shard.collect::<Vec<_>>()));
    let mean = |f: &dyn Fn(&Array2<f64>) -> ndarray::Array1<f64>| {
        shards.iter().map(|shard| f(shard) * (shard.nrows() as f64 / 7.0)).reduce(|a, b| a + b).unwrap()
    };
    let means = mean(&|shard| shard.mean_axis(Axis(0)).unwrap()) * 0.1;
    let variances = mean(&|shard| shard.var_axis(Axis(0), 1.0)) * 0.1 + 0.9;
    let all = Threads::run(3, DEADLINE, |group| {
        let step = Shards::new(group, 8).unwrap().step(&mut Tape::new(), &norm, &rows, |tape, rows| {
            norm.forward(tape.constant(x.select(Axis(0), rows))).square().mean()
        });
        step.unwrap().1
    });
    all[2].apply_buffer_updates(&mut norm);
    let near =
        |a: &Tensor<f64>, b: &ndarray::Array1<f64>| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(near(norm.running_mean.value(), &means), "{} is not {means}", norm.running_mean.value());
    assert!(near(norm.running_var.value(), &variances), "{} is not {variances}", norm.running_var.value());
    assert_eq!(norm.num_batches_tracked.value().sum(), 1.0);
}

/// A parameter that took part in some shards has the sum over them; one that took part in none has no gradient, and
/// neither has a frozen one. So it is with the values of buffers.
#[test]
fn what_no_shard_has_seen_is_left_alone() {
    struct Parts {
        some: Param<f64>,
        none: Param<f64>,
        frozen: Param<f64>,
        always: Param<f64>,
        seen: Buffer<f64>,
        unseen: Buffer<f64>,
    }
    module!(Parts: f64 { some, none, frozen, always, seen, unseen });
    let [some, none, frozen, always] = [2.0, 3.0, 5.0, 7.0].map(Param::new);
    let [seen, unseen] = [11.0, 13.0].map(Buffer::new);
    let mut model = Parts { some, none, frozen, always, seen, unseen };
    model.freeze("frozen");
    let rows: Vec<_> = (0..16).collect();
    for ranks in [1, 2, 5, 8] {
        let all = Threads::run(ranks, DEADLINE, |group| {
            let step = Shards::new(group, 8).unwrap().step(&mut Tape::new(), &model, &rows, |tape, rows| {
                let loss = tape.param(&model.always) * tape.param(&model.frozen);
                if rows.contains(&13) {
                    tape.update_buffer(&model.seen, Tensor::from_elem(vec![], 19.0));
                    return loss + tape.param(&model.some).square();
                }
                loss
            });
            step.unwrap()
        });
        for (loss, grads) in all {
            // One of eight shards: 35 + 4 / 8.
            assert_eq!(loss, 35.5);
            assert_eq!(grads.get(&model.some).unwrap().sum(), 0.5);
            assert_eq!(grads.get(&model.always).unwrap().sum(), 5.0);
            assert!(grads.get(&model.none).is_none() && grads.get(&model.frozen).is_none());
            assert_eq!(grads.buffer_update(&model.seen).unwrap().sum(), 12.0); // 11 + (19 - 11) / 8
            assert!(grads.buffer_update(&model.unseen).is_none());
        }
    }
}

/// The input is read by shard: each row of a batch on one rank, and none twice.
#[test]
fn a_rank_reads_only_its_shards() {
    let model: Param = Param::new(1.0);
    let rows: Vec<_> = (100..131).collect();
    let all = Threads::run(4, DEADLINE, |group| {
        let read = std::sync::Mutex::new(Vec::new());
        let step = Shards::new(group, 8).unwrap().step(&mut Tape::new(), &model, &rows, |tape, rows| {
            read.lock().unwrap().extend_from_slice(rows);
            tape.param(&model)
        });
        let _ = step.unwrap();
        read.into_inner().unwrap()
    });
    assert!(all.iter().all(|read| read.len() < 10), "{all:?}");
    assert_eq!(all.concat(), rows);
}

/// Dropout draws anew for each step and each shard, and the same on any rank.
#[test]
fn each_shard_of_each_step_has_random_numbers_of_its_own() {
    const STEPS: usize = 4;
    let (dropout, scale) = (Dropout::new(0.5), Param::<f32>::new(1.0));
    let rows: Vec<_> = (0..16).collect();
    let draws = |shards: &Shards| {
        let drawn = RefCell::new(Vec::new());
        let mut tape = Tape::with_seed(7);
        for _ in 0..STEPS {
            let step = shards.step(&mut tape, &scale, &rows, |tape, _| {
                let out = dropout.forward(tape.constant(Tensor::ones(vec![2, 32])));
                drawn.borrow_mut().push(out.value().iter().map(|&x| x > 0.0).collect());
                out.mean() * tape.param(&scale)
            });
            let _ = step.unwrap();
        }
        drawn.into_inner()
    };
    let alone: Vec<Vec<bool>> = draws(&Shards::new(&Alone, 8).unwrap());
    assert_eq!(alone.len(), 8 * STEPS);
    for (i, draw) in alone.iter().enumerate() {
        assert!(!alone[..i].contains(draw), "draw {i} was there before");
    }
    let all = Threads::run(4, DEADLINE, |group| draws(&Shards::new(group, 8).unwrap()));
    for (rank, drawn) in all.iter().enumerate() {
        for (step, drawn) in drawn.chunks(2).enumerate() {
            assert_eq!(drawn, &alone[8 * step + 2 * rank..][..2], "rank {rank} in step {step}");
        }
    }
}

#[test]
#[should_panic = "a batch without rows"]
fn an_empty_batch_is_a_mistake() {
    let model: Param = Param::new(1.0);
    let _ = Shards::new(&Alone, 8).unwrap().step(&mut Tape::new(), &model, &[], |tape, _| tape.param(&model));
}

#[test]
fn every_rank_gets_the_message_of_rank_0() {
    for ranks in 1..=9 {
        let all =
            Threads::run(ranks, DEADLINE, |group| group.broadcast(vec![group.rank() as u8; 3]).unwrap());
        assert_eq!(all, vec![[0; 3]; ranks]);
    }
}

/// Counts what a rank sends.
struct Counting<'g> {
    group: &'g Threads,
    sent: Cell<usize>,
}

impl Group for Counting<'_> {
    fn rank(&self) -> usize {
        self.group.rank()
    }

    fn size(&self) -> usize {
        self.group.size()
    }

    fn exchange(&self, to: &[usize], message: Vec<u8>, from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        self.sent.set(self.sent.get() + to.len() * message.len());
        self.group.exchange(to, message, from)
    }
}

/// Each rank sends all numbers once for each doubling of the ranks, with four bytes behind them: the loss, and every
/// tensor with a number before it.
#[test]
fn what_a_step_sends_grows_with_the_logarithm_of_the_ranks() {
    let tensors = start().0.state_dict();
    let numbers = 1 + tensors.values().map(|tensor| 1 + tensor.len()).sum::<usize>();
    for ranks in [1, 2, 4, 8] {
        let all = Threads::run(ranks, DEADLINE, |group| {
            let group = Counting { group, sent: Cell::new(0) };
            train(&Shards::new(&group, 8).unwrap(), 3);
            group.sent.get()
        });
        assert_eq!(all, vec![3 * ranks.ilog2() as usize * (4 + numbers * size_of::<f32>()); ranks]);
    }
}
