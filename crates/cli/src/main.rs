//! The command `wengert`: looks into the files of a run, and runs the experiments on optimizers.
//!
//! The design decision: it knows only the files of a run, neither its model nor its optimizer, so it works on every
//! checkpoint, and on safetensors of any origin. A command that built the model first would have to be compiled
//! together with it.
#![forbid(unsafe_code)]

mod diff;
mod inspect;
mod lab;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;
use wengert_optim::checkpoint::{Checkpoint, RawTensor};

/// Looks into checkpoints and safetensors files, compares and converts them; runs experiments on optimizers.
///
/// Ends with 2 if something is wrong with the arguments or the files.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists tensors with types, shapes, sizes and ranges, the optimizer and its hyper-parameters.
    Inspect {
        /// A checkpoint or a safetensors file.
        file: PathBuf,
        /// Print JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Compares two files by name. Ends with 1 if they differ.
    Diff {
        /// A checkpoint or a safetensors file.
        a: PathBuf,
        /// The file to compare it with, of either format.
        b: PathBuf,
        /// Print JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Writes the content of a file in the format that the name of the other ends in.
    Convert {
        /// A checkpoint or a safetensors file.
        from: PathBuf,
        /// The file to write: `.wgt` for a checkpoint, `.safetensors` for safetensors.
        to: PathBuf,
    },
    /// Runs experiments on optimizers. Ends with 1 if a number is not as expected.
    #[command(subcommand)]
    Lab(lab::Lab),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "wengert: {}", harmless(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Inspect { file, json } => {
            let summary = inspect::Summary::new(file, &Checkpoint::read(file)?)?;
            print(&summary, *json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { a, b, json } => {
            let difference = diff::Difference::between(&Checkpoint::read(a)?, &Checkpoint::read(b)?)?;
            print(&difference, *json)?;
            Ok(if difference.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Command::Convert { from, to } => {
            convert(from, to)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Lab(lab) => lab::run(lab),
    }
}

fn convert(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let write = match to.extension().and_then(|extension| extension.to_str()) {
        Some("wgt") => Checkpoint::write,
        Some("safetensors") => Checkpoint::write_safetensors,
        _ => {
            let expected = "expected a name that ends in .wgt (a checkpoint) or .safetensors";
            return Err(format!("{}: {expected}", to.display()).into());
        }
    };
    Ok(write(&Checkpoint::read(from)?, to)?)
}

fn print<T: Serialize + ToString>(value: &T, json: bool) -> Result<(), Box<dyn Error>> {
    let text = if json { serde_json::to_string_pretty(value)? + "\n" } else { harmless(&value.to_string()) };
    print_text(&text)
}

fn print_text(text: &str) -> Result<(), Box<dyn Error>> {
    match io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough, such as `head`, is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// What a file says, names of tensors above all, must not be able to steer the terminal.
fn harmless(text: &str) -> String {
    let harmless = |c: char| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(harmless).collect()
}

/// Those of the model, then those of the optimizer.
fn tensors(file: &Checkpoint) -> impl Iterator<Item = (&str, &RawTensor)> {
    let state = file.optimizer.iter().flat_map(|optimizer| &optimizer.state);
    file.model.iter().chain(state).map(|(name, tensor)| (name.as_str(), tensor))
}
