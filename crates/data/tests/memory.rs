//! What a packed file may cost: memory for what its header declares, not for what it unpacks to.

use std::alloc::System;
use std::fs;
use std::io::Write;
use std::sync::Mutex;

use cap::Cap;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use wengert_data::idx;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);
/// One test at a time, so that none measures another's memory.
static ALONE: Mutex<()> = Mutex::new(());

/// Buffers, the decoder's window, messages.
const ON_TRUST: usize = 1 << 19;

/// What `read` takes at most at one moment, in bytes.
fn peak<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.allocated();
    // The counter only ever rises; what was highest before must not hide what comes.
    let highest = ALLOCATOR.max_allocated();
    let padding: Vec<u8> = Vec::with_capacity(highest - before);
    let base = ALLOCATOR.allocated();
    let result = read();
    let peak = ALLOCATOR.max_allocated().max(base) - base;
    drop(padding);
    (result, peak)
}

/// Packed, without ever being whole: `head`, then so many zeros.
fn packed(head: &[u8], zeros: usize) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(head).unwrap();
    let block = vec![0; 1 << 16];
    for start in (0..zeros).step_by(block.len()) {
        gzip.write_all(&block[..block.len().min(zeros - start)]).unwrap();
    }
    gzip.finish().unwrap()
}

fn header(code: u8, sizes: &[u32]) -> Vec<u8> {
    let mut header = vec![0, 0, code, sizes.len() as u8];
    header.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    header
}

/// Far more than any of the headers declares.
const UNPACKED: usize = 300 << 20;

#[test]
fn more_than_the_header_declares_is_refused_in_the_memory_of_what_it_declares() {
    let _alone = ALONE.lock().unwrap();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("bomb");
    // Type, sizes, and the bytes that they declare.
    let cases: [(u8, &[u32], usize); 5] = [
        (0x08, &[10], 10),
        (0x08, &[60_000, 28, 28], 47_040_000),
        (0x0b, &[1_000_000], 2_000_000),
        (0x0e, &[500_000], 4_000_000),
        (0x08, &[0, 28, 28], 0),
    ];
    for (code, sizes, declared) in cases {
        fs::write(&path, packed(&header(code, sizes), UNPACKED)).unwrap();
        let (error, peak) = peak(|| match code {
            0x08 => idx::read(&path).map(drop).unwrap_err(),
            _ => idx::read_as::<f64>(&path).map(drop).unwrap_err(),
        });
        assert!(error.to_string().ends_with("found more"), "{error}");
        assert!(peak <= 2 * declared + ON_TRUST, "{peak} bytes for {declared}: {sizes:?}");
    }
}

/// A header may declare what the file could hold; nothing is taken before it arrives.
#[test]
fn less_than_the_header_declares_is_refused_in_the_memory_of_what_arrives() {
    let _alone = ALONE.lock().unwrap();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("short");
    let arrives = 10 << 20;
    // Zeros behind the stream, which are padding, make the file long enough to promise ten times as much.
    let declared = 10 * arrives;
    let mut bytes = packed(&header(0x08, &[declared as u32]), arrives);
    bytes.resize(declared / 1000, 0);
    fs::write(&path, bytes).unwrap();
    let (error, peak) = peak(|| idx::read(&path).unwrap_err());
    assert!(error.to_string().contains(&format!("found {arrives}")), "{error}");
    assert!(peak <= 3 * arrives + ON_TRUST, "{peak} bytes for {arrives}");
}
