use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use wengert_lab::{Experiment, Report, experiments};

use crate::{playground, print_text};

#[derive(Subcommand)]
pub(crate) enum Lab {
    /// Lists the experiments with what each of them claims.
    List,
    /// Runs some experiments and prints what they found.
    Run {
        /// The experiments, by name.
        #[arg(required = true)]
        names: Vec<String>,
        /// Print JSON, for scripts.
        #[arg(long)]
        json: bool,
    },
    /// Runs all experiments and writes `index.html`, which needs no network, and `report.json`.
    All {
        /// The directory for the two files; made if it is not there.
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes `playground.html`, on which optimizers walk and networks learn in the browser, without a network.
    ///
    /// Builds what runs there with cargo, so it needs a copy of the repository as the current directory, and
    /// `rustup target add wasm32-unknown-unknown`.
    Playground {
        /// The directory for the file; made if it is not there.
        #[arg(long)]
        out: PathBuf,
    },
}

pub(crate) fn run(lab: &Lab) -> Result<ExitCode, Box<dyn Error>> {
    let all = experiments::all();
    match lab {
        Lab::List => {
            print_text(&list(&all))?;
            Ok(ExitCode::SUCCESS)
        }
        Lab::Run { names, json } => {
            let report = run_with_progress(&named(names, &all)?);
            print_text(&if *json { report.to_json()? + "\n" } else { text(&report) })?;
            Ok(code(&report))
        }
        Lab::All { out } => {
            let [json, page] = ["report.json", "index.html"].map(|name| out.join(name));
            try_to_write(out, &[&json, &page])?;
            let report = run_with_progress(&all);
            write(&json, &report.to_json()?)?;
            write(&page, &report.to_html())?;
            print_text(&summary(&report, out))?;
            Ok(code(&report))
        }
        Lab::Playground { out } => {
            let page = out.join("playground.html");
            try_to_write(out, &[&page])?;
            write(&page, &playground::page()?)?;
            print_text(&format!("{}\n", page.display()))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(all: &[Experiment]) -> String {
    let width = all.iter().map(|experiment| experiment.name.len()).max().unwrap_or(0);
    let line = |experiment: &Experiment| format!("{:width$}  {}\n", experiment.name, experiment.claim);
    all.iter().map(line).collect()
}

/// In the order of the names; each once, however often it is named.
fn named(names: &[String], all: &[Experiment]) -> Result<Vec<Experiment>, String> {
    let mut found: Vec<Experiment> = Vec::new();
    for name in names {
        let known = all.iter().find(|experiment| experiment.name == name);
        let known = known.ok_or_else(|| {
            format!("there is no experiment `{}`; `wengert lab list` shows their names", name.escape_debug())
        })?;
        if !found.iter().any(|experiment| experiment.name == name) {
            found.push(*known);
        }
    }
    Ok(found)
}

/// The bar goes to standard error, and only if that is a terminal.
fn run_with_progress(experiments: &[Experiment]) -> Report {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}");
    let bar = ProgressBar::new(experiments.len() as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let report = Report::run(experiments, |finding| {
        bar.set_message(finding.experiment.name);
        bar.inc(1);
    });
    bar.finish_and_clear();
    report
}

fn text(report: &Report) -> String {
    let texts: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

/// The experiments that found something else than expected, and where to read about it.
fn summary(report: &Report, out: &Path) -> String {
    let failed: Vec<_> = report.findings.iter().filter(|finding| !finding.outcome.passed()).collect();
    let mut text: String = failed.iter().map(|finding| format!("{finding}\n")).collect();
    let (total, seconds) = (report.findings.len(), report.time.as_secs_f64());
    let passed = total - failed.len();
    let page = out.join("index.html");
    text += &format!("{passed} of {total} claims pass, in {seconds:.1} s: {}\n", page.display());
    text
}

/// What cannot be written is found before the minutes of work, not after them.
fn try_to_write(directory: &Path, files: &[&Path]) -> Result<(), String> {
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    files.iter().try_for_each(|file| {
        wengert_files::try_to_write(file).map_err(|error| format!("{}: {error}", file.display()))
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    wengert_files::write(path, |file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

fn code(report: &Report) -> ExitCode {
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
