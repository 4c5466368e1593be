//! How a file is opened that somebody else wrote.

use std::fs::{self, File};
use std::path::Path;

use crate::DataError;

/// The file and its length in bytes.
pub(crate) fn open(path: &Path) -> Result<(File, u64), DataError> {
    // Asked before it is opened: to open a pipe waits for a writer.
    let metadata = fs::metadata(path).map_err(DataError::io(path, "open"))?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(DataError::malformed(path, "a file", "something else"));
    }
    let file = File::open(path).map_err(DataError::io(path, "open"))?;
    Ok((file, metadata.len()))
}
