//! Whatever a file says: an error, and never a panic, a hang, or memory that the file's length does not explain.

use std::alloc::System;
use std::fs;
use std::path::{Path, PathBuf};

use cap::Cap;
use wengert_autodiff::{Buffer, Module, Param, Tape, module};
use wengert_optim::checkpoint::{self, Checkpoint, CheckpointError, Loaded};
use wengert_optim::{Optimizer, RmsProp};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What all tests of this file together may hold at one moment: they run at once, their files have a few kB, and each
/// list that is read may reserve 1 MiB on the word of its length.
const MEMORY: usize = 16 << 20;

const HEADER: usize = 28;

struct Model {
    weight: Param,
    mean: Buffer,
}

module!(Model { weight, mean });

fn new() -> (Model, Optimizer<RmsProp>) {
    let rule = RmsProp { momentum: 0.9, ..RmsProp::default() };
    let model = Model { weight: ndarray::arr2(&[[1.0, 2.0]]).into(), mean: ndarray::arr0(0.5).into() };
    (model, Optimizer::new(rule).with_group("none", RmsProp::default()))
}

/// A small checkpoint, and a directory to put it in.
struct Fixture {
    directory: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (mut model, mut opt) = new();
        let tape = Tape::new();
        let grads = tape.param(&model.weight).square().sum().backward();
        opt.step(&mut model, &grads);
        let path = directory.path().join("run");
        checkpoint::save(&path, &model, &opt, &7).unwrap();
        Self { bytes: fs::read(path).unwrap(), directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("run")
    }

    /// Loads `bytes`, and makes sure that an error changed nothing.
    fn load(&self, bytes: &[u8]) -> Result<Loaded<i32>, CheckpointError> {
        // Some file systems write to the disk at once where a file is overwritten, and that ten thousand times.
        fs::remove_file(self.path()).unwrap();
        fs::write(self.path(), bytes).unwrap();
        let (mut model, mut opt) = new();
        let result = checkpoint::load(self.path(), &mut model, &mut opt);
        if result.is_err() {
            assert_eq!(model.state_dict(), new().0.state_dict());
            assert_eq!((opt.steps(), opt.states().count()), (0, 0));
        }
        result
    }

    /// Loads the file with `number` at byte `at` and the checksum made right again, as someone who means harm would.
    fn load_with(&self, at: usize, number: u64) -> Result<Loaded<i32>, CheckpointError> {
        let mut bytes = self.bytes.clone();
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes[8..24]);
        crc.update(&bytes[HEADER..]);
        bytes[24..HEADER].copy_from_slice(&crc.finalize().to_le_bytes());
        self.load(&bytes)
    }
}

fn check_memory() {
    let peak = ALLOCATOR.max_allocated();
    println!("at most {peak} bytes at one moment");
    assert!(peak < MEMORY, "{peak} bytes at one moment");
}

#[test]
fn every_truncation_and_an_extra_byte_are_errors() {
    let fixture = Fixture::new();
    fixture.load(&fixture.bytes).unwrap();
    for length in 0..fixture.bytes.len() {
        fixture.load(&fixture.bytes[..length]).unwrap_err();
    }
    fixture.load(&[&fixture.bytes[..], &[0]].concat()).unwrap_err();
    check_memory();
}

const HOSTILE: [u64; 9] =
    [u64::MAX, u64::MAX / 2, u64::MAX / 8, 1 << 62, 1 << 61, 1 << 40, 1 << 33, u32::MAX as u64, 1 << 20];

#[test]
fn a_hostile_length_with_a_right_checksum_is_an_error() {
    let fixture = Fixture::new();
    let lengths = Layout::lengths(&fixture.bytes[HEADER..]);
    // The two lists of tensors and that of the rules; per tensor its name, its rank, its axes and its elements; per
    // rule its texts; the kind and the extra.
    assert_eq!(lengths.len(), 3 + (3 * 6 + 2 * 3) + (2 + 3) + 2);
    assert_eq!(fixture.load_with(HEADER + lengths[0], 2).map(|loaded| loaded.extra).unwrap(), 7);
    let of_the_payload = 16;
    for at in lengths.into_iter().map(|at| HEADER + at).chain([of_the_payload]) {
        for hostile in HOSTILE {
            assert!(fixture.load_with(at, hostile).is_err(), "{hostile} at byte {at} makes no difference");
        }
    }
    check_memory();
}

