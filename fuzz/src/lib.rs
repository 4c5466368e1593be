//! What the targets share: memory with a limit, files of the input, mutations that keep a file's frame sound, and a
//! small run whose files are the seeds.

pub mod frame;
pub mod roundtrip;
pub mod run;

use std::alloc::System;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::{fs, panic};

use cap::Cap;
use tempfile::TempDir;

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// What any reader may take on the word of a file, whatever its length: each list of a checkpoint may reserve 1 MiB.
const ON_TRUST: usize = 16 << 20;

/// How many times the length of its input a check may take.
const FACTOR: usize = 256;

static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory"));

/// What tells of a panic needs memory too, and would wait for it for ever.
static HOOK: LazyLock<()> = LazyLock::new(|| {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let _ = MEMORY.set_limit(usize::MAX);
        report(info);
    }));
});

/// Runs a check of `bytes` bytes. More memory than they explain is refused, on which Rust ends the process.
pub fn within_memory(bytes: usize, check: impl FnOnce()) {
    LazyLock::force(&HOOK);
    let limit = MEMORY.allocated() + ON_TRUST + FACTOR * bytes;
    MEMORY.set_limit(limit).expect("a limit above what is taken");
    check();
    MEMORY.set_limit(usize::MAX).expect("no limit");
}

/// A name in a directory that goes with the process.
pub fn path(name: &str) -> PathBuf {
    DIRECTORY.path().join(name)
}

/// A file of these bytes.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = path(name);
    fs::write(&path, bytes).expect("a file in the temporary directory");
    path
}

/// Text that is said about a file must not steer a terminal.
pub fn assert_harmless(text: &str) {
    let steers = |c: &char| *c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(c));
    assert_eq!(text.chars().find(steers), None, "{text:?}");
}
