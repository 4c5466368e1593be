//! A checkpoint from and to a file.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use super::content::Checkpoint;
use super::error::CheckpointError;
use super::format::error::FormatError;
use super::format::limits::{MAX_LENGTH, check_length};
#[cfg(feature = "safetensors")]
use super::format::safetensors;
use super::format::{container, records};

impl Checkpoint {
    /// Reads a file of either format, which its first bytes tell apart, and checks all that can be checked without the
    /// model: lengths, checksum, names, shapes. Memory stays within a small multiple of the file's length. Safetensors
    /// are read with the feature `safetensors`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is damaged, or is something else.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let bytes = read(path)?;
        decode(&bytes).map_err(|error| CheckpointError::malformed(path, error.expected, error.found))
    }

    /// Writes the checkpoint format, as one whole or not at all.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or is larger than the format allows.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let path = path.as_ref();
        let unsavable = |why| CheckpointError::unsavable(path, "the checkpoint", why);
        let (codec, payload) = records::encode(self).map_err(unsavable)?;
        let header = container::header(codec, &payload);
        check_length((header.len() + payload.len()) as u64).map_err(unsavable)?;
        wengert_files::write(path, |file| {
            file.write_all(&header)?;
            file.write_all(&payload)
        })
        .map_err(CheckpointError::io(path, "write"))
    }

    /// Writes safetensors, as one whole or not at all: the state of the optimizer as tensors named
    /// `<parameter>/<field>`, the rest as JSON under `wengert` in the metadata. Needs the feature `safetensors`.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or is larger than the format allows.
    #[cfg(feature = "safetensors")]
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let path = path.as_ref();
        let unsavable = |why| CheckpointError::unsavable(path, "as safetensors", why);
        let bytes = safetensors::encode(self).map_err(unsavable)?;
        check_length(bytes.len() as u64).map_err(unsavable)?;
        wengert_files::write(path, |file| file.write_all(&bytes)).map_err(CheckpointError::io(path, "write"))
    }
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    if container::is(bytes) {
        return container::payload(bytes).and_then(|(codec, payload)| records::decode(codec, payload));
    }
    #[cfg(feature = "safetensors")]
    return safetensors::decode(bytes);
    #[cfg(not(feature = "safetensors"))]
    Err(FormatError::new("a checkpoint", "something else (safetensors needs the feature of that name)"))
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    // Asked before it is opened: to open a pipe waits for a writer, and a device may never end.
    let metadata = fs::metadata(path).map_err(CheckpointError::io(path, "open"))?;
    if !metadata.is_file() {
        return Err(CheckpointError::malformed(path, "a file", "something else"));
    }
    if metadata.len() > MAX_LENGTH {
        let expected = format!("at most {} bytes", MAX_LENGTH);
        return Err(CheckpointError::malformed(path, expected, metadata.len().to_string()));
    }
    let file = File::open(path).map_err(CheckpointError::io(path, "open"))?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(metadata.len() as usize)
        .map_err(Into::into)
        .and_then(|()| file.take(metadata.len()).read_to_end(&mut bytes))
        .map_err(CheckpointError::io(path, "read"))?;
    Ok(bytes)
}
