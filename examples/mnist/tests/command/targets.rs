//! What may be where an output goes: each kind is written, followed or refused before training, and nothing waits.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{EXAMPLE, dataset, ended, folder};

/// A run takes a second; what waits for ever is ended.
const LIMIT: Duration = Duration::from_secs(60);

fn within_limit(args: &[&str]) -> Output {
    let mut command = Command::new(&*EXAMPLE);
    let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("{args:?} waits for ever");
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Makes what is at a path.
type Make = fn(&Path);

const KINDS: [(&str, Make); 7] = [
    ("pipe", pipe),
    ("link to a pipe", |path| {
        let pipe_beside = path.with_extension("pipe");
        pipe(&pipe_beside);
        symlink(pipe_beside, path).unwrap();
    }),
    ("directory", |path| fs::create_dir(path).unwrap()),
    ("socket", |path| drop(UnixListener::bind(path).unwrap())),
    ("device", |path| symlink("/dev/null", path).unwrap()),
    ("dangling link", |path| symlink("made", path).unwrap()),
    ("link into nowhere", |path| symlink("absent/made", path).unwrap()),
];

#[test]
fn every_output_meets_every_kind_of_file() {
    for (kind, make) in KINDS {
        for flag in ["--save", "--checkpoint", "--metrics", "--plots"] {
            let dir = folder("targets");
            dataset(&dir);
            let name = if flag == "--plots" { "curves.svg" } else { "out" };
            let out = dir.join(name);
            make(&out);
            let before = fs::symlink_metadata(&out).unwrap().file_type();
            let value = if flag == "--plots" { &dir } else { &out };
            let data = dir.to_str().unwrap();
            let run = ["--data", data, "--epochs=1", "--hidden=4", flag, value.to_str().unwrap()];
            let output = within_limit(&run);
            let case = format!("{flag} onto a {kind}: {}", String::from_utf8_lossy(&output.stderr));
            match (kind, flag) {
                ("dangling link", _) => {
                    assert!(
                        output.status.success() && fs::metadata(dir.join("made")).unwrap().len() > 0,
                        "{case}"
                    );
                }
                ("device", "--metrics") => assert!(output.status.success(), "{case}"),
                _ => {
                    ended(&output, 2, &[flag, name]);
                    assert!(!String::from_utf8_lossy(&output.stdout).contains("epoch"), "it trained: {case}");
                }
            }
            // And what was there is there.
            assert_eq!(fs::symlink_metadata(&out).unwrap().file_type(), before, "{case}");
        }
    }
}

#[test]
fn a_pipe_that_somebody_reads_gets_the_metrics() {
    let dir = folder("read-pipe");
    dataset(&dir);
    let out = dir.join("pipe");
    pipe(&out);
    let reader = thread::spawn({
        let out = out.clone();
        move || {
            let mut text = String::new();
            File::open(out).unwrap().read_to_string(&mut text).unwrap();
            text
        }
    });
    let (data, out) = (dir.to_str().unwrap(), out.to_str().unwrap());
    ended(&within_limit(&["--data", data, "--epochs=2", "--hidden=4", "--metrics", out]), 0, &[]);
    assert_eq!(reader.join().unwrap().matches("\"epoch\":").count(), 2);
}
