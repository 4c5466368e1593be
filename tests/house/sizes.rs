use std::collections::BTreeMap;

use super::{expect_none, read, rust_files, shown};

const LINES: usize = 400;
/// Source files in a folder, its `mod.rs` or `lib.rs` not counted.
const FILES: usize = 12;

#[test]
fn no_file_is_too_long() {
    let all = ["crates", "examples", "tests", "benches", "fuzz"].into_iter().flat_map(rust_files);
    let long = all.filter_map(|path| {
        let lines = read(&path).lines().count();
        (lines > LINES).then(|| format!("{}: {lines} lines", shown(&path)))
    });
    expect_none("files above the limit", long.collect());
}

#[test]
fn no_folder_is_too_full() {
    let mut folders = BTreeMap::new();
    for path in rust_files("crates").into_iter().filter(|path| shown(path).contains("/src/")) {
        if !path.ends_with("mod.rs") && !path.ends_with("lib.rs") {
            *folders.entry(path.parent().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    let full = folders.into_iter().filter(|&(_, count)| count > FILES);
    expect_none(
        "folders above the limit",
        full.map(|(path, count)| format!("{}: {count}", shown(&path))).collect(),
    );
}
