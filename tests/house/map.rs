//! ARCHITECTURE's map is the tree.

use std::collections::BTreeSet;

use super::{expect_none, read, root, rust_files, shown};

#[test]
fn the_map_is_the_tree() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let map = text.split("```text\n").find(|block| block.starts_with("crates/autodiff/src ")).expect("a map");
    let lines = map.split("```").next().unwrap().lines();
    // The first word of a line is a folder; a line that continues the one above starts with a space.
    let named: BTreeSet<String> = lines
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .map(|line| line.split(' ').next().unwrap().trim_end_matches('/').to_owned())
        .collect();
    let folders: BTreeSet<String> = rust_files("crates")
        .iter()
        .map(|path| shown(path.parent().unwrap()))
        .filter(|folder| folder.contains("/src") || folder == "crates/wengert")
        .collect();
    expect_none("folders that the map lacks", folders.difference(&named).cloned().collect());
    let missing = named.iter().filter(|folder| !root().join(folder).is_dir());
    expect_none("folders of the map that do not exist", missing.cloned().collect());
}
