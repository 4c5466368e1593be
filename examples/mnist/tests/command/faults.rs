//! What goes wrong while a run is under way costs nothing that is done; what can be known before is said before.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use wengert::optim::checkpoint::Checkpoint;

use super::{EXAMPLE, dataset, ended, folder, mnist, refused};

#[test]
fn a_training_that_diverges_names_the_place_and_keeps_what_was_good() {
    let dir = folder("diverges");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (data, file, model, metrics) = (at(""), at("run.wgt"), at("model"), at("metrics"));
    let mut kept_good = 0;
    for (case, words) in [
        (&["--lr=1e30"][..], &["near `", "at step"][..]),
        (&["--lr=1e30", "--batch-size=16"], &["near `", "at step"]),
        (&["--lr=1e30", "--norm=none"], &["`linear`", "near `", "at step"]),
        (&["--lr=1e39"], &["`param`", "near `0.weight`", "at step"]),
        (&["--lr=9e307"], &["`param`", "near `0.weight`", "at step"]),
        (&["--lr=9e307", "--optimizer=sgd", "--schedule=constant"], &["near `", "at step"]),
        (&["--lr=1e15", "--optimizer=sgd", "--norm=none", "--batch-size=8"], &["near `", "at step"]),
        (&["--lr=1e6", "--optimizer=sgd", "--norm=none"], &["near `", "at step"]),
        (&["--lr=1e25", "--optimizer=adam", "--norm=none"], &["near `", "at step"]),
    ] {
        let files = ["--checkpoint", &file, "--save", &model, "--metrics", &metrics];
        let output = mnist(&[&["--data", &data, "--hidden=16,8", "--quiet"], case, &files].concat());
        ended(&output, 3, &[&["diverged"], words].concat());
        assert!(!Path::new(&model).exists(), "{case:?}: a model of NaN");
        if Path::new(&file).exists() {
            // What the last good epoch left.
            let kept = Checkpoint::read(&file).unwrap();
            assert!(kept.model.values().all(|tensor| tensor.values().all(f64::is_finite)), "{case:?}");
            assert!(String::from_utf8_lossy(&output.stderr).contains("run.wgt is as it was"), "{case:?}");
            fs::remove_file(&file).unwrap();
            kept_good += 1;
        }
    }
    assert!(kept_good > 0, "each diverged in its first epoch");
    let run = mnist(&["--help"]);
    let help = String::from_utf8(run.stdout).unwrap();
    assert!(help.contains("Exit codes: 0 ") && help.contains("3 when the training diverges"), "{help}");
}

#[test]
fn two_outputs_in_one_file_and_outputs_over_the_data_are_refused() {
    let dir = folder("same");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let data = at("");
    fs::create_dir(dir.join("sub")).unwrap();
    let before = fs::read(dir.join("train-images-idx3-ubyte")).unwrap();
    let mut cases = vec![
        (["--save", &at("x")].map(str::to_owned), ["--checkpoint", &at("x")].map(str::to_owned)),
        (["--save", &at("x")].map(str::to_owned), ["--metrics", &at("sub/../x")].map(str::to_owned)),
        (["--plots", &at("p")].map(str::to_owned), ["--metrics", &at("p/curves.svg")].map(str::to_owned)),
    ];
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        fs::write(dir.join("old"), "old").unwrap();
        fs::hard_link(dir.join("old"), dir.join("hard")).unwrap();
        symlink("old", dir.join("soft")).unwrap();
        symlink("absent", dir.join("dangling")).unwrap();
        symlink("sub", dir.join("folder")).unwrap();
        symlink("train-images-idx3-ubyte", dir.join("pixels")).unwrap();
        for (a, b) in [("old", "hard"), ("old", "soft"), ("absent", "dangling"), ("sub/x", "folder/x")] {
            cases.push((["--save", &at(a)].map(str::to_owned), ["--metrics", &at(b)].map(str::to_owned)));
        }
        refused(
            &["--data", &data, "--quiet", "--metrics", &at("pixels")],
            &["--metrics", "pixels", "the data"],
        );
    }
    for (one, other) in cases {
        let args: Vec<_> =
            ["--data", &data, "--quiet"].into_iter().chain(one.iter().map(String::as_str)).collect();
        let args = [&args[..], &other.each_ref().map(String::as_str)].concat();
        refused(&args, &["this is also the file of --", &other[1]]);
        assert!(!dir.join("x").exists() && !dir.join("sub/x").exists(), "{args:?}");
    }
    for flag in ["--save", "--metrics", "--checkpoint"] {
        for file in ["train-images-idx3-ubyte", "./sub/../t10k-labels-idx1-ubyte"] {
            // A checkpoint that is there has to be resumed.
            let resume: &[&str] = if flag == "--checkpoint" { &["--resume"] } else { &[] };
            refused(
                &[&["--data", &data, "--quiet", flag, &at(file)], resume].concat(),
                &[flag, "-ubyte", "would replace the data"],
            );
        }
    }
    assert_eq!(fs::read(dir.join("train-images-idx3-ubyte")).unwrap(), before);
}

