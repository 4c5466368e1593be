use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::process;

const PREFIX: &str = ".wengert-";
const SUFFIX: &str = ".tmp";

/// A file that does not outlive this value, unless it has got another name by then.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    /// In the same directory as the final name, because a rename across file systems is a copy. It is locked, which
    /// tells it from an abandoned one; `private`, nobody else may read it.
    pub(crate) fn create_in(directory: &Path, private: bool) -> io::Result<(Self, File)> {
        loop {
            // `RandomState` has keys from the system's randomness: nobody can foresee the name, nor does another
            // machine that shares the directory, or a fork of this process, come upon it.
            let random = RandomState::new().hash_one(process::id());
            let path = directory.join(format!("{PREFIX}{random:016x}{SUFFIX}"));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, if private { 0o600 } else { 0o666 });
            #[cfg(not(unix))]
            let _ = private; // there is no such mode
            let file = options.open(&path)?;
            let temporary = Self(path);
            // Another process that removes abandoned files may have come before the lock.
            let lost = matches!(file.try_lock(), Err(TryLockError::WouldBlock)) || !temporary.0.exists();
            if !lost {
                return Ok((temporary, file));
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Removes what killed writers left. If that fails, the write goes on all the same.
pub(crate) fn remove_abandoned(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // To open a pipe would be to wait for its other end.
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if ours && is_file() {
            remove_if_abandoned(&entry.path());
        }
    }
}

/// A writer that is alive holds the lock. Where there are no locks, nothing is removed.
fn remove_if_abandoned(path: &Path) {
    if let Ok(file) = File::open(path)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(path); // before the lock is released: see `create_in`
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::names;

    #[test]
    fn what_a_killed_writer_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".wengert-abandoned.tmp", ".wengert-mine", "mine.tmp", "wengert-mine.tmp"] {
            File::create(dir.path().join(name)).unwrap();
        }
        fs::create_dir(dir.path().join(".wengert-directory.tmp")).unwrap();
        let (alive, _file) = Temporary::create_in(dir.path(), false).unwrap();
        remove_abandoned(dir.path());
        assert!(alive.0.exists());
        drop(alive);
        let rest = [".wengert-directory.tmp", ".wengert-mine", "mine.tmp", "wengert-mine.tmp"];
        assert_eq!(names(dir.path()), rest);
    }

    /// One thread removes what is abandoned as fast as it can, the other makes files, none of which is.
    #[test]
    fn a_file_is_never_taken_from_its_writer() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for _ in 0..2_000 {
                    let (temporary, _file) = Temporary::create_in(dir.path(), false).unwrap();
                    assert!(temporary.0.exists());
                    std::thread::yield_now();
                    assert!(temporary.0.exists());
                }
            });
            while !writer.is_finished() {
                remove_abandoned(dir.path());
            }
        });
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn each_temporary_file_is_new_and_gone_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let both = [(); 2].map(|()| Temporary::create_in(dir.path(), true).unwrap());
        let names_of_both = names(dir.path());
        assert_eq!(names_of_both.len(), 2);
        assert!(names_of_both.iter().all(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)));
        drop(both);
        assert!(names(dir.path()).is_empty());
    }
}
