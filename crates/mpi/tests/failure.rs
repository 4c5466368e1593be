//! Ranks that were not started alike, are gone, silent, or do something else: an error on every rank, and soon.

mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde::Serialize;
use wengert::prelude::*;
use wengert_mpi::{Alone, Group, GroupError, Shards, Threads};

use run::{start, train};

const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Clone, Serialize)]
struct Settings {
    batch_size: usize,
    data: &'static str,
}

const SETTINGS: Settings = Settings { batch_size: 32, data: "101 rows, checksum 1" };

type Start = (Sequential, Optimizer<RmsProp>, Settings, usize);
type Change = fn(&mut Start);

/// What each of four ranks is told when rank 2 alone starts with a `change`.
fn told(change: Change) -> Vec<Option<String>> {
    Threads::run(4, DEADLINE, |group| {
        let (model, opt) = start();
        let mut start = (model, opt, SETTINGS, 8);
        if group.rank() == 2 {
            change(&mut start);
        }
        let (model, opt, settings, shards) = start;
        let outcome = Shards::new(group, shards).unwrap().check(&model, &opt, &settings);
        outcome.err().map(|error| error.to_string())
    })
}

#[test]
fn equal_ranks_agree() {
    assert_eq!(told(|_| ()), vec![None; 4]);
    let (model, opt) = start();
    Shards::new(&Alone, 8).unwrap().check(&model, &opt, &()).unwrap();
}

#[test]
fn the_first_difference_is_named_on_every_rank() {
    let cases: [(Change, &str); 9] = [
        (|start| start.3 = 5, "shards is 5, not 8"),
        (|start| start.2.batch_size = 33, "batch_size is 33, not 32"),
        (
            |start| start.2.data = "101 rows, checksum 2",
            "data is \"101 rows, checksum 2\", not \"101 rows, checksum 1\"",
        ),
        // The last bit of one number, in the second of four tensors.
        (
            |start| start.0.param_mut("0.bias").unwrap().value_mut()[3] = f32::from_bits(1),
            "tensor `0.bias` is F32 [16] with checksum ",
        ),
        (
            |start| {
                start.0.visit_mut(&mut Default::default(), &mut |name, leaf| {
                    if name == "1.running_var" {
                        leaf.into_value().fill(2.0);
                    }
                })
            },
            "tensor `1.running_var` is F32 [16] with checksum ",
        ),
        (|start| _ = start.0.freeze("4.weight"), "whether `4.weight` is frozen is true, not false"),
        (
            |start| start.0 = Sequential::new(),
            "it has RmsProp: bias_correction where rank 0 has tensor `0.bias`",
        ),
        (|start| start.1.rule_mut().rho = 0.9, "RmsProp: rho is 0.9, not 0.99"),
        (
            |start| {
                let rule = RmsProp { lr: 0.5, ..*start.1.rule() };
                start.1 = start.1.clone().with_group("4.*", rule);
            },
            "it has RmsProp of group `4.*`: bias_correction where rank 0 has nothing more",
        ),
    ];
    for (change, expected) in cases {
        let told = told(change);
        let message = told[0].clone().unwrap();
        assert!(told.iter().all(|told| told.as_ref() == Some(&message)), "{told:?}");
        let found = message.strip_prefix("rank 2 differs from rank 0: ").unwrap();
        assert!(found.starts_with(expected), "{found}");
    }
}

/// A step that one rank made and the others did not.
#[test]
fn ranks_that_have_parted_are_found() {
    let all = Threads::run(2, DEADLINE, |group| {
        let (mut model, mut opt) = start();
        if group.rank() == 1 {
            let tape = Tape::with_seed(0);
            let x = Tensor::from_shape_fn(vec![4, 6], |i| (i[0] * 3 + i[1]) as f32);
            let loss = model.forward(tape.constant(x)).square().mean();
            let grads = loss.backward();
            opt.step(&mut model, &grads);
        }
        // Another step would show in the parameters first.
        let (model, _) = start();
        Shards::new(group, 2).unwrap().check(&model, &opt, &()).unwrap_err().to_string()
    });
    assert_eq!(all, ["rank 1 differs from rank 0: steps of the optimizer is 1, not 0"; 2]);
}

#[test]
fn there_are_as_many_shards_as_ranks_and_at_most_65536() {
    for ranks in [2, 3] {
        let all = Threads::run(ranks, DEADLINE, |group| Shards::<f32>::new(group, ranks - 1).map(drop));
        for error in all {
            assert!(matches!(error, Err(GroupError::ShardCount(..))), "{error:?}");
        }
    }
    assert!(matches!(Shards::<f32>::new(&Alone, 0).map(drop), Err(GroupError::ShardCount(0, 1))));
    assert!(Shards::<f32>::new(&Alone, 1 << 16).is_ok());
    for count in [(1 << 16) + 1, usize::MAX] {
        let error = Shards::<f32>::new(&Alone, count).map(drop).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{count} shards")) && error.ends_with("65536 are the most"),
            "{error}"
        );
    }
}

