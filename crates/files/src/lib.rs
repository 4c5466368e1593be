//! Files for Wengert that are complete or not there.
//!
//! The design decision: a file is written under another name in the same directory, synced, and renamed, so that under
//! its final name there is always either all of the old content or all of the new. Writing in place and repairing what
//! an interruption left would need a journal in every format.
#![forbid(unsafe_code)]

mod error;
mod harmless;
mod target;
mod temporary;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{self, Path};

pub use error::FileError;
pub use harmless::harmless;
use target::{Target, directory_of};
use temporary::Temporary;

/// Writes `path` with `fill`; on any error or panic `path` is as it was before and nothing is left beside it. (If the
/// directory alone cannot be synced, which comes last, the error says that the new file may not survive a power cut.)
///
/// A symbolic link at `path` stays, and what it points to is written. A file that was there before passes its
/// permissions on, and if the system allows it its owner and group; its other hard links keep the old content.
///
/// A process that is killed meanwhile leaves `path` whole too, but also a file `.wengert-*.tmp` beside it; the next
/// write into the directory removes it.
///
/// # Errors
///
/// Those of the file system and of `fill`; and if there is a directory, a pipe, a socket or a device, which cannot be
/// replaced as a whole. They do not name the path.
pub fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let path = path::absolute(path)?; // `fill` may change the current directory
    let target = Target::of(&path)?;
    let directory = directory_of(&target.path);
    temporary::remove_abandoned(directory);
    let (temporary, file) = Temporary::create_in(directory, target.old.is_some())?;
    let mut buffer = BufWriter::new(&file);
    fill(&mut buffer)?;
    buffer.flush()?;
    drop(buffer);
    replace(&target, &file, &temporary.0)
}

/// Whether [`write()`] can write `path`, for what should be known before hours of work: it refuses what that would
/// refuse, and makes and removes a file in the directory. It changes nothing, and waits for nobody.
///
/// # Errors
///
/// As [`write()`].
pub fn try_to_write(path: &Path) -> io::Result<()> {
    let target = Target::of(&path::absolute(path)?)?;
    Temporary::create_in(directory_of(&target.path), true).map(drop)
}

/// Gives the complete file `from`, open as `file`, its final name `to` in the same directory; what was there before
/// counts as in [`write()`].
///
/// # Errors
///
/// Those of the file system, and if there is something at `to` that is not a plain file.
pub fn place(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    replace(&Target::of(to)?, file, from)
}

fn replace(target: &Target, file: &File, from: &Path) -> io::Result<()> {
    if let Some(old) = &target.old {
        target::pass_on_access(old, file)?;
    }
    // Without the sync, a power cut after the rename could leave the final name on an empty file.
    file.sync_all()?;
    fs::rename(from, &target.path)?;
    sync_directory(directory_of(&target.path))
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory) {
        // Whoever may write into it without reading it cannot sync it either. The file is there all the same.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        directory => directory?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(()) // elsewhere a directory cannot be opened as a file
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn names(directory: &Path) -> Vec<String> {
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
