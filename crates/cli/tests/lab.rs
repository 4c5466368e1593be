//! `wengert lab` as a shell sees it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The code, the output, and what it complains about.
fn wengert(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
    let output = command.args(arguments).current_dir(directory).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn list_names_every_experiment() {
    let (code, output, complaint) = wengert(Path::new("."), &["lab", "list"]);
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert_eq!(output.lines().count(), wengert_lab::experiments::all().len());
    let line = output.lines().find(|line| line.starts_with("constant-gradient ")).expect("a line of its own");
    assert!(line.ends_with(" Under a constant gradient g, the average v goes to g²."), "{line}");
}

#[test]
fn run_prints_what_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let (code, output, complaint) = wengert(dir.path(), &["lab", "run", "constant-gradient"]);
    assert_eq!((code, complaint.as_str()), (0, ""));
    // (1 - 0.9ᵗ) ≥ 0.95 first holds at t = ⌈ln 0.05 / ln 0.9⌉ = ⌈28.43⌉.
    assert!(output.contains("pass  steps to 95 % of g², ρ = 0.9: 29, expected 29\n"), "{output}");

    let arguments = ["lab", "run", "--json", "constant-gradient", "constant-gradient"];
    let json: Value = serde_json::from_str(&wengert(dir.path(), &arguments).1).unwrap();
    assert_eq!(json["passed"], true);
    assert_eq!(json["experiments"].as_array().unwrap().len(), 1);
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none(), "it wrote a file");
}

#[test]
fn wrong_input_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["lab", "run", "constant-gradient", "typo"], "there is no experiment `typo`; `wengert lab list`"),
        (&["lab", "run"], "NAMES"),
        (&["lab", "all"], "--out"),
        (&["lab", "all", "--out", "file/inside"], "file/inside: "),
        (&["lab", "playground"], "--out"),
        (&["lab", "playground", "--out", "file/inside"], "file/inside: "),
        (&["lab", "playground", "--out", "."], "a copy of the repository"),
    ];
    for (arguments, part) in cases {
        let (code, output, complaint) = wengert(dir.path(), arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(complaint.contains(part), "no `{part}` in\n{complaint}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_found_before_the_work() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("taken/index.html")).unwrap();
    let mut outputs = vec!["taken"];
    #[cfg(unix)]
    for (out, file) in [("piped", "report.json"), ("piped-page", "index.html")] {
        let path = dir.path().join(out).join(file);
        fs::create_dir(dir.path().join(out)).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        outputs.push(out);
    }
    #[cfg(unix)]
    {
        fs::create_dir(dir.path().join("device")).unwrap();
        std::os::unix::fs::symlink("/dev/null", dir.path().join("device/index.html")).unwrap();
        outputs.push("device");
    }
    if cfg!(target_os = "linux") {
        outputs.push("/proc/self"); // nobody can make a file there, not even root
    }
    for out in outputs {
        let (code, output, complaint) = wengert(dir.path(), &["lab", "all", "--out", out]);
        assert_eq!((code, output.as_str()), (2, ""), "{complaint}");
        assert!(complaint.contains(out), "{complaint}");
        let written = dir.path().join(out).join("report.json");
        assert!(!written.is_file(), "found only when the first file was written: {complaint}");
    }
}

/// With stacks that fit into no memory, the system gives no threads.
#[test]
fn without_threads_one_does_the_work() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
    command.args(["lab", "run", "constant-gradient"]).env("RUST_MIN_STACK", (isize::MAX / 2).to_string());
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*complaint), (Some(0), ""));
    assert!(String::from_utf8_lossy(&output.stdout).contains("pass  steps to 95 %"));
}
