//! The command as a shell sees it: what it prints, and the code it ends with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use wengert_autodiff::{Param, Tape, module};
use wengert_optim::checkpoint::{self, Checkpoint};
use wengert_optim::{Optimizer, RmsProp};

struct Model {
    weight: Param,
    bias: Param,
}

module!(Model { weight, bias });

/// Two files of one run: after one step and after two.
struct Fixture(tempfile::TempDir);

impl Fixture {
    fn new() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        let mut model =
            Model { weight: ndarray::arr2(&[[1.0, 2.0]]).into(), bias: ndarray::arr1(&[0.25]).into() };
        let rule = RmsProp { lr: 0.5, ..RmsProp::default() };
        let mut opt = Optimizer::new(rule).with_group("bias", RmsProp { rho: 0.5, ..rule });
        for file in ["one.wgt", "two.wgt"] {
            let tape = Tape::new();
            let grads = tape.param(&model.weight).square().sum().backward();
            opt.step(&mut model, &grads);
            opt.rule_mut().lr = 0.125;
            checkpoint::save(fixture.path(file), &model, &opt, &json!({"epoch": 3})).unwrap();
        }
        fixture
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// The code, the output, and what it complains about.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
        let output = command.args(arguments).current_dir(self.0.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (_, output, complaint) = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(complaint, "");
        serde_json::from_str(&output).unwrap()
    }
}

