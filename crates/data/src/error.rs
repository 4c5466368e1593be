//! The one error type of this crate.

use std::io;
use std::path::PathBuf;

use wengert_files::{FileError, harmless};

/// What can be wrong with data that comes from outside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file that cannot be read or written, or that does not hold what its format promises.
    #[error(transparent)]
    File(#[from] FileError),

    /// A directory holds none of the usual spellings of a file.
    #[error(
        "{}: expected a file {}, found none of them",
        harmless(&directory.to_string_lossy()),
        names.join(" or ")
    )]
    Missing {
        /// Where the file was looked for.
        directory: PathBuf,
        /// Every name that was tried.
        names: Vec<String>,
    },

    /// Images and labels do not pair up.
    #[error("expected one label per image, found {images} images and {labels} labels")]
    CountMismatch {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },

    /// Inputs and targets do not pair up.
    #[error("expected the same number of rows of inputs and targets, found {rows:?}")]
    RowMismatch {
        /// Number of rows of each array, inputs first.
        rows: Vec<usize>,
    },

    /// An integer is not one of the classes.
    #[error("expected classes 0..{classes}, found {label} at index {index}")]
    NotAClass {
        /// Position of the first such integer, in the array's order.
        index: usize,
        /// The integer.
        label: String,
        /// Number of classes.
        classes: usize,
    },

    /// A number that is infinite or NaN, where a mean is taken.
    #[error("expected finite numbers, found {value:e} at index {index}")]
    NotFinite {
        /// Position of the first such number, in the array's order.
        index: usize,
        /// The number.
        value: f64,
    },

    /// A label is not one of the classes.
    #[error("expected labels {}..{}, found {label} at index {index}", first, first + classes)]
    LabelOutOfRange {
        /// Position of the first such label.
        index: usize,
        /// The label.
        label: u8,
        /// The lowest legal label: 0, except in EMNIST's `letters`, which counts from 1.
        first: usize,
        /// Number of classes.
        classes: usize,
    },

    /// What is wrong with the content of a file whose format is sound.
    #[error("{}: {source}", harmless(&path.to_string_lossy()))]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<DataError>,
    },
}

impl DataError {
    /// For `map_err` on a `std::io` call: adds the file and what was attempted.
    pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let error = FileError::io(path, action);
        move |source| error(source).into()
    }

    /// The format of `path` is broken.
    pub(crate) fn malformed(
        path: impl Into<PathBuf>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        FileError::malformed(path, expected, found).into()
    }

    /// For `map_err` on a check that does not know which file its input came from.
    pub(crate) fn in_file(path: impl Into<PathBuf>) -> impl FnOnce(Self) -> Self {
        let path = path.into();
        move |source| Self::InFile { path, source: Box::new(source) }
    }
}
