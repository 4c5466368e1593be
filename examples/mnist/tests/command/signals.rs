//! A run that is stopped at any moment goes on to the bytes of the one that was not.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{EXAMPLE, dataset, folder, mnist};

/// A run that trains: it has said how many parameters there are.
fn start(args: &[&str]) -> Child {
    let mut command = Command::new(&*EXAMPLE);
    let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line.contains("parameters, ")));
    child
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success() || signal != "KILL");
}

/// How it ended, and what it said to standard error.
fn end(child: Child) -> (ExitStatus, String) {
    let output = child.wait_with_output().unwrap();
    (output.status, String::from_utf8(output.stderr).unwrap())
}

/// Starts the run and stops it at random, again and again, until it comes to its end. Returns for each signal its exit
/// code, how often the run ended by it, and how often in the middle of an epoch.
fn stop_until_done(args: &[&str], checkpoint: &Path) -> [(&'static str, i32, u32, u32); 3] {
    let rng = &mut StdRng::seed_from_u64(5);
    let mut ended = [("INT", 130, 0, 0), ("TERM", 143, 0, 0), ("KILL", 0, 0, 0)];
    for round in 0..500 {
        let resume: &[&str] = if checkpoint.exists() { &["--resume"] } else { &[] };
        let child = start(&[args, resume].concat());
        std::thread::sleep(Duration::from_micros(rng.random_range(0..30_000)));
        let (signal, code, times, within) = &mut ended[round % 3];
        send(signal, &child);
        let (status, said) = end(child);
        if status.success() {
            return ended;
        }
        *times += 1;
        if *signal == "KILL" {
            assert_eq!(status.code(), None, "{said}");
            continue;
        }
        assert_eq!(status.code(), Some(*code), "{signal}: {said}");
        assert!(
            said.contains("saved to ") && said.contains("stopped.wgt") && said.contains("--resume"),
            "{said}"
        );
        *within += u32::from(said.starts_with("interrupted in epoch"));
    }
    panic!("no progress: {ended:?}");
}

#[test]
fn stopped_anywhere_it_goes_on_to_the_same_bytes() {
    let dir = folder("stopped");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let data = at("");
    let settings = ["--data", &data, "--epochs", "30", "--hidden", "32", "--batch-size", "2"];
    let files = |name: &str| {
        ["--checkpoint", &at(&format!("{name}.wgt")), "--save", &at(&format!("{name}.safetensors"))]
            .map(str::to_owned)
    };
    for name in ["whole", "again"] {
        let files = files(name);
        let output = mnist(&[&settings[..], &files.each_ref().map(String::as_str)].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    assert!(read("whole.wgt") == read("again.wgt"), "two equal runs differ");

    let files = files("stopped");
    let files = files.each_ref().map(String::as_str);
    let ended = stop_until_done(&[&settings[..], &files].concat(), Path::new(files[1]));
    for (signal, _, times, within) in ended {
        assert!(times > 0 && (within > 0 || signal == "KILL"), "{signal}: {times}, {within} within an epoch");
    }
    let mut left = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(
        left.all(|name| !name.to_string_lossy().starts_with(".wengert-")),
        "a killed run has left a file"
    );
    for kind in ["wgt", "safetensors"] {
        assert!(read(&format!("stopped.{kind}")) == read(&format!("whole.{kind}")), "{kind} differs");
    }
}

#[test]
fn without_a_checkpoint_it_says_that_nothing_is_saved() {
    let dir = folder("unsaved");
    dataset(&dir);
    let child = start(&["--data", dir.to_str().unwrap(), "--epochs", "1000000", "--hidden", "8"]);
    send("TERM", &child);
    let (status, said) = end(child);
    assert_eq!(status.code(), Some(143), "{said}");
    assert!(said.contains("nothing is saved") && said.contains("--checkpoint"), "{said}");
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let dir = folder("twice");
    dataset(&dir);
    let checkpoint = dir.join("run.wgt");
    // A step of so large a network, and the saving of it, take longer than the two signals.
    let [data, file] = [&dir, &checkpoint].map(|path| path.to_str().unwrap());
    let child = start(&["--data", data, "--hidden", "6000,6000", "--checkpoint", file]);
    send("INT", &child);
    std::thread::sleep(Duration::from_millis(20));
    send("TERM", &child);
    let (status, said) = end(child);
    assert_eq!((status.code(), said.as_str()), (Some(143), ""));
    assert!(!checkpoint.exists());
}
