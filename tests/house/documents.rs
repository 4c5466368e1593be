//! What the documents name exists, and figures that are told twice are the same.

use std::path::{Path, PathBuf};

use wengert::optim::{Rule, for_every_rule};

use super::{expect_none, files, read, root, shown};

fn documents() -> Vec<PathBuf> {
    let is_document = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let mut all: Vec<_> = ["crates", "docs", "benches", "datasets"]
        .map(|folder| root().join(folder))
        .iter()
        .flat_map(|folder| files(folder))
        .filter(is_document)
        .collect();
    let at_the_top =
        std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).filter(is_document);
    // What has been is told in past names.
    all.extend(at_the_top.filter(|path| !path.ends_with("CHANGELOG.md")));
    all
}

/// Each document's words in code: those between back quotes, and the lines of fenced blocks.
fn codes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.trim().to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        for target in read(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap();
            let local = !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:");
            if local && !document.parent().unwrap().join(path).exists() {
                broken.push(format!("{}: {target}", shown(&document)));
            }
        }
    }
    expect_none("links that lead nowhere", broken);
}

/// The guide and the pages of docs.rs name our files by their address, which works from everywhere.
#[test]
fn addresses_of_our_files_lead_somewhere() {
    let ours = ["blob", "tree"].map(|kind| format!("https://github.com/wengert-rs/wengert/{kind}/main/"));
    let is_text = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "rs" || kind == "md");
    let mut broken = Vec::new();
    for file in files(root()).into_iter().filter(is_text) {
        let text = read(&file);
        for rest in ours.iter().flat_map(|ours| text.split(ours.as_str()).skip(1)) {
            let end = |c: char| c.is_whitespace() || ")#>`\"".contains(c);
            let path = rest.split(end).next().unwrap();
            if !path.starts_with('{') && !root().join(path).exists() {
                broken.push(format!("{}: {path}", shown(&file)));
            }
        }
    }
    expect_none("addresses that lead nowhere", broken);
}

#[test]
fn paths_exist() {
    let mut missing = Vec::new();
    for document in documents() {
        for code in codes(&read(&document)) {
            let path = code.split([' ', ':']).next().unwrap();
            if is_path(path) && !exists(path, document.parent().unwrap()) {
                missing.push(format!("{}: {path}", shown(&document)));
            }
        }
    }
    expect_none("paths that do not exist", missing);
}

/// Whether a word in code is meant as a path of this repository.
fn is_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "/._-*{},".contains(c));
    let first = word.split('/').next().unwrap();
    let source = [".rs", ".toml", ".py", ".mjs", ".md"].iter().any(|ending| word.ends_with(ending));
    plain && word.contains('/') && !word.starts_with(['/', '.']) && (source || first_is_ours(first))
}

fn first_is_ours(first: &str) -> bool {
    !first.is_empty()
        && ["", "crates"].iter().any(|base| root().join(base).join(first).is_dir())
        && !["target", "data", "datasets"].contains(&first)
}

/// From the repository's root, from `crates`, or from the document's own folder; `*` and braces match something.
fn exists(path: &str, beside: &Path) -> bool {
    let stem = &path[..path.find(['*', '{']).map_or(path.len(), |at| path[..at].rfind('/').unwrap_or(0))];
    [root().to_owned(), root().join("crates"), beside.to_owned()].iter().any(|base| base.join(stem).exists())
}

#[test]
fn commands_name_what_exists() {
    let manifests: String =
        files(root()).iter().filter(|path| path.ends_with("Cargo.toml")).map(|path| read(path)).collect();
    let sources = files(root());
    let target = |flag: &str, name: &str| {
        let folder = match flag {
            "--example" => "examples",
            "--test" => "tests",
            "--bench" => "benches",
            _ => "",
        };
        let fits = |path: &Path| {
            path.ends_with(format!("{folder}/{name}.rs"))
                || path.ends_with(format!("{folder}/{name}/main.rs"))
        };
        sources.iter().any(|path| fits(path)) || manifests.contains(&format!("name = \"{name}\""))
    };
    let mut missing = Vec::new();
    for document in documents() {
        for code in codes(&read(&document)).iter().filter(|code| code.contains("cargo ")) {
            let words: Vec<_> = code.split([' ', '`']).collect();
            for pair in words.windows(2) {
                let [flag @ ("--example" | "--test" | "--bench" | "-p" | "--package" | "--bin"), name] = pair
                else {
                    continue;
                };
                let placeholder = name.chars().all(|c| !c.is_lowercase());
                if !placeholder && !target(flag, name) {
                    missing.push(format!("{}: {code}", shown(&document)));
                }
            }
        }
    }
    expect_none("commands that name what does not exist", missing);
}

/// Every rule, by the name that it has in errors and files.
#[test]
fn the_lists_of_rules_are_complete() {
    fn name<R: Rule>() -> &'static str {
        R::NAME
    }
    let mut missing = Vec::new();
    for document in ["README.md", "crates/optim/README.md"] {
        let text = read(&root().join(document));
        let words: Vec<_> = text.split(|c: char| !c.is_alphanumeric()).collect();
        let unnamed = for_every_rule!(name)
            .into_iter()
            .filter(|name| !words.iter().any(|word| word.eq_ignore_ascii_case(name)));
        missing.extend(unnamed.map(|name| format!("{document}: {name}")));
    }
    expect_none("rules that a document's list of them lacks", missing);
}

/// The paragraph of README that quotes the measurements, and the tables it quotes.
#[test]
fn the_readme_quotes_the_measurements() {
    let readme = read(&root().join("README.md"));
    let measured = read(&root().join("docs/performance.md"));
    let start = readme.find("**It is fast on a CPU.**").expect("the paragraph about speed");
    let paragraph = readme[start..].split("\n- ").next().unwrap().split("\n\n").next().unwrap();
    let is_figure = |word: &&str| word.contains('.') && word.parse::<f64>().is_ok();
    let figures: Vec<_> = paragraph
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .filter(is_figure)
        .collect();
    assert!(!figures.is_empty(), "README quotes no figure: {paragraph}");
    let unknown = figures.iter().filter(|figure| !measured.contains(**figure));
    expect_none(
        "figures of README that docs/performance.md lacks",
        unknown.map(ToString::to_string).collect(),
    );
}
