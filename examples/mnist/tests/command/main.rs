//! The main example as a person meets it: its flags, its files, its messages.

mod faults;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod targets;

use std::env::consts::EXE_EXTENSION;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use wengert::data::idx;
use wengert::ndarray::{Array1, Array3};

/// `cargo test` builds the examples before it runs the tests. (Building it here would be wrong: a cargo inside cargo
/// sees other variables and compiles half the dependencies again.)
static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().expect("this test is a file");
    let example = test.ancestors().nth(2).expect("target/debug/deps/test").join("examples/mnist");
    assert!(
        example.with_extension(EXE_EXTENSION).is_file(),
        "run `cargo build --example mnist` first, or plain `cargo test`"
    );
    example
});

fn mnist(args: &[&str]) -> Output {
    Command::new(&*EXAMPLE).args(args).output().expect("the example starts")
}

/// An empty folder of this test's own, which stays for a look at what went wrong.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mnist").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Four IDX files: noise with a bright column that gives the label away.
fn dataset(directory: &Path) {
    for (half, n) in [("train", 96), ("t10k", 24)] {
        let labels = Array1::from_shape_fn(n, |i| (i % 10) as u8);
        let images = Array3::from_shape_fn(
            (n, 28, 28),
            |(i, y, x)| if x == i % 10 { 255 } else { (x * y % 50) as u8 },
        );
        idx::write(directory.join(format!("{half}-images-idx3-ubyte")), images.into_dyn().view()).unwrap();
        idx::write(directory.join(format!("{half}-labels-idx1-ubyte")), labels.into_dyn().view()).unwrap();
    }
}

fn ended(output: &Output, code: i32, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for word in words {
        assert!(message.contains(word), "no `{word}` in: {message}");
    }
}

/// Runs with `args` and expects exit code 2, nothing on standard output, and every one of `words` in the message.
fn refused(args: &[&str], words: &[&str]) {
    println!("{args:?}");
    let output = mnist(args);
    ended(&output, 2, words);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}");
}

#[test]
fn a_run_leaves_metrics_a_model_and_pictures() {
    let dir = folder("run");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let (metrics, model, plots) = (at("metrics.jsonl"), at("model.safetensors"), at("new/plots"));
    let common = ["--data", &at(""), "--epochs", "3", "--batch-size", "19", "--hidden", "16,8", "--quiet"];
    let run = mnist(&[&common[..], &["--metrics", &metrics, "--save", &model, "--plots", &plots]].concat());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    // 96 % 19 = 1: the left-over image would have no variance.
    let text = String::from_utf8(run.stdout).unwrap();
    let line = text.strip_suffix('\n').expect("one line");
    let (share, counts) = line.strip_prefix("test accuracy ").and_then(|l| l.split_once(' ')).expect(line);
    let (correct, of) = counts.trim_matches(['(', ')']).split_once('/').expect(line);
    let (correct, of): (f64, f64) = (correct.parse().unwrap(), of.parse().unwrap());
    assert_eq!((of, share), (24.0, format!("{:.4}", correct / 24.0).as_str()));

    let lines = fs::read_to_string(&metrics).unwrap();
    let epochs: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(epochs.len(), 3);
    for (epoch, number) in epochs.iter().zip(1..) {
        assert_eq!(epoch["epoch"], number);
        for key in
            ["train_loss", "train_accuracy", "test_loss", "test_accuracy", "seconds", "samples_per_second"]
        {
            assert!(epoch[key].as_f64().is_some_and(|x| x >= 0.0 && x.is_finite()), "{key} in {epoch}");
        }
    }
    assert_eq!(epochs[2]["test_accuracy"].as_f64().unwrap(), correct / 24.0);

    let bytes = fs::read(&model).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.tensor("0.weight").unwrap().shape(), [16, 784]);
    assert_eq!(tensors.tensor("8.bias").unwrap().shape(), [10]);
    for picture in ["curves.svg", "mistakes.svg"] {
        assert!(
            fs::read_to_string(Path::new(&plots).join(picture)).unwrap().ends_with("</svg>\n"),
            "{picture}"
        );
    }
}

