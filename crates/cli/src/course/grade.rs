//! Builds an exercise with the course's own tests, runs them, and reads what they say.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::folder::{self, Submission};

/// How long a test may run.
const LIMIT: Duration = Duration::from_secs(20);

/// What the tests say of a submission.
#[derive(Debug, Serialize)]
pub(crate) struct Grade {
    pub(crate) exercise: &'static str,
    pub(crate) passed: usize,
    /// Each test that did not pass, with what it says.
    pub(crate) failed: Vec<(String, String)>,
    /// What the compiler says, if it does not compile.
    pub(crate) error: Option<String>,
    pub(crate) seconds: f64,
    untested: &'static str,
}

impl Grade {
    pub(crate) fn passed(&self) -> bool {
        self.failed.is_empty() && self.error.is_none()
    }
}

pub(crate) fn grade(submission: &Submission) -> Result<Grade, String> {
    let (exercise, start) = (submission.exercise, Instant::now());
    let (built, _lock) = workshop(submission)?;
    if !built.exists() {
        eprintln!("{}: its first check compiles the library, too, which may take minutes", exercise.name);
    }
    folder::write_frame(exercise, &built)?;
    submission.copy_sources(&built.join("src"))?;
    let (program, error) = match build(&built)? {
        Ok(program) => (Some(program), None),
        Err(complaint) => (None, Some(complaint)),
    };
    let untested = exercise.untested();
    let mut grade =
        Grade { exercise: exercise.name, passed: 0, failed: Vec::new(), error, seconds: 0.0, untested };
    for name in exercise.tests.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next()) {
        let outcome = program.as_ref().map(|program| run(program, name, &built)).transpose()?;
        match outcome.flatten() {
            None if program.is_some() => grade.passed += 1,
            message => grade.failed.push((name.to_owned(), message.unwrap_or_default())),
        }
    }
    grade.seconds = start.elapsed().as_secs_f64();
    Ok(grade)
}

/// Where the exercise is built, and what keeps other graders out of there. It is one place for all submissions, so that
/// the library is built once.
fn workshop(submission: &Submission) -> Result<(PathBuf, File), String> {
    let base = folder::checkout().unwrap_or_else(|| submission.directory.clone());
    let workshop = base.join("target").join("course").join(submission.exercise.name);
    let lock =
        fs::create_dir_all(&workshop).and_then(|()| File::create(workshop.join("lock"))).and_then(|lock| {
            lock.lock()?;
            Ok(lock)
        });
    lock.map_err(|error| format!("{}: {error}", workshop.display()))
        .map(|lock| (workshop.join("exercise"), lock))
}

/// The test program, or what the compiler complains about.
fn build(built: &Path) -> Result<Result<PathBuf, String>, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["test", "--no-run", "--test", "check", "--message-format", "json-render-diagnostics"]);
    if let (Some(checkout), None) = (folder::checkout(), std::env::var_os("CARGO_TARGET_DIR")) {
        cargo.arg("--target-dir").arg(checkout.join("target"));
    }
    cargo.env("CARGO_TERM_COLOR", "never");
    let output = cargo.current_dir(built).output().map_err(|error| format!("cargo: {error}"))?;
    let artifacts = String::from_utf8_lossy(&output.stdout);
    let messages = artifacts.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter(|message| message["target"]["name"] == "check");
    match programs.find_map(|message| Some(PathBuf::from(message["executable"].as_str()?))) {
        Some(program) if output.status.success() => Ok(Ok(program)),
        _ => Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

/// Runs a test, in a process of its own: one that crashes or does not end takes no other along. Returns what it says if
/// it fails.
fn run(program: &Path, test: &str, built: &Path) -> Result<Option<String>, String> {
    let of = |error: io::Error| format!("{}: {error}", program.display());
    let path = built.join("output");
    let output = File::create(&path).map_err(of)?;
    let mut command = Command::new(program);
    command.args([test, "--exact"]).current_dir(built).env("RUST_BACKTRACE", "1").stdin(Stdio::null());
    command.stderr(output.try_clone().map_err(of)?).stdout(output);
    let mut child = command.spawn().map_err(of)?;
    let start = Instant::now();
    let status = loop {
        match child.try_wait().map_err(of)? {
            Some(status) => break status,
            None if start.elapsed() > LIMIT => {
                child.kill().and_then(|()| child.wait()).map_err(of)?;
                let said =
                    format!("it was ended after {} s; is there a loop without an end?", LIMIT.as_secs());
                eprintln!("{test}: {said}"); // now, as the others may take as long
                return Ok(Some(said));
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let output = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(of)?;
    if status.success() && output.contains("test result: ok. 1 passed") {
        return Ok(None);
    }
    // A crash says what it does beside the tests' own words.
    Ok(Some(message(&output, test).unwrap_or_else(|| format!("{status}\n{}", output.trim()))))
}

/// What a test says that failed, without what the test harness says around it. If the answer panicked, or what it
/// called, the line of the answer is before it.
fn message(output: &str, name: &str) -> Option<String> {
    let section = output.split(&format!("---- {name} stdout ----\n")).nth(1)?;
    let section = section.split("\n---- ").next()?.split("\nfailures:\n").next()?;
    let (place, said) = section.split_once("panicked at ")?.1.split_once('\n')?;
    let (said, trace) = said.split_once("\nstack backtrace:\n").unwrap_or((said, ""));
    let mut called = trace.lines().filter_map(|line| line.trim_start().strip_prefix("at ./"));
    let place = match place.split(['/', '\\']).next() {
        Some("tests") => None,
        Some("src") => place.strip_suffix(':'),
        _ => called.find(|place| place.starts_with("src")),
    };
    let place = place.map_or_else(String::new, |place| format!("{place}: "));
    Some(format!("{place}{}", said.trim_end()))
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.passed + self.failed.len();
        writeln!(f, "{}: {} of {count} tests pass, in {:.1} s", self.exercise, self.passed, self.seconds)?;
        if let Some(error) = &self.error {
            return writeln!(f, "\nIt does not compile:\n{error}");
        }
        for (test, message) in &self.failed {
            writeln!(f, "\n{test}")?;
            message.lines().try_for_each(|line| writeln!(f, "    {line}"))?;
        }
        writeln!(f, "\nNot tested: {}", self.untested)
    }
}

#[cfg(test)]
mod tests {
    use super::message;

    #[test]
    fn a_panic_of_the_answer_has_its_line() {
        let said = |place: &str| {
            let output = format!(
                "\nfailures:\n\n---- sums stdout ----\n\nthread 'sums' (7) panicked at {place}:\nno sum,\nno gain\n\
                 stack backtrace:\n   0: core::panic\n             at /rustc/src/panic.rs:9:1\n   1: exercise::sum\n\
                 \x20            at ./src/lib.rs:60:17\n   2: check::sums\n             at ./tests/check.rs:8:5\n\n\n\
                 failures:\n    sums\n"
            );
            assert_eq!(message(&output, "products"), None);
            message(&output, "sums").unwrap()
        };
        assert_eq!(said("tests/check.rs:8:5"), "no sum,\nno gain");
        assert_eq!(said("src/tape.rs:3:1"), "src/tape.rs:3:1: no sum,\nno gain");
        assert_eq!(said("/home/ndarray-0.17/src/dot.rs:2:1"), "src/lib.rs:60:17: no sum,\nno gain");
    }
}
