//! Which digits to learn from.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use wengert::data::mnist::{self, TrainTest};
use wengert::data::{download, synthetic};

use crate::Outcome;
use crate::cli::Args;

/// Where the real MNIST goes and is looked for.
const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/mnist");

const TRAIN_DIGITS: usize = 40_000;
const TEST_DIGITS: usize = 5_000;
/// Of the digits; `--seed` is for the training, so that runs with different seeds can be compared.
const SEED: u64 = 0;

pub fn load(args: &Args) -> Outcome<TrainTest> {
    if args.download {
        download(args)?;
    }
    let mut data = match &args.data {
        Some(name) if name == Path::new("synthetic") => generate(),
        Some(directory) => mnist::load(directory)?,
        None if Path::new(MNIST).is_dir() => mnist::load(MNIST)?,
        None => {
            if !args.quiet {
                println!(
                    "datasets/mnist is not there: training on generated digits. For the real ones add --download, or \
                     --data DIR with the four files."
                );
            }
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

fn download(args: &Args) -> Outcome<()> {
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}").expect("a valid template"),
    );
    download::mnist(MNIST, &download::MNIST_MIRRORS, |progress| {
        bar.set_message(progress.file.to_owned());
        bar.set_length(progress.total.unwrap_or(progress.bytes));
        bar.set_position(progress.bytes);
    })?;
    bar.finish_and_clear();
    Ok(())
}

fn generate() -> TrainTest {
    let (train, test) = synthetic::digits(TRAIN_DIGITS + TEST_DIGITS, SEED).split_at(TRAIN_DIGITS);
    TrainTest { train, test }
}