#[test]
fn every_norm_activation_and_optimizer_trains() {
    let dir = folder("choices");
    dataset(&dir);
    let data = dir.to_str().unwrap();
    let common = ["--data", data, "--epochs", "1", "--hidden", "8", "--threads", "2"];
    let choices = [
        ("--norm", &["batch", "layer", "rms", "none"][..]),
        ("--activation", &["relu", "leaky-relu", "elu", "gelu", "silu", "tanh", "sigmoid"]),
        (
            "--optimizer",
            &["rmsprop", "sgd", "adagrad", "adadelta", "adam", "adamw", "adamax", "nadam", "radam", "lion"],
        ),
        ("--schedule", &["cosine", "constant"]),
        ("--dropout", &["0", "0.5"]),
    ];
    for choice in choices.iter().flat_map(|(flag, values)| values.iter().map(move |value| [*flag, *value])) {
        let run = mnist(&[&common[..], &choice].concat());
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && text.contains("epoch  1"), "{choice:?}: {text}");
        assert!(text.lines().last().unwrap().starts_with("test accuracy 0."), "{choice:?}: {text}");
    }
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let dir = folder("resume");
    dataset(&dir);
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let data = at("");
    let (checkpoint, model, metrics) = (at("run.wgt"), at("model.safetensors"), at("metrics.jsonl"));
    let common = ["--data", &data, "--epochs", "4", "--hidden", "16", "--batch-size", "20", "--save", &model];
    let run = |more: &[&str]| {
        let output = mnist(&[&common, more].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
        let without_time = |mut epoch: serde_json::Value| {
            let fields = epoch.as_object_mut().unwrap();
            assert!(fields.remove("seconds").is_some() && fields.remove("samples_per_second").is_some());
            epoch
        };
        let lines = fs::read_to_string(&metrics).unwrap();
        let epochs: Vec<_> = lines.lines().map(|l| without_time(serde_json::from_str(l).unwrap())).collect();
        (fs::read(&model).unwrap(), epochs, text)
    };
    let (uninterrupted, epochs, text) = run(&["--metrics", &metrics]);
    let last = text.lines().last().unwrap();

    let with_checkpoint = ["--metrics", &metrics, "--checkpoint", &checkpoint];
    let (half_way, half, _) = run(&[&with_checkpoint[..], &["--stop-after", "2"]].concat());
    assert_ne!(half_way, uninterrupted);
    assert_eq!(half, epochs[..2]);

    let kept = fs::read(&checkpoint).unwrap();
    let settings = [&common[..], &with_checkpoint].concat();
    refused(&settings, &["--checkpoint", "run.wgt", "--resume"]);
    let resume = |changed: &[&str], words: &[&str]| {
        let args =
            [&["--quiet"], changed, &["--resume", "--data", &data, "--save", &model], &with_checkpoint]
                .concat();
        refused(&args, &[&["run.wgt"], words].concat());
    };
    resume(&["--epochs=4", "--hidden=16", "--batch-size=20", "--seed=1"], &["seed: 1"]);
    resume(&["--epochs=5", "--hidden=16", "--batch-size=20"], &["epochs: 4", "epochs: 5"]);
    resume(&["--epochs=4", "--hidden=8", "--batch-size=20"], &["0.weight", "[16, 784]", "[8, 784]"]);
    resume(&["--epochs=4", "--hidden=16", "--batch-size=20", "--optimizer=adam"], &["RmsProp", "Adam"]);
    resume(&["--epochs=4", "--hidden=16", "--batch-size=20", "--lr=0.1"], &["lr", "0.1"]);
    refused(&["--resume"], &["--checkpoint"]);
    assert_eq!(fs::read(&checkpoint).unwrap(), kept);
    assert_eq!(fs::read_to_string(&metrics).unwrap().lines().count(), 2, "a refused run keeps the metrics");

    let (resumed, all, text) = run(&[&with_checkpoint[..], &["--resume", "--threads", "2"]].concat());
    assert!(resumed == uninterrupted, "the models differ");
    assert_eq!(all, epochs);
    assert!(text.contains("resumed after epoch 2 of 4: all 27 tensors matched"), "{text}");
    assert_eq!(text.lines().last().unwrap(), last);
}

