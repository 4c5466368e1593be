//! A process that saves a checkpoint after every step is killed at random moments, two hundred times. The file always
//! loads, holds what its step count says, and is never older than what the process last announced.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_autodiff::{Param, Tape};
use wengert_optim::checkpoint::{self, Loaded};
use wengert_optim::{Optimizer, Sgd};

/// Set where this test runs itself as the process that is killed.
const PATH: &str = "WENGERT_TEST_KILL_PATH";
const KILLS: u32 = 200;

/// Large enough that a write takes its time: 256 kB, and as much of momentum.
const LENGTH: usize = 1 << 16;

fn start() -> (Param, Optimizer<Sgd>) {
    let rule = Sgd { lr: 1e-3, momentum: 0.5, maximize: true, ..Sgd::default() };
    (ndarray::Array1::zeros(LENGTH).into(), Optimizer::new(rule))
}

/// Loads the file if there is one, and checks that it is all of one moment.
fn load(path: &Path) -> (Param, Optimizer<Sgd>) {
    let (mut model, mut opt) = start();
    if path.exists() {
        let Loaded { extra, report } = checkpoint::load::<u64, _, _>(path, &mut model, &mut opt).unwrap();
        assert!(report.is_complete());
        assert_eq!(opt.state("").unwrap().steps, opt.steps());
        assert_eq!(extra, opt.steps());
        let first = model.value()[0];
        assert!(first > 0.0 && model.value().iter().all(|&x| x == first), "torn between two steps");
    }
    (model, opt)
}

/// What the killed process does: it never ends by itself.
fn train_forever(path: &Path) -> ! {
    let (mut model, mut opt) = load(path);
    loop {
        let tape = Tape::new();
        let loss = tape.param(&model).sum();
        let grads = loss.backward();
        opt.step(&mut model, &grads);
        checkpoint::save(path, &model, &opt, &opt.steps()).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "saved {}", opt.steps()).and_then(|()| out.flush()).unwrap();
    }
}

fn spawn(path: &Path) -> Child {
    let test = std::env::current_exe().unwrap();
    let arguments = ["--exact", "a_killed_run_loses_at_most_one_interval", "--nocapture"];
    Command::new(test).args(arguments).env(PATH, path).stdout(Stdio::piped()).spawn().unwrap()
}

/// The last step that the process said it had saved, if it said any.
fn announced(child: &mut Child) -> Option<u64> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    lines.filter_map(|line| line.rsplit_once("saved ")?.1.parse().ok()).last()
}

#[test]
fn a_killed_run_loses_at_most_one_interval() {
    if let Some(path) = std::env::var_os(PATH) {
        train_forever(&PathBuf::from(path));
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.wgt");
    let rng = &mut StdRng::seed_from_u64(3);
    let (mut steps, mut progressed) = (0, 0);
    for kill in 0..KILLS {
        let mut child = spawn(&path);
        std::thread::sleep(Duration::from_millis(rng.random_range(30..120)));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let announced = announced(&mut child).unwrap_or(steps);
        let saved = load(&path).1.steps();
        assert!(
            saved == announced || saved == announced + 1,
            "kill {kill}: {saved} saved, {announced} announced"
        );
        progressed += u32::from(saved > steps);
        steps = saved;
    }
    let (model, opt) = load(&path);
    checkpoint::save(&path, &model, &opt, &opt.steps()).unwrap();
    let left: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["run.wgt"], "what the killed processes left");
    println!("{KILLS} kills, {steps} steps saved, in {progressed} of the lives at least one");
    assert!(progressed > KILLS / 2, "most lives were too short to save anything: {progressed}");
}
