//! Why a download failed.

use std::io;
use std::path::PathBuf;

use wengert_files::{FileError, harmless};

/// What can go wrong with a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// A file or directory that cannot be opened, read or written.
    #[error(transparent)]
    File(#[from] FileError),

    /// No mirror delivered the file.
    #[error("{}: download failed; {}", harmless(&path.to_string_lossy()), harmless(&attempts.join("; ")))]
    Mirrors {
        /// Where the file should have gone.
        path: PathBuf,
        /// One line per attempt: the address and what went wrong.
        attempts: Vec<String>,
    },
}

impl DownloadError {
    /// For `map_err` on a `std::io` call: adds the file and what was attempted.
    pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let error = FileError::io(path, action);
        move |source| error(source).into()
    }
}
