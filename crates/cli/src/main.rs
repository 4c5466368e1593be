//! The command `wengert`: looks into the files of a run, runs the experiments on optimizers, and grades exercises.
//!
//! The design decision: it knows only the files of a run, neither its model nor its optimizer, so it works on every
//! checkpoint, and on safetensors of any origin. A command that built the model first would have to be compiled
//! together with it.
#![forbid(unsafe_code)]

mod course;
mod diff;
mod inspect;
mod json;
mod lab;
mod playground;
mod terminal;

use std::error::Error;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;
use terminal::Terminal;
use wengert_optim::checkpoint::Checkpoint;

/// Looks into checkpoints and safetensors files, compares and converts them; runs experiments on optimizers; hands out
/// and grades exercises.
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
    /// Exercises from an empty tape to RMSProp on digits: hands them out and grades them.
    #[command(subcommand)]
    Course(course::Course),
    /// Runs experiments on optimizers. Ends with 1 if a number is not as expected.
    #[command(subcommand)]
    Lab(lab::Lab),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(Terminal(io::stderr()), "wengert: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Inspect { file, json } => {
            let content = Checkpoint::read(file)?;
            print(&inspect::Summary::new(file, &content)?, *json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Diff { a, b, json } => {
            let difference =
                diff::Difference::between((a, &Checkpoint::read(a)?), (b, &Checkpoint::read(b)?))?;
            print(&difference, *json)?;
            Ok(if difference.is_none() { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
        Command::Convert { from, to } => {
            convert(from, to)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Course(course) => course::run(course),
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

fn print<T: Serialize + Display>(value: &T, json: bool) -> Result<(), Box<dyn Error>> {
    let mut out = Terminal(BufWriter::new(io::stdout().lock()));
    let printed = match json {
        true => {
            serde_json::to_writer_pretty(&mut out, value).map_err(Into::into).and_then(|()| writeln!(out))
        }
        false => write!(out, "{value}"),
    };
    unless_closed(printed.and_then(|()| out.flush()))
}

fn print_text(text: &str) -> Result<(), Box<dyn Error>> {
    unless_closed(io::stdout().write_all(text.as_bytes()))
}

/// A reader that has seen enough, such as `head`, is not an error.
fn unless_closed(printed: io::Result<()>) -> Result<(), Box<dyn Error>> {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
