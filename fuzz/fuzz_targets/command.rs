//! What `wengert inspect`, `diff` and `convert` say of a file: JSON that can be read, text that does not steer the
//! terminal, as long as the file explains; and a converted file does not differ.
#![no_main]

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use serde::Serialize;
use serde::de::IgnoredAny;
use wengert_fuzz::{assert_harmless, file, frame, path, within_memory};
use wengert_optim::checkpoint::Checkpoint;

#[path = "../../crates/cli/src/diff.rs"]
mod diff;
#[path = "../../crates/cli/src/inspect.rs"]
mod inspect;
#[path = "../../crates/cli/src/json.rs"]
mod json;
#[path = "../../crates/cli/src/terminal.rs"]
mod terminal;

use diff::Difference;

/// A checkpoint that differs from each seed in something.
static OTHER: &[u8] = include_bytes!("../corpus/checkpoint/RmsProp.wgt");

fuzz_target!(|bytes: &[u8]| {
    let (a, b) = (file("a", bytes), file("b", OTHER));
    let Ok(content) = Checkpoint::read(&a) else { return };
    within_memory(bytes.len(), || {
        if let Ok(summary) = inspect::Summary::new(&a, &content) {
            print(&summary, bytes.len());
        }
        let other = Checkpoint::read(&b).expect("a seed");
        let [there, back] = [((&a, &content), (&b, &other)), ((&b, &other), (&a, &content))].map(|(a, b)| {
            let difference = Difference::between((a.0, a.1), (b.0, b.1)).ok()?;
            print(&difference, bytes.len() + OTHER.len());
            Some(difference.is_none())
        });
        assert_eq!(there, back);
        converted(&a, &content);
    });
});

fn converted(a: &Path, content: &Checkpoint) {
    let Ok(own) = Difference::between((a, content), (a, content)) else { return };
    assert!(own.is_none(), "{own}");
    for name in ["again.wgt", "again.safetensors"] {
        let path = path(name);
        let written = match name {
            "again.wgt" => content.write(&path),
            _ => content.write_safetensors(&path),
        };
        if written.is_ok() {
            let again = Checkpoint::read(&path).expect("what was written");
            let difference = Difference::between((a, content), (&path, &again)).expect("it was JSON before");
            assert!(difference.is_none(), "{difference}");
        }
    }
}

fn print<T: Display + Serialize>(value: &T, length: usize) {
    let mut out = terminal::Terminal(Vec::new());
    write!(out, "{value}").expect("a vector takes everything");
    assert_harmless(std::str::from_utf8(&out.0).expect("text"));
    assert!(out.0.len() <= 4096 + 64 * length, "{} bytes for {length}", out.0.len());
    let mut out = terminal::Terminal(Vec::new());
    serde_json::to_writer_pretty(&mut out, value).expect("JSON");
    assert_harmless(std::str::from_utf8(&out.0).expect("text"));
    serde_json::from_slice::<IgnoredAny>(&out.0).expect("JSON that can be read");
}

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    frame::mutate_checkpoint(data, size, max, seed, fuzzer_mutate)
});
