//! `wengert course` as a shell sees it, but for the grading, which builds the library: `.ci/course`.

use std::fs;
use std::path::Path;
use std::process::Command;

use wengert_course::{EXERCISES, MANIFEST};

/// The code, the output, and what it complains about.
fn course(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
    let output = command.arg("course").args(arguments).current_dir(directory).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn list_names_every_exercise() {
    let (code, output, complaint) = course(Path::new("."), &["list"]);
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert_eq!(output.lines().count(), EXERCISES.len());
    assert!(output.contains("07_rmsprop         7. RMSProp\n"), "{output}");
}

#[test]
fn start_writes_a_crate() {
    let dir = tempfile::tempdir().unwrap();
    for (name, directory) in [("7", "a"), ("07", "b/c"), ("07_rmsprop", "d")] {
        let (code, output, complaint) = course(dir.path(), &["start", name, directory]);
        assert_eq!((code, complaint.as_str()), (0, ""));
        assert!(output.starts_with("7. RMSProp: read "), "{output}");
        let read = |file: &str| fs::read_to_string(dir.path().join(directory).join(file)).unwrap();
        assert!(read("README.md").starts_with("# 7. RMSProp\n"));
        assert!(read("src/lib.rs").contains("todo!"));
        assert!(read("tests/check.rs").contains("grade_port"));
        let manifest = read("Cargo.toml");
        assert!(
            manifest.contains("name = \"course-07_rmsprop\"") && manifest.contains("wengert-lab = "),
            "{manifest}"
        );
        assert!(
            !manifest.contains("WENGERT") && !manifest.contains("NAME") && !manifest.contains("LAB"),
            "{manifest}"
        );
    }
}

/// Every exercise says what it does not test, and its stub leaves something to do.
#[test]
fn exercises_are_whole() {
    for (index, exercise) in EXERCISES.iter().enumerate() {
        let number = format!("{}. ", index + 1);
        assert!(exercise.title().starts_with(&number), "{}: {}", exercise.name, exercise.title());
        assert!(exercise.name.starts_with(&format!("{:02}_", index + 1)), "{}", exercise.name);
        assert!(!exercise.untested().is_empty() && exercise.stub.contains("todo!"), "{}", exercise.name);
        assert!(exercise.tests.matches("#[test]\nfn ").count() >= 3, "{}", exercise.name);
    }
}

/// An exercise shares types with the library, so it must not lag behind in the versions of what has them.
#[test]
fn versions_are_the_librarys() {
    let workspace = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).unwrap();
    let dependencies = MANIFEST.lines().skip_while(|line| *line != "[dependencies]");
    let dependencies =
        dependencies.take_while(|line| !line.starts_with("# ")).filter(|line| line.contains(" = "));
    let foreign: Vec<_> = dependencies.filter(|line| !line.starts_with("wengert")).collect();
    assert_eq!(foreign.len(), 4, "{foreign:?}");
    for line in foreign {
        assert!(workspace.lines().any(|other| other == line), "`{line}` is not what the workspace has");
    }
}

#[test]
fn wrong_input_is_explained_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("full")).unwrap();
    fs::write(dir.path().join("full/mine.txt"), "mine").unwrap();
    fs::create_dir(dir.path().join("other")).unwrap();
    fs::write(dir.path().join("other/Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
    let cases: [(&[&str], &str); 13] = [
        (&["start", "0", "new"], "there is no exercise `0`; `wengert course list`"),
        (&["start", "16", "new"], "there is no exercise `16`"),
        (&["start", "rmsprop", "new"], "there is no exercise `rmsprop`"),
        (&["start", "7", "full"], "full: is not empty"),
        (&["start", "7", "full/mine.txt"], "full/mine.txt: "),
        (&["start", "7"], "DIRECTORY"),
        (&["check"], "Cargo.toml: "),
        (&["check", "missing"], "give the directory that `wengert course start` wrote"),
        (&["check", "other"], "is not an exercise of the course"),
        (&["check", "--class", "full"], "--csv"),
        (&["check", "--class", "missing", "--csv", "marks.csv"], "missing: "),
        // Before anything is graded.
        (&["check", "--class", "missing", "--csv", "full"], "full: it is a directory"),
        (&["check", "--class", "missing", "--csv", "absent/marks.csv"], "absent/marks.csv: "),
    ];
    for (arguments, part) in cases {
        let (code, output, complaint) = course(dir.path(), arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(complaint.contains(part), "no `{part}` in\n{complaint}");
    }
    assert_eq!(fs::read_to_string(dir.path().join("full/mine.txt")).unwrap(), "mine");
    assert!(!dir.path().join("new").exists() && !dir.path().join("marks.csv").exists());
}

/// Who handed in something else gets a row that says so.
#[test]
fn nobody_is_left_out_of_the_marks() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["class/ann, bob", "class/cyd/notes"] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    let (code, _, complaint) = course(dir.path(), &["check", "--class", "class", "--csv", "marks.csv"]);
    assert_eq!((code, complaint.as_str()), (1, ""));
    let marks = fs::read_to_string(dir.path().join("marks.csv")).unwrap();
    let rows: Vec<_> = marks.lines().collect();
    assert_eq!(rows[0], "submission,exercise,passed,tests,failed,seconds,error");
    assert!(rows[1].starts_with("\"ann, bob\",,0,0,,0,") && rows[1].contains("Cargo.toml"), "{marks}");
    assert!(rows[2].starts_with("cyd,,0,0,,0,") && rows.len() == 3, "{marks}");
}
