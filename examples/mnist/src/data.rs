//! Which digits to learn from.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use wengert::data::mnist::{self, TrainTest};
use wengert::data::synthetic;

use crate::Outcome;
use crate::cli::Args;
use crate::output::Console;

const TRAIN_DIGITS: usize = 40_000;
const TEST_DIGITS: usize = 5_000;
/// Of the digits; `--seed` is for the training, so that runs with different seeds can be compared.
const SEED: u64 = 0;

/// The root of the repository, two folders above this package.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders above")
}

pub fn load(args: &Args, console: &mut Console) -> Outcome<TrainTest> {
    // Where the real MNIST goes and is looked for.
    let home = &root().join("datasets/mnist");
    if args.download {
        download(args)?;
    }
    let mut data = match &args.data {
        Some(name) if name == Path::new("synthetic") => generate(),
        Some(directory) => mnist::load(directory)?,
        None if has_files(home) => mnist::load(home)?,
        None => {
            console.say(
                "datasets/mnist is not there: training on generated digits. For the real ones add --download, or \
                 --data DIR with the four files.",
            );
            generate()
        }
    };
    if let Some(directory) = &args.test {
        data.test = mnist::load(directory)?.test;
        if data.test.image_size() != data.train.image_size() {
            return Err(format!("--test {}: the images are of another size", directory.display()).into());
        }
    }
    // Batch norm needs two images to have a variance.
    match (data.train.len(), data.test.len()) {
        (2.., 1..) => Ok(data),
        (train, test) => Err(format!("--data: {train} training and {test} test images are too few").into()),
    }
}

/// The IDX files in the directories that data may come from: nothing may be written over them.
pub fn files(args: &Args) -> Vec<PathBuf> {
    let home = root().join("datasets/mnist");
    let directories = [args.data.as_deref().unwrap_or(&home)].into_iter().chain(args.test.as_deref());
    let entries = directories.filter_map(|directory| fs::read_dir(directory).ok()).flatten().flatten();
    let idx = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains("idx"));
    entries.map(|entry| entry.path()).filter(idx).collect()
}

/// Not counting what a download that failed has left behind: its lock, `.download.lock`, and parts of files, `*.part`.
fn has_files(directory: &Path) -> bool {
    let mut entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.any(|entry| {
        let name = entry.file_name();
        !name.as_encoded_bytes().starts_with(b".") && !name.as_encoded_bytes().ends_with(b".part")
    })
}

/// By the example `download`, which is built when it is asked for: HTTPS would be a third of this program.
fn download(args: &Args) -> Outcome<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["run", "--release", "--example", "download", "--manifest-path"]);
    cargo.arg(root().join("Cargo.toml"));
    if args.quiet {
        cargo.args(["--quiet", "--", "--quiet"]);
    }
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("--download: the example `download` failed".into()),
        Err(error) => Err(format!("--download: cannot run cargo: {error}").into()),
    }
}

fn generate() -> TrainTest {
    let (train, test) = synthetic::digits(TRAIN_DIGITS + TEST_DIGITS, SEED).split_at(TRAIN_DIGITS);
    TrainTest { train, test }
}
