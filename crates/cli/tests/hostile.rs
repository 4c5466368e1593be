//! Files made to do harm to whoever looks at them: whatever they say, the command ends with an answer or a complaint,
//! the terminal stays the user's, and memory stays within a small multiple of the file.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use wengert_autodiff::Tensor;
use wengert_optim::checkpoint::{Checkpoint, RawTensor, SavedOptimizer, SavedRule};

fn file(name: &str, shape: &[usize]) -> Checkpoint {
    let tensor = RawTensor::from_tensor(&Tensor::from_elem(shape, 1.5f32));
    Checkpoint {
        model: [(name.to_owned(), tensor)].into(),
        optimizer: None,
        extra: "null".to_owned(),
        metadata: [].into(),
    }
}

fn optimizer(kind: &str, pattern: &str, hypers: &str, state: &str) -> SavedOptimizer {
    let rule =
        SavedRule { pattern: Some(pattern.to_owned()), given: hypers.to_owned(), now: hypers.to_owned() };
    let file = file(state, &[]);
    SavedOptimizer { kind: kind.to_owned(), steps: 1, rules: vec![rule], state: file.model }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wengert"));
        command.args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// What it prints; it must not have complained.
    fn print(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 1) && complaint.is_empty(), "{complaint}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A width in `format!` above 65,535 panics.
#[test]
fn names_and_shapes_of_any_length_are_printed() {
    let folder = Folder::new();
    for length in [65_535, 65_536, 200_000] {
        let name = "ä".repeat(length);
        for path in ["a.wgt", "a.safetensors"] {
            match path.ends_with("wgt") {
                true => file(&name, &[1; 3]).write(folder.path(path)).unwrap(),
                false => file(&name, &[1; 3]).write_safetensors(folder.path(path)).unwrap(),
            }
            assert!(folder.print(&["inspect", path]).contains(&name));
            let json: Value = serde_json::from_str(&folder.print(&["inspect", path, "--json"])).unwrap();
            assert_eq!(json["model"][0]["name"], name);
        }
        let axes = length / 2;
        let list = format!("[{}]", vec!["1"; axes].join(", "));
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":{list},"data_offsets":[0,4]}},"#)
            + r#""b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}"#;
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 8]].concat();
        fs::write(folder.path("b.safetensors"), bytes).unwrap();
        let printed = folder.print(&["inspect", "b.safetensors"]);
        let widest = printed.lines().filter(|line| line.starts_with("  b")).map(str::len).max().unwrap();
        assert!(printed.contains(&list) && widest < 200, "one long row makes all rows long: {widest}");
        folder.print(&["diff", "a.wgt", "b.safetensors"]);
    }
}

/// All that terminals obey or that turns text around; what stays invisible can hide a difference.
fn steers(c: char) -> bool {
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
    c.is_control() && c != '\n'
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || marks.contains(&c)
}

const HOSTILE: [&str; 6] = [
    "\u{1b}[2J",
    "a\u{9b}31m\u{85}",
    "\u{202e}gnp.\u{2066}",
    "a\rb\u{8}\u{7f}",
    "\u{61c}\u{200f}\u{2028}\u{feff}",
    "a\n  b",
];

/// Wherever a file has room for text, in both formats and all commands.
#[test]
fn no_text_of_a_file_steers_the_terminal() {
    let folder = Folder::new();
    file("plain", &[]).write(folder.path("plain.wgt")).unwrap();
    for text in HOSTILE {
        let json = serde_json::to_string(&[text]).unwrap(); // escapes what is below U+0020 and nothing else
        let hypers = format!("{{{}:{json}}}", serde_json::to_string(text).unwrap());
        let optimizer = optimizer(text, text, &hypers, &format!("{text}/v"));
        let hostile = Checkpoint {
            optimizer: Some(optimizer),
            extra: json.clone(),
            metadata: [(text.to_owned(), text.to_owned())].into(),
            ..file(text, &[])
        };
        hostile.write(folder.path("a.wgt")).unwrap();
        folder.print(&["convert", "a.wgt", "a.safetensors"]);
        for path in ["a.wgt", "a.safetensors"] {
            for arguments in
                [&["inspect", path][..], &["diff", path, "plain.wgt"], &["diff", "plain.wgt", path]]
            {
                let printed = folder.print(arguments);
                assert!(!printed.contains(steers), "{arguments:?}: {printed:?}");
                assert!(!printed.contains("\n  b\n"), "a name passes for two rows: {printed}");
                let printed = folder.print(&[arguments, &["--json"]].concat());
                assert!(!printed.contains(steers), "{arguments:?} --json: {printed:?}");
                serde_json::from_str::<Value>(&printed).unwrap();
            }
            let summary: Value = serde_json::from_str(&folder.print(&["inspect", path, "--json"])).unwrap();
            assert_eq!(summary["model"][0]["name"], text);
            assert_eq!(summary["extra"][0], text);
            assert_eq!(summary["optimizer"]["rules"][0]["given"][text][0], text);
            assert_eq!(summary["metadata"][text], text);
        }

        // Complaints, of the library too, which other programs print.
        let header = serde_json::json!({ text: { "dtype": text, "shape": [], "data_offsets": [0, 4] } });
        let wrong = header.to_string();
        let bytes = [&(wrong.len() as u64).to_le_bytes(), wrong.as_bytes(), &[0; 4]].concat();
        let path = format!("{}.safetensors", text.replace('/', ""));
        fs::write(folder.path(&path), bytes).unwrap();
        let output = folder.run(&["inspect", &path]);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && !complaint.contains(steers), "{complaint:?}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        let complaint = Checkpoint::read(folder.path(&path)).unwrap_err().to_string();
        assert!(!complaint.contains(|c| steers(c) || c == '\n'), "{complaint:?}");
    }
}

/// The limit counts the program itself, 40 MB of it.
#[cfg(target_os = "linux")]
#[test]
fn memory_stays_within_a_small_multiple_of_the_file() {
    let folder = Folder::new();
    let objects = format!("[{}]", vec![r#"{"a":0}"#; 900_000].join(","));
    file("a", &[]).write(folder.path("plain.wgt")).unwrap();
    Checkpoint { extra: objects.clone(), ..file("a", &[]) }.write(folder.path("extra.wgt")).unwrap();
    let optimizer = Some(optimizer("Sgd", "*", &objects, "a/v"));
    Checkpoint { optimizer, ..file("a", &[]) }.write(folder.path("rule.wgt")).unwrap();
    let header = (0..100_000).map(|i| format!(r#""{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#));
    let header = format!("{{{}}}", header.collect::<Vec<_>>().join(","));
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    fs::write(folder.path("many.safetensors"), bytes).unwrap();
    for path in ["extra.wgt", "rule.wgt", "many.safetensors"] {
        let length = fs::metadata(folder.path(path)).unwrap().len();
        for arguments in [&["inspect", path][..], &["inspect", path, "--json"], &["diff", path, "plain.wgt"]]
        {
            let limit = format!("ulimit -v {} && exec \"$@\"", (12 * length + (60 << 20)) / 1024);
            let mut command = Command::new("sh");
            command.args(["-c", &limit, "sh", env!("CARGO_BIN_EXE_wengert")]).args(arguments);
            let output = command.current_dir(folder.0.path()).output().unwrap();
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.code().is_some_and(|code| code <= 1), "{arguments:?}: {complaint}");
        }
    }
}
