//! What the milestones share: how they show what they found.
#![forbid(unsafe_code)]

use std::path::Path;
use std::{env, fs};

use wengert_lab::Figure;

/// Writes the figure to `NAME.svg` in the directory that the program's first argument names, if there is one.
///
/// # Panics
///
/// If the file cannot be written.
pub fn draw(name: &str, figure: &Figure) {
    let Some(directory) = env::args_os().nth(1) else { return };
    let path = Path::new(&directory).join(name).with_extension("svg");
    fs::write(&path, figure.to_svg()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    println!("{}", path.display());
}
