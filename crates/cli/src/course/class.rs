//! The submissions of a class, in one table.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use super::folder::Submission;
use super::grade::grade;

/// A CSV file with a row for each submission, and whether all tests of all of them pass. Shows each as it is graded.
pub(crate) fn marks(
    class: &Path,
    mut show: impl FnMut(&str) -> Result<(), Box<dyn Error>>,
) -> Result<(Vec<u8>, bool), Box<dyn Error>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["submission", "exercise", "passed", "tests", "failed", "seconds", "error"])?;
    let mut all_pass = true;
    for directory in submissions(class)? {
        let name = directory.strip_prefix(class).unwrap_or(&directory).display().to_string();
        let graded = Submission::read(&directory).and_then(|submission| grade(&submission));
        let row = match &graded {
            Ok(grade) => {
                let failed: Vec<_> = grade.failed.iter().map(|(test, _)| test.as_str()).collect();
                let error = if grade.error.is_some() { "does not compile" } else { "" };
                let tests = grade.passed + grade.failed.len();
                let [passed, tests, seconds] =
                    [grade.passed.to_string(), tests.to_string(), format!("{:.1}", grade.seconds)];
                [grade.exercise.to_owned(), passed, tests, failed.join(" "), seconds, error.to_owned()]
            }
            Err(error) => ["", "0", "0", "", "0", error].map(str::to_owned),
        };
        all_pass &= graded.is_ok_and(|grade| grade.passed());
        show(&format!("{name}: {} of {} {}", row[1], row[2], row[5]))?;
        table.write_record(std::iter::once(name).chain(row))?;
    }
    Ok((table.into_inner()?, all_pass))
}

/// The directories with a `Cargo.toml`, in the class or one below, sorted; others of the class too, so that nobody is
/// left out without a word.
fn submissions(class: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for directory in directories(class)? {
        let inside =
            directories(&directory)?.into_iter().filter(|inside| inside.join("Cargo.toml").is_file());
        let inside: Vec<_> = inside.collect();
        if directory.join("Cargo.toml").is_file() || inside.is_empty() {
            found.push(directory);
        } else {
            found.extend(inside);
        }
    }
    Ok(found)
}

fn directories(path: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| format!("{}: {error}", path.display()))?;
    let mut found: Vec<_> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}
