//! Fetches the real MNIST into `datasets/mnist`, where the example `mnist` looks for it.
//!
//!     cargo run --release --example download
//!
//! What is there already is kept, what was cut is continued, and every file is checked. `-- --quiet` shows no progress.

use std::path::Path;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use wengert_download::{MNIST_MIRRORS, mnist};

fn main() -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders above");
    let quiet = std::env::args().any(|arg| arg == "--quiet");
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}").expect("a valid template"),
    );
    let result = mnist(repository.join("datasets/mnist"), &MNIST_MIRRORS, |progress| {
        bar.set_message(progress.file.to_owned());
        bar.set_length(progress.total.unwrap_or(progress.bytes));
        bar.set_position(progress.bytes);
    });
    bar.finish_and_clear();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
