use std::io;
use std::path::{Path, PathBuf};

use wengert_files::harmless;

use super::report::LoadReport;

/// Why a file could not be written or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", harmless(&path.to_string_lossy()))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was attempted, such as `"write"`.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },

    /// The file can be read but is not what it should be.
    #[error("{}: expected {}, found {}", harmless(&path.to_string_lossy()), harmless(expected), harmless(found))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the format asks for.
        expected: String,
        /// What there is.
        found: String,
    },

    /// The file is sound but belongs to another model, or to an optimizer of another kind or with other
    /// hyper-parameters. Neither was changed.
    #[error("{}: does not fit, and nothing was loaded: {report}", harmless(&path.to_string_lossy()))]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Every difference.
        report: Box<LoadReport>,
    },

    /// Something that the format cannot hold. No file was written.
    #[error("{}: cannot save {what}: {}", harmless(&path.to_string_lossy()), harmless(why))]
    Unsavable {
        /// The file.
        path: PathBuf,
        /// What was to be saved.
        what: &'static str,
        /// Why that is not possible.
        why: String,
    },
}

impl CheckpointError {
    /// For `map_err` on a `std::io` call.
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), action, source }
    }

    pub(super) fn malformed(path: &Path, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Malformed { path: path.to_owned(), expected: expected.into(), found: found.into() }
    }

    pub(super) fn unsavable(path: &Path, what: &'static str, why: impl ToString) -> Self {
        Self::Unsavable { path: path.to_owned(), what, why: why.to_string() }
    }
}
