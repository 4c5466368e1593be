//! Exercises: handed out as crates, and graded.

mod class;
mod folder;
mod grade;

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use wengert_course::{EXERCISES, Exercise};

use crate::print_text;
use folder::Submission;

#[derive(Subcommand)]
pub(crate) enum Course {
    /// Lists the exercises.
    List,
    /// Writes an exercise into a new directory: its text, a stub, and the tests that grade it.
    Start {
        /// The number or the name of the exercise.
        exercise: String,
        /// Where to; made if it is not there, and else empty.
        directory: PathBuf,
    },
    /// Grades an exercise, or those of a whole class. Ends with 1 if a test fails.
    ///
    /// What is graded is the directory's `src`, with the manifest and the tests of the course. It runs what it grades:
    /// treat it like any program that you did not write.
    Check {
        /// The directory of an exercise; by default the one you are in.
        directory: Option<PathBuf>,
        /// A directory of submissions: exercises, or directories of exercises, by who wrote them.
        #[arg(long, requires = "csv", conflicts_with = "directory")]
        class: Option<PathBuf>,
        /// The file for the marks of the class.
        #[arg(long, requires = "class")]
        csv: Option<PathBuf>,
    },
}

pub(crate) fn run(course: &Course) -> Result<ExitCode, Box<dyn Error>> {
    match course {
        Course::List => {
            let line = |exercise: &Exercise| format!("{:18} {}\n", exercise.name, exercise.title());
            print_text(&EXERCISES.iter().map(line).collect::<String>())?;
            Ok(ExitCode::SUCCESS)
        }
        Course::Start { exercise, directory } => {
            let exercise = named(exercise)?;
            folder::start(exercise, directory)?;
            print_text(&format!(
                "{}: read {}, write {}, then `wengert course check {}`\n",
                exercise.title(),
                directory.join("README.md").display(),
                directory.join("src/lib.rs").display(),
                directory.display(),
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Course::Check { class: Some(class), csv: Some(csv), .. } => check_class(class, csv),
        Course::Check { directory, .. } => {
            let directory = directory.as_deref().unwrap_or(Path::new("."));
            let grade = grade::grade(&Submission::read(directory)?)?;
            crate::print(&grade, false)?;
            Ok(if grade.passed() { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
    }
}

fn check_class(class: &Path, csv: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let of = |error: io::Error| format!("{}: {error}", csv.display());
    wengert_files::try_to_write(csv).map_err(of)?;
    let (marks, all_pass) = class::marks(class, |line| print_text(&format!("{line}\n")))?;
    wengert_files::write(csv, |file| file.write_all(&marks)).map_err(of)?;
    Ok(if all_pass { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// By number, with or without zeros, or by name.
fn named(name: &str) -> Result<&'static Exercise, String> {
    let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let found = match number {
        Some(index) => EXERCISES.get(index),
        None => EXERCISES.iter().find(|exercise| exercise.name == name),
    };
    found.ok_or_else(|| {
        format!("there is no exercise `{}`; `wengert course list` shows them", name.escape_debug())
    })
}
