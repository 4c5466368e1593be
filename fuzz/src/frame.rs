//! Mutations that keep the frame of a file: a checksum or a length that is wrong hides all that lies behind it.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Of a checkpoint: magic, version, codec, length, checksum.
const HEADER: usize = 28;

/// Mutates `data`, whose first `size` bytes are the input, and returns the new size.
type Mutate = fn(&mut [u8], usize, usize) -> usize;

/// A checkpoint or safetensors; one of eight is left broken.
pub fn mutate_checkpoint(data: &mut [u8], size: usize, max: usize, seed: u32, mutate: Mutate) -> usize {
    let size = mutate(data, size, max);
    if seed.is_multiple_of(8) {
        return size;
    }
    if data[..size].starts_with(b"\x89WGT") && size >= HEADER {
        let (header, payload) = data[..size].split_at_mut(HEADER);
        header[16..24].copy_from_slice(&(payload.len() as u64).to_le_bytes());
        let mut crc = crc32fast::Hasher::new();
        crc.update(&header[8..24]);
        crc.update(payload);
        header[24..].copy_from_slice(&crc.finalize().to_le_bytes());
        return size;
    }
    match safetensors(&data[..size]) {
        Some(bytes) if bytes.len() <= max => {
            data[..bytes.len()].copy_from_slice(&bytes);
            bytes.len()
        }
        _ => size,
    }
}

/// The length of the header as it is, and as much data as it asks for.
fn safetensors(bytes: &[u8]) -> Option<Vec<u8>> {
    let rest = bytes.get(8..)?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<serde_json::Value>();
    let header = values.next()?.ok()?;
    let length = values.byte_offset();
    let padded = rest[length..].iter().take_while(|&&byte| byte == b' ').count() + length;
    let end = |info: &serde_json::Value| info["data_offsets"][1].as_u64();
    let end = header.as_object()?.values().filter_map(end).max().unwrap_or(0);
    let mut fixed = (padded as u64).to_le_bytes().to_vec();
    fixed.extend(rest);
    fixed.resize(8 + padded + usize::try_from(end).ok().filter(|&end| end <= 4096)?, 0);
    Some(fixed)
}

/// The content of a gzip file; one of four, and what is not gzip, is mutated as it is.
pub fn mutate_gzip(data: &mut [u8], size: usize, max: usize, seed: u32, mutate: Mutate) -> usize {
    let mut content = Vec::new();
    let gzip = data[..size].starts_with(&[0x1f, 0x8b]) && !seed.is_multiple_of(4);
    if !gzip || GzDecoder::new(&data[..size]).take(4096).read_to_end(&mut content).is_err() {
        return mutate(data, size, max);
    }
    let length = content.len();
    content.resize(length.max(1) * 2, 0);
    let room = content.len();
    let length = mutate(&mut content, length, room);
    let packed = gzipped(&content[..length]);
    if packed.len() > max {
        return mutate(data, size, max);
    }
    data[..packed.len()].copy_from_slice(&packed);
    packed.len()
}

/// The length for `within_memory` where gzip may hold 1032 times its own, and 32 times that is plenty.
pub fn expanded(bytes: usize) -> usize {
    bytes * 1032 * 32 / crate::FACTOR
}

pub fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(content).and_then(|()| gzip.finish()).expect("a vector takes everything")
}