/// Nobody, not even root, can make a file in such a directory.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_takes_no_files_is_found_before_training() {
    let dir = folder("read-only");
    dataset(&dir);
    let data = dir.to_str().unwrap();
    for flag in ["--save", "--checkpoint", "--metrics"] {
        refused(&["--quiet", "--data", data, flag, "/proc/self/file"], &[flag, "/proc/self/file"]);
    }
    refused(&["--quiet", "--data", data, "--plots", "/proc/self"], &["--plots", "/proc/self"]);
}

#[test]
fn nobody_who_reads_standard_output_is_no_reason_to_stop() {
    let dir = folder("closed");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let data = at("");
    let settings = ["--data", &data, "--epochs", "3", "--hidden", "16"];
    assert!(mnist(&[&settings[..], &["--checkpoint", &at("whole.wgt")]].concat()).status.success());
    let mut command = Command::new(&*EXAMPLE);
    command.args(settings).args(["--checkpoint", &at("closed.wgt")]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // `mnist | head -1`
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    ended(&child.wait_with_output().unwrap(), 0, &[]);
    let whole = fs::read(at("whole.wgt")).unwrap();
    assert!(fs::read(at("closed.wgt")).unwrap() == whole, "the checkpoints differ");

    if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
        let mut command = Command::new(&*EXAMPLE);
        command.args(settings).args(["--checkpoint", &at("full.wgt")]).stdout(full);
        ended(&command.output().unwrap(), 2, &["standard output"]);
        assert!(fs::read(at("full.wgt")).unwrap() == whole, "the checkpoints differ");
        let run = mnist(&[&settings[..], &["--metrics", "/dev/full", "--save", &at("model")]].concat());
        ended(&run, 2, &["--metrics /dev/full"]);
        assert!(Path::new(&at("model")).exists());
    }
}

#[test]
fn another_network_and_other_data_are_not_resumed() {
    let dir = folder("other");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (data, file) = (at(""), at("run.wgt"));
    let begun = ["--epochs=2", "--checkpoint", &file];
    let run = mnist(&[&begun[..], &["--data", &data, "--hidden=8", "--stop-after=1"]].concat());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let kept = fs::read(&file).unwrap();
    let other = folder("other-data");
    dataset(&other);
    for half in ["train", "t10k"] {
        let pixels = other.join(format!("{half}-images-idx3-ubyte"));
        let mut bytes = fs::read(&pixels).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&pixels, bytes).unwrap();
    }
    let other = other.to_str().unwrap();
    for (changed, words) in [
        (
            &["--activation=tanh", "--hidden=8", "--data", &data][..],
            &["activation: \"relu\"", "\"tanh\""][..],
        ),
        (&["--norm=layer", "--hidden=8", "--data", &data], &["norm: \"batch\"", "norm: \"layer\""]),
        (&["--dropout=0", "--hidden=8", "--data", &data], &["dropout: 0.2", "dropout: 0.0"]),
        (&["--hidden=8,8", "--data", &data], &["4.weight"]),
        (&["--hidden=8", "--data", other], &["training: \"96 images of 28x28, checksum"]),
        (&["--hidden=8", "--data", &data, "--test", other], &["with test: \"24 images of 28x28"]),
    ] {
        refused(&[&begun[..], &["--resume", "--quiet"], changed].concat(), &[&["run.wgt"], words].concat());
    }
    assert_eq!(fs::read(&file).unwrap(), kept);
}

/// A run of three epochs that stopped after one, and its checkpoint.
struct Begun {
    folder: PathBuf,
    checkpoint: Checkpoint,
    extra: Value,
}

