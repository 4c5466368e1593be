//! Why a download failed.

use std::io;
use std::path::PathBuf;

/// What can go wrong with a download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The operating system refused to open, read or write.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was attempted, e.g. `"open"`.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },

    /// No mirror delivered the file.
    #[error("{}: download failed; {}", path.display(), attempts.join("; "))]
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
        let path = path.into();
        move |source| Self::Io { path, action, source }
    }
}
