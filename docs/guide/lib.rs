//! The chapters of the guide are doc tests of this crate: `cargo test -p wengert-guide`.
//!
//! Read them in `src`, or as a book: `mdbook serve docs/guide`.
#![forbid(unsafe_code)]

use std::path::Path;
use std::{env, fs};

macro_rules! chapters {
    ($($chapter:ident)*) => {
        #[cfg(test)]
        const CHAPTERS: &[&str] = &[$(stringify!($chapter)),*];
        $(
            #[cfg(doctest)]
            #[doc = include_str!(concat!("src/", stringify!($chapter), ".md"))]
            mod $chapter {}
        )*
    };
}

chapters! {
    introduction
    first_network
    tape
    shapes
    own_op
    layers
    data
    training
    state
    epsilon
    own_rule
    curvature
    checkpoints
    debugging
    exchange
    performance
    own_crate
    browser
    deployment
    names
}

/// Compares what a chapter draws with the picture beside it, `src/pictures/NAME`; with `WENGERT_GUIDE_DRAW=1` in the
/// environment writes it there instead.
///
/// # Panics
///
/// If the two differ, or the file cannot be read or written.
pub fn picture(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pictures").join(name);
    if env::var_os("WENGERT_GUIDE_DRAW").is_some() {
        return fs::write(&path, drawn).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        kept == drawn,
        "{name} is not what the chapter draws: `WENGERT_GUIDE_DRAW=1 cargo test -p wengert-guide`"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chapters that a page links to, in its order, each once.
    fn linked(page: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(page);
        let text = fs::read_to_string(path).unwrap();
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let mut chapters = Vec::new();
        for chapter in links.filter_map(|link| link.strip_suffix(".md")) {
            if !chapter.contains('/') && !chapters.iter().any(|known| known == chapter) {
                chapters.push(chapter.to_owned());
            }
        }
        chapters
    }

    #[test]
    fn every_chapter_is_tested_and_listed() {
        assert_eq!(linked("SUMMARY.md"), CHAPTERS);
        assert_eq!(linked("introduction.md"), CHAPTERS[1..]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut pages: Vec<_> = names.filter(|name| name.ends_with(".md") && name != "SUMMARY.md").collect();
        pages.sort();
        let mut chapters: Vec<_> = CHAPTERS.iter().map(|chapter| format!("{chapter}.md")).collect();
        chapters.sort();
        assert_eq!(pages, chapters);
    }
}