impl Begun {
    fn new(name: &str) -> Self {
        let folder = folder(name);
        dataset(&folder);
        let file = folder.join("run.wgt");
        let (data, path) = (folder.to_str().unwrap(), file.to_str().unwrap());
        let args = ["--data", data, "--epochs=3", "--hidden=4", "--checkpoint", path, "--stop-after=1"];
        assert!(mnist(&args).status.success());
        let checkpoint = Checkpoint::read(&file).unwrap();
        let extra = checkpoint.extra().unwrap();
        Self { folder, checkpoint, extra }
    }

    /// Goes on from a checkpoint with another history or count of steps.
    fn resume(&self, extra: &Value, steps: u64) -> Output {
        let mut checkpoint = Checkpoint { extra: extra.to_string(), ..self.checkpoint.clone() };
        checkpoint.optimizer.as_mut().unwrap().steps = steps;
        let [file, plots] =
            ["run.wgt", "plots"].map(|name| self.folder.join(name).to_str().unwrap().to_owned());
        checkpoint.write(&file).unwrap();
        let data = self.folder.to_str().unwrap();
        let args = ["--quiet", "--data", data, "--epochs=3", "--hidden=4", "--checkpoint", &file];
        mnist(&[&args[..], &["--resume", "--plots", &plots]].concat())
    }
}

#[test]
fn a_history_that_no_run_has_is_refused() {
    let begun = Begun::new("history");
    let epoch = begun.extra["history"][0].clone();
    for (place, value) in [
        ("/history/0/epoch", 4294967295_u32.into()),
        ("/history/0/epoch", 0.into()),
        ("/history/0/train_loss", 1e308.into()),
        ("/history/0/test_loss", (-1).into()),
        ("/history/0/train_accuracy", 2.into()),
        ("/history/0/test_accuracy", (-1e300).into()),
        ("/history", serde_json::json!([])),
        ("/history", vec![epoch.clone(); 3].into()),
        ("/score/count", 5.into()),
        ("/score/correct", 1.into()),
        ("/score/loss", 1.into()),
        ("steps", 0.into()),
        ("steps", 2.into()),
        ("steps", (1_u64 << 62).into()),
        ("steps", i64::MAX.into()),
        ("steps", u64::MAX.into()),
    ] {
        let (mut extra, mut steps) = (begun.extra.clone(), 1);
        match place {
            "steps" => steps = value.as_u64().unwrap(),
            place => *extra.pointer_mut(place).unwrap() = value.clone(),
        }
        let output = begun.resume(&extra, steps);
        ended(&output, 2, &["run.wgt"]);
        assert_eq!(fs::read_dir(begun.folder.join("plots")).unwrap().count(), 0, "{place} {value}");
    }
}

#[test]
fn what_a_file_says_does_not_steer_the_terminal() {
    let begun = Begun::new("steering");
    let mut extra = begun.extra.clone();
    extra["settings"]["training"] = "\u{1b}[2J\u{9b}31m\u{202e}".into();
    let output = begun.resume(&extra, 1);
    ended(&output, 2, &["run.wgt", "training: ", "\\u{202e}"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!message.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{message:?}");
}

#[test]
fn the_largest_loss_and_an_older_file_go_on() {
    let begun = Begun::new("older");
    let mut large = begun.extra.clone();
    large["history"][0]["train_loss"] = f32::MAX.into();
    ended(&begun.resume(&large, 1), 0, &[]);
    let picture = fs::read_to_string(begun.folder.join("plots/curves.svg")).unwrap();
    assert!(picture.len() < 100_000 && !picture.contains("NaN") && !picture.contains("inf"));

    // From before the network, the data and scores were noted, and with the times of its epochs.
    let mut old = begun.extra.clone();
    old.as_object_mut().unwrap().remove("score");
    for name in ["activation", "norm", "training", "test"] {
        old["settings"].as_object_mut().unwrap().remove(name);
    }
    old["history"][0]["seconds"] = 0.25.into();
    old["history"][0]["samples_per_second"] = 384.into();
    ended(&begun.resume(&old, 1), 0, &[]);
}

#[test]
fn networks_and_threads_that_no_machine_has_are_refused() {
    let dir = folder("sizes");
    dataset(&dir);
    let data = dir.to_str().unwrap();
    let wide = ["--quiet", "--data", data, "--hidden"];
    for hidden in
        ["9223372036854775808", "18446744073709551615,18446744073709551615", "100000000", "100000,100000"]
    {
        refused(&[&wide[..], &[hidden]].concat(), &["--hidden", hidden, "at most 268435456"]);
    }
    for threads in ["2000", "100000", "18446744073709551615"] {
        refused(&["--threads", threads], &["--threads", threads, "at most"]);
    }
}
