//! A directory of checkpoints: what is kept, and that what was just saved is.

use std::fs;

use wengert_autodiff::{Param, Tape};
use wengert_optim::checkpoint::{self, Checkpoint, Directory, Loaded};
use wengert_optim::{Optimizer, Sgd};

fn start() -> (Param, Optimizer<Sgd>) {
    (Param::new([1.0]), Optimizer::new(Sgd::default()))
}

fn train(model: &mut Param, opt: &mut Optimizer<Sgd>) {
    let tape = Tape::new();
    let grads = tape.param(model).square().sum().backward();
    opt.step(model, &grads);
}

#[test]
fn a_directory_keeps_the_latest_and_the_best() {
    let temporary = tempfile::tempdir().unwrap();
    let (mut model, mut opt) = start();
    let path = temporary.path().join("run");
    let directory = Directory { path: path.clone(), latest: 2, best: 1 };
    assert!(directory.latest().unwrap().is_none() && directory.best().unwrap().is_none());
    let losses =
        [Some(0.5), Some(0.25), Some(f64::NAN), None, Some(1e-7), Some(f64::INFINITY), Some(1.0), Some(2.0)];
    let mut kept = Vec::new();
    train(&mut model, &mut opt);
    train(&mut model, &mut opt);
    for loss in losses {
        train(&mut model, &mut opt);
        directory.save(&model, &opt, &loss.is_some(), loss).unwrap();
        kept.push(directory.all().unwrap().iter().map(|saved| saved.step).collect::<Vec<_>>());
    }
    let expected = [&[3][..], &[3, 4], &[4, 5], &[4, 5, 6], &[6, 7], &[7, 8], &[7, 8, 9], &[7, 9, 10]];
    assert_eq!(kept, expected);
    assert_eq!(directory.best().unwrap().unwrap().loss, Some(1e-7));

    fs::write(temporary.path().join("file"), "").unwrap();
    let no_directory = Directory { path: temporary.path().join("file/run"), ..directory.clone() };
    let error = no_directory.latest().unwrap_err(); // and not a run that starts from nothing
    assert!(error.to_string().contains("cannot list"), "{error}");

    fs::write(path.join("notes.txt"), "mine").unwrap();
    let latest = directory.latest().unwrap().unwrap();
    assert_eq!(latest.step, 10);
    let (mut model, mut opt) = start();
    let loaded: Loaded<bool> = checkpoint::load(latest.path, &mut model, &mut opt).unwrap();
    assert!(loaded.extra);
    directory.save(&model, &opt, &true, None).unwrap();
    assert!(path.join("notes.txt").exists());
}

/// Steps that are there, the step that is saved, and the steps that are there afterwards: two of the latest, no best.
#[test]
fn what_was_just_saved_is_there_whatever_else_is() {
    for (there, step, kept) in [
        (&[100, 200, 300][..], 2, &[2, 100, 200, 300][..]), // a new run where an old one was
        (&[1, 2, 100, 200, 300], 3, &[2, 3, 100, 200, 300]),
        (&[99, 100, 200, 300], 101, &[100, 101, 200, 300]), // a run that went back to 100
        (&[100, 101, 200], 200, &[101, 200]),
        (&[], 7, &[7]),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let (at_step, path) = (temporary.path().join("at step"), temporary.path().join("run"));
        fs::create_dir(&path).unwrap();
        for step in there {
            fs::write(path.join(format!("step-{step:012}.wgt")), "").unwrap();
        }
        let (mut model, mut opt) = start();
        checkpoint::save(&at_step, &model, &opt, &()).unwrap();
        let mut file = Checkpoint::read(&at_step).unwrap();
        file.optimizer.as_mut().unwrap().steps = step;
        file.write(&at_step).unwrap();
        checkpoint::load::<(), _, _>(&at_step, &mut model, &mut opt).unwrap();
        let directory = Directory { path, latest: 2, best: 0 };
        let saved = directory.save(&model, &opt, &(), None).unwrap();
        assert!(saved.exists());
        let steps: Vec<_> = directory.all().unwrap().iter().map(|saved| saved.step).collect();
        assert_eq!(steps, kept, "{there:?} and {step}");
    }
}

#[test]
fn the_file_just_saved_stays_beside_others_of_its_step_and_better_ones() {
    let temporary = tempfile::tempdir().unwrap();
    let (model, opt) = start();
    let directory = Directory { path: temporary.path().join("run"), latest: 0, best: 1 };
    for loss in [Some(0.5), Some(0.25), Some(0.75), None, Some(f64::NAN), Some(1.0)] {
        let saved = directory.save(&model, &opt, &(), loss).unwrap();
        assert!(saved.exists(), "{loss:?}");
    }
    assert_eq!(directory.all().unwrap().len(), 2);
    assert_eq!(directory.best().unwrap().unwrap().loss, Some(0.25));
}

/// Each removes what the other may be about to remove.
#[test]
fn writers_into_one_directory_do_not_fail_when_their_file_was_saved() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory { path: temporary.path().join("run"), latest: 1, best: 0 };
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let directory = &directory;
            scope.spawn(move || {
                let (mut model, mut opt) = start();
                for save in 0..100 {
                    train(&mut model, &mut opt);
                    directory.save(&model, &opt, &(), Some(f64::from(2 * save + writer))).unwrap();
                }
            });
        }
    });
}