#[test]
fn inspect_shows_what_the_file_holds() {
    let fixture = Fixture::new();
    let (code, output, complaint) = fixture.run(&["inspect", "two.wgt"]);
    assert_eq!((code, complaint.as_str()), (0, ""));
    for part in
        ["two.wgt: ", "all finite", "weight", "F32 [1, 2]  8 B  ", "optimizer RmsProp, 2 steps", "weight/v"]
    {
        assert!(output.contains(part), "no `{part}` in\n{output}");
    }
    assert!(
        output.contains(r#""eps":{"Outside":1e-8}"#) && output.contains("extra {\"epoch\":3}"),
        "{output}"
    );

    let summary = fixture.json(&["inspect", "two.wgt"]);
    assert_eq!(summary["optimizer"]["rules"][0]["given"]["lr"], 0.5);
    assert_eq!(summary["optimizer"]["rules"][0]["now"]["lr"], 0.125);
    assert_eq!(summary["optimizer"]["rules"][1]["pattern"], "bias");
    assert_eq!(summary["model"][0]["name"], "bias");
    assert_eq!(summary["model"][0]["min"], 0.25);
    // `weight` and its v in f32, `bias`, and the counts `steps` and `clamped` of the state of `weight`.
    assert_eq!(summary["bytes"], 2 * 8 + 4 + 2 * 8);
}

#[test]
fn inspect_counts_what_is_not_finite() {
    let fixture = Fixture::new();
    let param: Param = ndarray::arr1(&[1.0, f32::NAN, f32::INFINITY, -3.0]).into();
    checkpoint::save_weights(fixture.path("bad.safetensors"), &param).unwrap();
    let (code, output, _) = fixture.run(&["inspect", "bad.safetensors"]);
    assert!(code == 0 && output.contains("2 NOT FINITE"), "{output}");
    let summary = fixture.json(&["inspect", "bad.safetensors"]);
    assert_eq!((&summary["not_finite"], &summary["model"][0]["min"]), (&json!(2), &json!(-3.0)));
    assert_eq!(summary["optimizer"], Value::Null);
}

#[test]
fn diff_names_what_differs_and_by_how_much() {
    let fixture = Fixture::new();
    let (code, output, _) = fixture.run(&["diff", "one.wgt", "one.wgt"]);
    assert_eq!((code, output.as_str()), (0, "5 tensors are the same\n"));

    let (code, output, _) = fixture.run(&["diff", "one.wgt", "two.wgt"]);
    assert!(code == 1 && output.contains("optimizer: steps: 1 and 2\n"), "{output}");
    let difference = fixture.json(&["diff", "one.wgt", "two.wgt"]);
    let names: Vec<_> = difference["values"].as_array().unwrap().iter().map(|v| v["name"].clone()).collect();
    assert_eq!(names, ["weight", "weight/steps", "weight/v"]);
    assert_eq!(difference["values"][1]["max_abs"], 1.0);
    assert_eq!(difference["values"][1]["max_rel"], 0.5);
    assert_eq!(difference["same"], 2); // the bias, and that nothing was clamped

    let other: Param = ndarray::arr1(&[1.0f32]).into();
    let model = Model { weight: other.clone(), bias: other };
    checkpoint::save_weights(fixture.path("weights.safetensors"), &model).unwrap();
    let difference = fixture.json(&["diff", "weights.safetensors", "one.wgt"]);
    assert_eq!(difference["other"], json!([{"name": "weight", "a": "F32 [1]", "b": "F32 [1, 2]"}]));
    assert_eq!(difference["only_in_a"], json!([]));
    let only: Vec<_> =
        difference["only_in_b"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(only.contains(&"weight/v") && only.contains(&"optimizer: lr given"), "{only:?}");
}

#[test]
fn convert_there_and_back_gives_the_same_bytes() {
    let fixture = Fixture::new();
    assert_eq!(fixture.run(&["convert", "two.wgt", "two.safetensors"]).0, 0);
    assert_eq!(fixture.run(&["diff", "two.wgt", "two.safetensors"]).0, 0);
    assert_eq!(fixture.run(&["convert", "two.safetensors", "again.wgt"]).0, 0);
    let bytes = |file| fs::read(fixture.path(file)).unwrap();
    assert!(bytes("two.wgt") == bytes("again.wgt"));
}

#[test]
fn bad_input_ends_with_2_and_names_the_file() {
    let fixture = Fixture::new();
    fs::write(fixture.path("text.wgt"), "not a checkpoint").unwrap();
    let mut damaged = fs::read(fixture.path("one.wgt")).unwrap();
    damaged[100] ^= 1;
    fs::write(fixture.path("damaged.wgt"), damaged).unwrap();
    for (arguments, complaint) in [
        (&["inspect", "absent.wgt"][..], "wengert: absent.wgt: cannot open"),
        (&["inspect", "text.wgt"], "wengert: text.wgt: expected a checkpoint or safetensors file"),
        (&["inspect", "damaged.wgt", "--json"], "wengert: damaged.wgt: expected the checksum"),
        (&["diff", "one.wgt", "damaged.wgt"], "wengert: damaged.wgt: expected the checksum"),
        (&["convert", "one.wgt", "one.pt"], "wengert: one.pt: expected a name that ends in .wgt"),
        (&["convert", "one.wgt", "absent/one.wgt"], "wengert: absent/one.wgt: cannot write"),
        (&["inspect"], "error: the following required arguments"),
        (&[], "Looks into checkpoints and safetensors files"),
    ] {
        let (code, output, error) = fixture.run(arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(error.starts_with(complaint), "{arguments:?}: {error}");
    }
    assert!(!Path::new(&fixture.path("one.pt")).exists());
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let fixture = Fixture::new();
    let mut file = Checkpoint::read(fixture.path("one.wgt")).unwrap();
    let tensor = file.model.remove("bias").unwrap();
    file.model.insert("\u{1b}[2Jbias".to_owned(), tensor);
    file.write(fixture.path("steer.wgt")).unwrap();
    for arguments in [&["inspect", "steer.wgt"][..], &["diff", "steer.wgt", "one.wgt"]] {
        let (_, output, _) = fixture.run(arguments);
        assert!(!output.contains('\u{1b}') && output.contains(r"\u{1b}[2Jbias"), "{output}");
    }

    // The same in a complaint: a tensor of a type that nobody knows.
    let header = r#"{"a":{"dtype":"\u001b[2JF5","shape":[1],"data_offsets":[0,2]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0, 0]].concat();
    fs::write(fixture.path("half.safetensors"), bytes).unwrap();
    let (code, _, error) = fixture.run(&["inspect", "half.safetensors"]);
    assert!(code == 2 && !error.contains('\u{1b}') && error.contains("[2JF5`, expected one of"), "{error}");
}