/// Each is told of a rank that is gone or that waits for one.
#[test]
fn a_rank_that_ends_ends_all() {
    for lost in 0..4 {
        let start = Instant::now();
        let all = Threads::run(4, DEADLINE, |group| {
            let shards = Shards::new(group, 8).unwrap();
            if group.rank() == lost {
                train(&shards, 3);
                return None;
            }
            catch_unwind(AssertUnwindSafe(|| train(&shards, 100))).err()
        });
        assert!(start.elapsed() < DEADLINE / 2, "nobody waited for the deadline");
        for (rank, panic) in all.into_iter().enumerate().filter(|(rank, _)| *rank != lost) {
            let message = panic.unwrap().downcast::<String>().unwrap();
            assert!(message.contains("Lost"), "rank {rank}: {message}");
        }
    }
}

#[test]
fn a_panic_on_one_rank_is_the_panic_of_all() {
    let panic = catch_unwind(|| {
        Threads::run(3, DEADLINE, |group| {
            assert_ne!(group.rank(), 1, "rank 1 has a fault");
            group.exchange(&[], Vec::new(), Some(1)).unwrap_err().to_string()
        })
    });
    let message = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("rank 1 has a fault"), "{message}");
}

#[test]
fn a_silent_rank_is_not_waited_for_longer_than_the_deadline() {
    let deadline = Duration::from_millis(200);
    let start = Instant::now();
    let all = Threads::run(2, deadline, |group| {
        if group.rank() == 1 {
            std::thread::sleep(6 * deadline);
            return None;
        }
        let error = group.exchange(&[], Vec::new(), Some(1)).unwrap_err();
        Some((error.to_string(), start.elapsed()))
    });
    let (message, after) = all[0].clone().unwrap();
    assert_eq!(message, "rank 1 has not answered for 200ms");
    assert!((deadline..4 * deadline).contains(&after), "{after:?}");
}

/// Two programs that do not do the same: each of the others' gradients, of other models.
#[test]
fn gradients_of_another_model_are_refused() {
    let all = Threads::run(2, DEADLINE, |group| {
        let model: Param = ndarray::Array1::<f32>::ones(2 + group.rank()).into();
        let step = Shards::new(group, 2)
            .unwrap()
            .step(&mut Tape::new(), &model, &[0, 1, 2, 3], |tape, _| tape.param(&model).sum());
        step.unwrap_err().to_string()
    });
    // Four for each number: the loss, whether there is a gradient, the gradient.
    let expected = [
        "rank 1 sent 20 bytes where 16 bytes of gradients were due",
        "rank 0 sent 16 bytes where 20 bytes of gradients were due",
    ];
    assert_eq!(all, expected);
}

/// Each rank is told of another one, never given a sum: one with other rows, or one step ahead.
#[test]
fn ranks_do_not_sum_different_batches() {
    let cases: [(&[usize], u64); 5] =
        [(&[0, 1, 2, 4], 5), (&[0, 1, 3, 2], 5), (&[0, 1, 2, 3, 4], 5), (&[0], 5), (&[0, 1, 2, 3], 6)];
    for ((other_rows, other_step), ranks) in
        cases.into_iter().flat_map(|case| [2, 3, 5].map(|ranks| (case, ranks)))
    {
        for differs in 0..ranks {
            let all = Threads::run(ranks, DEADLINE, |group| {
                let (rows, step) =
                    if group.rank() == differs { (other_rows, other_step) } else { (&[0, 1, 2, 3][..], 5) };
                let model = Param::<f32>::new(1.0);
                let mut tape = Tape::new();
                tape.set_steps(step);
                let shards = Shards::new(group, 5).unwrap();
                shards.step(&mut tape, &model, rows, |tape, _| tape.param(&model)).err()
            });
            let told = |error: &Option<GroupError>| match error {
                Some(GroupError::Apart(rank)) => *rank == differs,
                _ => false,
            };
            assert!(all.iter().all(Option::is_some), "{all:?}");
            assert!(all.iter().any(told), "rank {differs} of {ranks} differs: {all:?}");
        }
    }
}

/// A rank in a step, and one in a check.
#[test]
fn ranks_that_do_different_things_name_each_other() {
    for steps in [0, 1] {
        let all = Threads::run(2, DEADLINE, |group| {
            let model = Param::<f32>::new(1.0);
            let shards = Shards::new(group, 2).unwrap();
            if group.rank() == steps {
                let step = shards.step(&mut Tape::new(), &model, &[0, 1, 2, 3], |tape, _| tape.param(&model));
                return step.map(drop).unwrap_err();
            }
            shards.check(&model, &Optimizer::new(RmsProp::default()), &()).unwrap_err()
        });
        let other = 1 - steps;
        // Rank 1 listens before it sends, so that rank 0 gets nothing from it.
        let named = match all[steps] {
            GroupError::Lost(rank) if steps == 0 => rank,
            GroupError::Apart(rank) if steps == 1 => rank,
            _ => panic!("{all:?}"),
        };
        assert_eq!(named, other);
        assert!(matches!(all[other], GroupError::Apart(rank) if rank == steps), "{all:?}");
    }
}