#[test]
fn flags_out_of_range_are_refused_by_name() {
    for (flag, value) in [
        ("--epochs", "0"),
        ("--batch-size", "0"),
        ("--batch-size", "many"),
        ("--hidden", "0"),
        ("--norm", "instance"),
        ("--dropout", "1"),
        ("--dropout", "-0.1"),
        ("--activation", "step"),
        ("--optimizer", "newton"),
        ("--lr", "0"),
        ("--lr", "inf"),
        ("--lr", "nan"),
        ("--seed", "-1"),
        ("--threads", "0"),
        ("--schedule", "sometimes"),
    ] {
        refused(&[&format!("{flag}={value}")], &[flag, value]);
    }
    refused(&["--batch-size=1"], &["--batch-size 1", "--norm batch"]);
    refused(&["--speed", "fast"], &["--speed"]);
}

#[test]
fn outputs_that_cannot_be_written_are_found_before_training() {
    let dir = folder("outputs");
    dataset(&dir);
    let data = dir.to_str().unwrap();
    let absent = dir.join("absent/file");
    let absent = absent.to_str().unwrap();
    refused(&["--quiet", "--data", data, "--save", absent], &["--save", absent]);
    refused(&["--quiet", "--data", data, "--save", data], &["--save", data]);
    refused(&["--quiet", "--data", data, "--metrics", absent], &["--metrics", absent]);
    let file = dir.join("train-labels-idx1-ubyte");
    refused(&["--quiet", "--data", data, "--plots", file.to_str().unwrap()], &["--plots", "train-labels"]);
}

#[test]
fn damaged_data_is_refused_and_nothing_is_written() {
    let damage = |file: &'static str, words: &[&str], change: &dyn Fn(&mut Vec<u8>)| {
        let dir = folder("damaged-in");
        dataset(&dir);
        let path = dir.join(file);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let outputs = folder("damaged-out");
        let at = |name: &str| outputs.join(name).to_str().unwrap().to_owned();
        let (metrics, model) = (at("metrics"), at("model"));
        let data = dir.to_str().unwrap();
        let args = ["--quiet", "--data", data, "--metrics", &metrics, "--save", &model];
        refused(&args, &[&[file], words].concat());
        assert_eq!(fs::read_dir(&outputs).unwrap().count(), 0, "{file}: {words:?}");
    };
    damage("train-images-idx3-ubyte", &["elements"], &|bytes| bytes.truncate(1000));
    damage("train-images-idx3-ubyte", &[], &|bytes| bytes.truncate(3));
    damage("train-images-idx3-ubyte", &[], &|bytes| bytes.clear());
    damage("train-images-idx3-ubyte", &["elements"], &|bytes| bytes.push(0));
    damage("train-images-idx3-ubyte", &["magic"], &|bytes| bytes[0] = 1);
    damage("train-images-idx3-ubyte", &[], &|bytes| bytes[4] = 255);
    damage("t10k-labels-idx1-ubyte", &["label", "10"], &|bytes| *bytes.last_mut().unwrap() = 10);
    damage("t10k-labels-idx1-ubyte", &["24", "23"], &|bytes| {
        bytes[7] = 23;
        bytes.pop();
    });
    damage("train-labels-idx1-ubyte", &[], &|bytes| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        *bytes = encoder.finish().unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 4;
    });
    refused(&["--quiet", "--data", "no/such/place"], &["no/such/place", "train-images-idx3-ubyte"]);
    let empty = folder("empty");
    refused(&["--quiet", "--data", empty.to_str().unwrap()], &["train-images-idx3-ubyte"]);
}
