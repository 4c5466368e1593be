use std::io;
use std::path::PathBuf;

use crate::harmless::harmless;

/// What can be wrong with a file, whatever its format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused to open, read or write.
    #[error("{}: cannot {action}: {source}", harmless(&path.to_string_lossy()))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was attempted, such as `"open"`.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },

    /// The file can be read but does not hold what its format promises.
    #[error("{}: expected {}, found {}", harmless(&path.to_string_lossy()), harmless(expected), harmless(found))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the format asks for at that place.
        expected: String,
        /// What the file has there.
        found: String,
    },
}

impl FileError {
    /// For `map_err` on a `std::io` call: adds the file and what was attempted.
    pub fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, action, source }
    }

    /// The format of `path` is broken.
    pub fn malformed(
        path: impl Into<PathBuf>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Malformed { path: path.into(), expected: expected.into(), found: found.into() }
    }
}
