//! Which file uses which, from the paths after `crate::` and `super::`. A name that is taken from a door
//! (`crate::Tensor`) belongs to the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{expect_none, read, root, rust_files, shown};

type Graph = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

#[test]
fn no_files_form_a_ring() {
    for source in sources() {
        // The door of a room is what its files share: a ring through it is the room.
        let graph = graph(&source);
        let graph = restricted(&graph, |path| !is_door(path));
        expect_none("files that use each other in a ring", rings(&graph));
    }
}

#[test]
fn no_rooms_form_a_ring() {
    for source in sources() {
        let mut rooms = Graph::new();
        for (from, uses) in graph(&source) {
            if from.file_name().unwrap() == "lib.rs" {
                continue;
            }
            let from = room(&source, &from);
            for to in uses.into_iter().filter(|to| to.file_name().unwrap() != "lib.rs") {
                let to = room(&source, &to);
                // A room's door names the rooms inside it.
                if from != to && !to.starts_with(&from) {
                    rooms.entry(from.clone()).or_default().insert(to);
                }
            }
        }
        expect_none("rooms that use each other in a ring", rings(&rooms));
    }
}

#[test]
fn rings_are_found() {
    let path = |name: &str| PathBuf::from(name);
    let graph = |edges: &[(&str, &str)]| -> Graph {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(path(from)).or_default().insert(path(to));
        }
        graph
    };
    assert_eq!(rings(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])), Vec::<String>::new());
    assert_eq!(rings(&graph(&[("a", "b"), ("b", "c"), ("c", "b")])), ["b, c"]);
}

/// The source folders of the crates.
fn sources() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    crates.map(|entry| entry.unwrap().path().join("src")).filter(|path| path.is_dir()).collect()
}

fn is_door(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "mod.rs" || name == "lib.rs" || name == "main.rs")
}

/// A file of the source folder itself is a room of its own.
fn room(source: &Path, path: &Path) -> PathBuf {
    let parent = path.parent().unwrap();
    if parent == source { path.to_owned() } else { parent.to_owned() }
}

fn graph(source: &Path) -> Graph {
    let all: Vec<PathBuf> = rust_files(&shown(source));
    let defined = definitions(&all);
    let uses = |path: &PathBuf| {
        let text = code(&read(path));
        let mut found = BTreeSet::new();
        for names in paths(&text) {
            found.extend(resolve(source, path, &names, &defined));
        }
        found.remove(path);
        (path.clone(), found)
    };
    all.iter().map(uses).collect()
}

/// The code without comments and without the module of tests at its end.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").or(text.find("#[cfg(all(test")).unwrap_or(text.len());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Where each public name is defined that only one file defines.
fn definitions(all: &[PathBuf]) -> BTreeMap<String, PathBuf> {
    let mut defined = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for path in all {
        for line in read(path).lines() {
            let rest = line.strip_prefix("pub ").or(line.strip_prefix("pub(crate) "));
            let Some((kind, rest)) = rest.and_then(|rest| rest.split_once(' ')) else { continue };
            if ["struct", "enum", "trait", "fn", "type", "const"].contains(&kind) {
                let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
                if defined.insert(name.clone(), path.clone()).is_some() {
                    twice.insert(name);
                }
            }
        }
    }
    defined.retain(|name, _| !twice.contains(name));
    defined
}

/// Every path that starts with `crate::` or `super::`, braces multiplied out.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c == '$' || c == ':' || c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &text[at + start.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            let (head, tail) = rest.split_at(end);
            let mut prefix = vec![start.trim_end_matches(':').to_owned()];
            prefix.extend(head.split("::").filter(|name| !name.is_empty()).map(str::to_owned));
            match tail.strip_prefix('{') {
                Some(list) => found.extend(branches(&prefix, &list[..list.find('}').unwrap()])),
                None => found.push(prefix),
            }
        }
    }
    found
}

fn branches(prefix: &[String], list: &str) -> Vec<Vec<String>> {
    let branch = |name: &str| {
        let names = name.split(" as ").next().unwrap().split("::").map(str::trim);
        prefix.iter().cloned().chain(names.filter(|name| *name != "self").map(str::to_owned)).collect()
    };
    list.split(',').filter(|name| !name.trim().is_empty()).map(branch).collect()
}

/// The file a path leads to: where its last name is defined, else the file of the modules it passes.
fn resolve(
    source: &Path,
    from: &Path,
    names: &[String],
    defined: &BTreeMap<String, PathBuf>,
) -> Option<PathBuf> {
    let mut place = if names[0] == "crate" {
        source.to_owned()
    } else if is_door(from) {
        from.parent().unwrap().parent().unwrap().to_owned()
    } else {
        from.parent().unwrap().to_owned()
    };
    for (depth, name) in names.iter().enumerate().skip(1) {
        if name == "super" {
            place.pop();
        } else if place.join(name).is_dir() {
            place.push(name);
        } else if place.join(name).with_extension("rs").is_file() {
            return Some(place.join(name).with_extension("rs"));
        } else {
            return names[depth..].iter().find_map(|name| defined.get(name)).cloned();
        }
    }
    Some(place.join("mod.rs")).filter(|door| door.is_file())
}

fn restricted(graph: &Graph, keep: impl Fn(&Path) -> bool) -> Graph {
    let some = |set: &BTreeSet<PathBuf>| set.iter().filter(|path| keep(path)).cloned().collect();
    graph.iter().filter(|(path, _)| keep(path)).map(|(path, uses)| (path.clone(), some(uses))).collect()
}

/// The sets of nodes that reach each other.
fn rings(graph: &Graph) -> Vec<String> {
    let reach: BTreeMap<&PathBuf, BTreeSet<PathBuf>> =
        graph.keys().map(|node| (node, reachable(graph, node))).collect();
    let ring = |node: &&PathBuf| {
        let back = |other: &&PathBuf| reach.get(other).is_some_and(|reach| reach.contains(*node));
        reach[*node].iter().filter(back).map(|path| shown(path)).collect::<Vec<_>>().join(", ")
    };
    let rings: BTreeSet<String> =
        graph.keys().filter(|node| reach[node].contains(*node)).map(|n| ring(&n)).collect();
    rings.into_iter().collect()
}

/// What can be reached from a node in one step or more.
fn reachable(graph: &Graph, from: &Path) -> BTreeSet<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Path> = vec![from];
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    seen
}

#[test]
fn unsafe_code_is_in_one_place() {
    let all = ["crates", "examples", "benches"].into_iter().flat_map(rust_files);
    let elsewhere = all.filter(|path| {
        !path.starts_with(root().join("crates/autodiff/src/compute"))
            && code(&read(path))
                .lines()
                .any(|line| ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|what| line.contains(what)))
    });
    expect_none("files with `unsafe`", elsewhere.map(|path| shown(&path)).collect());
}
