//! An exercise as a crate in a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wengert_course::{EXERCISES, Exercise, MANIFEST};

/// What the name of an exercise's package begins with.
const PACKAGE: &str = "course-";

/// Writes the crate to begin with.
pub(crate) fn start(exercise: &Exercise, directory: &Path) -> Result<(), String> {
    let of = |error: io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(of)?;
    if fs::read_dir(directory).map_err(of)?.next().is_some() {
        return Err(format!(
            "{}: is not empty; an exercise begins in a directory of its own",
            directory.display()
        ));
    }
    write(directory, "README.md", exercise.text)?;
    write(directory, "src/lib.rs", exercise.stub)?;
    write_frame(exercise, directory)
}

/// Writes what is the course's: manifest, versions and tests.
pub(crate) fn write_frame(exercise: &Exercise, directory: &Path) -> Result<(), String> {
    write(directory, "Cargo.toml", &manifest(exercise))?;
    write(directory, "tests/check.rs", exercise.tests)?;
    // With the versions of the checkout nothing has to be looked up, and little to be compiled.
    match checkout().map(|checkout| fs::read_to_string(checkout.join("Cargo.lock"))) {
        Some(Ok(lock)) => write(directory, "Cargo.lock", &lock),
        _ => Ok(()),
    }
}

fn manifest(exercise: &Exercise) -> String {
    let at = |folder: &str| match checkout() {
        // JSON's strings are TOML's, too.
        Some(checkout) => {
            format!("{{ path = {} }}", serde_json::json!(checkout.join(folder).display().to_string()))
        }
        None => format!("{:?}", env!("CARGO_PKG_VERSION")),
    };
    let manifest = MANIFEST.replace("NAME", exercise.name);
    manifest.replace("WENGERT", &at(".")).replace("LAB", &at("crates/lab"))
}

/// Where this command was built, if that is a checkout that is still there.
pub(crate) fn checkout() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    checkout.join("course/exercise.toml").is_file().then(|| checkout.to_owned())
}

fn write(directory: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = directory.join(name);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// An exercise that somebody has worked on.
pub(crate) struct Submission {
    pub(crate) exercise: &'static Exercise,
    pub(crate) directory: PathBuf,
}

impl Submission {
    /// The exercise is known by the name of the package.
    pub(crate) fn read(directory: &Path) -> Result<Self, String> {
        let path = directory.join("Cargo.toml");
        let manifest = fs::read_to_string(&path).map_err(|error| {
            format!("{}: {error}; give the directory that `wengert course start` wrote", path.display())
        })?;
        let name = |line: &str| line.strip_prefix("name = \"")?.strip_suffix('"').map(str::to_owned);
        let package = manifest.lines().find_map(|line| name(line.trim())).unwrap_or_default();
        let exercise = package.strip_prefix(PACKAGE);
        let exercise = EXERCISES.iter().find(|known| exercise == Some(known.name)).ok_or_else(|| {
            format!("{}: is not an exercise of the course; `wengert course start` writes one", path.display())
        })?;
        Ok(Self { exercise, directory: directory.to_owned() })
    }

    /// Copies the sources to where they are built, in place of what is there.
    pub(crate) fn copy_sources(&self, to: &Path) -> Result<(), String> {
        let from = self.directory.join("src");
        let _ = fs::remove_dir_all(to);
        copy(&from, to).map_err(|error| format!("{}: {error}", from.display()))
    }
}

/// Files and directories; links are left out, which may lead anywhere.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        let kind = fs::symlink_metadata(&entry)?;
        if kind.is_dir() {
            copy(&entry, &to)?;
        } else if kind.is_file() {
            fs::copy(&entry, &to)?;
        }
    }
    Ok(())
}