/// Finds the lengths in a payload: each is a `u64` before what it counts.
struct Layout<'a> {
    payload: &'a [u8],
    at: usize,
    lengths: Vec<usize>,
}

impl<'a> Layout<'a> {
    fn lengths(payload: &'a [u8]) -> Vec<usize> {
        let mut layout = Self { payload, at: 0, lengths: Vec::new() };
        layout.tensors(); // of the model
        assert_eq!(layout.byte(), 1, "there is an optimizer");
        layout.text(); // its kind
        layout.at += 8; // its steps
        for _ in 0..layout.length() {
            if layout.byte() == 1 {
                layout.text(); // the pattern
            }
            layout.text(); // as given
            layout.text(); // now
        }
        layout.tensors(); // its state
        layout.text(); // the extra
        assert_eq!(layout.at, payload.len());
        layout.lengths
    }

    fn tensors(&mut self) {
        for _ in 0..self.length() {
            self.text(); // the name
            self.at += 4; // the type
            for _ in 0..self.length() {
                self.length(); // of an axis
            }
            self.text(); // the elements
        }
    }

    fn text(&mut self) {
        self.at += self.length();
    }

    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.payload[self.at - 1]
    }

    fn length(&mut self) -> usize {
        self.lengths.push(self.at);
        self.at += 8;
        u64::from_le_bytes(self.payload[self.at - 8..self.at].try_into().unwrap()) as usize
    }
}

#[test]
fn what_is_too_long_or_no_file_is_not_read() {
    let fixture = Fixture::new();
    let long = fixture.directory.path().join("long");
    fs::File::create(&long).unwrap().set_len(5 << 30).unwrap();
    let message = |path: &Path| Checkpoint::read(path).unwrap_err().to_string();
    assert!(message(&long).ends_with("long: expected at most 4294967295 bytes, found 5368709120"));
    assert!(message(fixture.directory.path()).contains("expected a file"));
    assert!(message(&fixture.directory.path().join("absent")).contains("absent: cannot open"));
    if cfg!(unix) {
        assert!(message(Path::new("/dev/zero")).contains("expected a file"));
        // A pipe that nobody writes to: to open it would be to wait.
        let pipe = fixture.directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(message(&pipe).ends_with("pipe: expected a file, found something else"));
    }
    check_memory();
}

/// More than a second each; `--skip slow` leaves them out.
mod slow {
    use super::*;

    #[test]
    fn every_flipped_bit_is_an_error() {
        let fixture = Fixture::new();
        let mut bytes = fixture.bytes.clone();
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(fixture.load(&bytes).is_err(), "bit {bit} makes no difference");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        check_memory();
    }

    #[test]
    fn a_hostile_number_at_any_byte_does_no_harm() {
        let fixture = Fixture::new();
        for at in HEADER..fixture.bytes.len() - 8 {
            for hostile in HOSTILE {
                let _ = fixture.load_with(at, hostile); // some are only other weights
            }
        }
        check_memory();
    }

    #[test]
    fn a_damaged_safetensors_file_does_no_harm() {
        let fixture = Fixture::new();
        let path = fixture.directory.path().join("run.safetensors");
        Checkpoint::read(fixture.path()).unwrap().write_safetensors(&path).unwrap();
        let mut bytes = fs::read(path).unwrap();
        fixture.load(&bytes).unwrap();
        for length in 0..bytes.len() {
            fixture.load(&bytes[..length]).unwrap_err();
        }
        // The format has no checksum, so some of these are only other weights.
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let _ = fixture.load(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        for hostile in HOSTILE {
            bytes[..8].copy_from_slice(&hostile.to_le_bytes());
            fixture.load(&bytes).unwrap_err();
        }
        check_memory();
    }
}
