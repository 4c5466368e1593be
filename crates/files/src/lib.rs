//! Files for Wengert that are complete or not there.
//!
//! The design decision: a file is written under another name in the same directory, synced, and renamed, so that under
//! its final name there is always either all of the old content or all of the new. Writing in place and repairing what
//! an interruption left would need a journal in every format.
#![forbid(unsafe_code)]

mod error;
mod harmless;

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::{self, Path, PathBuf};
use std::process;
use std::time::Duration;

pub use error::FileError;
pub use harmless::harmless;

/// Writes `path` with `fill`; on any error or panic `path` is as it was before and nothing is left beside it. (If the
/// directory alone cannot be synced, which comes last, the error says that the new file may not survive a power cut.)
///
/// A symbolic link at `path` is replaced, not followed: what it points to may be in a directory that nobody may write
/// to.
///
/// A process that is killed meanwhile leaves `path` whole too, but also a file `.wengert-*.tmp` beside it; the next
/// write into the directory that comes a minute later or more removes it.
///
/// # Errors
///
/// Those of the file system and of `fill`. They do not name the path.
pub fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let path = &path::absolute(path)?; // `fill` may change the current directory
    remove_abandoned(directory_of(path));
    let (temporary, file) = Temporary::create_in(directory_of(path))?;
    let _ = file.try_lock(); // tells the file from an abandoned one; where there are no locks, none is removed
    let mut buffer = BufWriter::new(&file);
    fill(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    place(&file, &temporary.0, path)
}

/// A file that does not outlive this value, unless it has got another name by then.
struct Temporary(PathBuf);

impl Temporary {
    /// In the same directory as the final name, because a rename across file systems is a copy.
    fn create_in(directory: &Path) -> io::Result<(Self, File)> {
        // `RandomState` has keys from the system's randomness: nobody can foresee the name, nor does another machine
        // that shares the directory, or a fork of this process, come upon it.
        let random = RandomState::new().hash_one(process::id());
        let path = directory.join(format!("{PREFIX}{random:016x}{SUFFIX}"));
        let file = File::create_new(&path)?;
        Ok((Self(path), file))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Gives the complete file `from`, open as `file`, its final name `to` in the same directory.
///
/// # Errors
///
/// Those of the file system.
pub fn place(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    // Without the sync, a power cut after the rename could leave the final name on an empty file.
    file.sync_all()?;
    fs::rename(from, to)?;
    sync_directory(directory_of(to))
}

const PREFIX: &str = ".wengert-";
const SUFFIX: &str = ".tmp";

/// Between the making of a file and its lock; after that the lock itself says that a writer is alive.
const UNLOCKED: Duration = Duration::from_secs(60);

/// Removes what killed writers left. If that fails, the write goes on all the same.
fn remove_abandoned(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if ours && is_abandoned(&entry.path()).unwrap_or(false) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_abandoned(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    let age = file.metadata()?.modified()?.elapsed().unwrap_or_default();
    Ok(age > UNLOCKED && file.try_lock().is_ok())
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(()) // elsewhere a directory cannot be opened as a file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write(&path, |w| w.write_all(b"old")).unwrap();
        let error = write(&path, |w| {
            w.write_all(b"half of the ne")?;
            Err(io::Error::other("disk full"))
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file"]);

        // Another name of the old file keeps its content: the new one was not written into it.
        fs::hard_link(&path, dir.path().join("link")).unwrap();
        write(&path, |w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read(dir.path().join("link")).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file", "link"]);
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let long_ago = std::time::SystemTime::now() - 2 * UNLOCKED;
        let old = |name: &str| {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
            file
        };
        drop(old(".wengert-abandoned.tmp"));
        drop(old("mine.tmp"));
        drop(File::create(dir.path().join(".wengert-young.tmp")).unwrap());
        let in_use = old(".wengert-in-use.tmp");
        in_use.lock().unwrap();
        write(&dir.path().join("file"), |w| w.write_all(b"new")).unwrap();
        assert_eq!(names(dir.path()), [".wengert-in-use.tmp", ".wengert-young.tmp", "file", "mine.tmp"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_replaced_and_its_file_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "mine").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, |w| w.write_all(b"new")).unwrap();
        assert_eq!((fs::read(&file).unwrap(), fs::read(&link).unwrap()), (b"mine".to_vec(), b"new".to_vec()));
    }

    #[test]
    fn what_cannot_be_replaced_is_an_error_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("directory");
        fs::create_dir(&path).unwrap();
        write(&path, |w| w.write_all(b"new")).unwrap_err();
        assert_eq!(names(dir.path()), ["directory"]);
    }

    /// All writers use the same name; each puts one whole file there.
    #[test]
    fn writers_at_once_do_not_mix() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::thread::scope(|scope| {
            for byte in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        write(path, |w| (0..100).try_for_each(|_| w.write_all(&[byte; 1000]))).unwrap();
                        let read = fs::read(path).unwrap();
                        assert!(read.len() == 100_000 && read.iter().all(|&b| b == read[0]));
                    }
                });
            }
        });
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn a_panic_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "old").unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| write(&path, |_| panic!("in the middle")));
            writer.join().unwrap_err();
        });
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn each_temporary_file_is_new_and_gone_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let both = [(); 2].map(|()| Temporary::create_in(dir.path()).unwrap());
        let names_of_both = names(dir.path());
        assert_eq!(names_of_both.len(), 2);
        assert!(names_of_both.iter().all(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)));
        drop(both);
        assert!(names(dir.path()).is_empty());
    }

    /// The umask says who may read a data file, as it does not for most temporary files.
    #[test]
    #[cfg(unix)]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let [ours, plain] = ["ours", "plain"].map(|name| dir.path().join(name));
        write(&ours, |w| w.write_all(b"new")).unwrap();
        fs::write(&plain, "new").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
        fs::set_permissions(&ours, PermissionsExt::from_mode(0o600)).unwrap();
        write(&ours, |w| w.write_all(b"newer")).unwrap();
        assert_eq!(mode(&ours), mode(&plain));
    }

    /// The other tests have absolute paths.
    #[test]
    fn a_relative_path_keeps_its_meaning_when_the_current_directory_changes() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::env::set_current_dir(here.path()).unwrap();
        write(Path::new("file"), |w| {
            std::env::set_current_dir(there.path())?;
            w.write_all(b"new")
        })
        .unwrap();
        std::env::set_current_dir(std::env::temp_dir()).unwrap();
        assert_eq!((names(here.path()), names(there.path())), (vec!["file".to_owned()], Vec::new()));
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = write(&dir.path().join("absent").join("file"), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
