//! What surrounds the payload, so that damage is found before anything is decoded.
//!
//! ```text
//! magic 8 bytes | version u32 | codec u32 | payload length u64 | CRC-32 u32 | payload
//! ```
//!
//! Integers have their lowest byte first. The checksum is over all bytes between it and the magic, and the payload; it
//! finds every error in up to 32 adjacent bits. It does not protect against a file that was made to do harm: that is
//! the decoder's task.

use super::error::FormatError;

/// Like PNG's: a byte beyond ASCII and both kinds of line end, which a transfer as text would damage.
const MAGIC: [u8; 8] = *b"\x89WGT\r\n\x1a\n";
const VERSION: u32 = 1;
const HEADER: usize = 28;

pub(in crate::checkpoint) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

pub(in crate::checkpoint) fn header(codec: u32, payload: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&codec.to_le_bytes());
    header[16..24].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let crc = checksum(&header, payload);
    header[24..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// Codec and payload of a file that [`is`] a checkpoint, if it is undamaged and of a known version.
pub(in crate::checkpoint) fn payload(bytes: &[u8]) -> Result<(u32, &[u8]), FormatError> {
    let Some((header, payload)) = bytes.split_at_checked(HEADER) else {
        return Err(FormatError::new(format!("a header of {HEADER} bytes"), bytes.len()));
    };
    let u32_at = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
    let length = u64::from_le_bytes(header[16..24].try_into().expect("eight bytes"));
    if u32_at(8) != VERSION {
        return Err(FormatError::new(format!("version {VERSION} of the checkpoint format"), u32_at(8)));
    }
    if length != payload.len() as u64 {
        return Err(FormatError::new(format!("{length} bytes after the header"), payload.len()));
    }
    let crc = checksum(header, payload);
    if u32_at(24) != crc {
        return Err(FormatError::new(
            format!("the checksum {:08x}", u32_at(24)),
            format!("{crc:08x}: the file is damaged"),
        ));
    }
    Ok((u32_at(12), payload))
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header[8..24]);
    crc.update(payload);
    crc.finalize()
}
