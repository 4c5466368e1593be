//! IDX files: what is written comes back, and no damaged or hostile file does anything but fail with a clear message.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use ndarray::{ArrayD, IxDyn};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tempfile::TempDir;
use wengert_data::{DataError, FileError, idx};

/// Three 2×4 images, every byte different.
fn small() -> ArrayD<u8> {
    ArrayD::from_shape_fn(IxDyn(&[3, 2, 4]), |i| (100 + 8 * i[0] + 4 * i[1] + i[2]) as u8)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn file(directory: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join("sample-idx3-ubyte");
    let _ = fs::remove_file(&path); // some file systems flush a file that is truncated and written again
    fs::write(&path, bytes).unwrap();
    path
}

/// The message of the error that reading `bytes` must give, which names the file.
fn refused(directory: &TempDir, bytes: &[u8]) -> String {
    let message = idx::read(file(directory, bytes)).unwrap_err().to_string();
    assert!(message.contains("sample-idx3-ubyte") && message.contains("expected"), "{message}");
    message
}

fn header(rank: u8, sizes: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, rank];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes
}

#[test]
fn the_bytes_of_a_file_are_those_of_the_format() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a");
    idx::write(&path, small().view()).unwrap();
    let mut expected = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 4];
    expected.extend(100..124);
    assert_eq!(fs::read(&path).unwrap(), expected);
}

#[test]
fn every_shape_comes_back_from_plain_and_gzip() {
    let directory = TempDir::new().unwrap();
    let rng = &mut StdRng::seed_from_u64(1);
    for shape in [vec![0], vec![1], vec![70_000], vec![5, 0, 3], vec![2, 3], vec![300, 28, 28], vec![1; 12]] {
        let mut array = ArrayD::zeros(IxDyn(&shape));
        rng.fill_bytes(array.as_slice_mut().unwrap());
        for name in ["plain", "packed.gz"] {
            let path = directory.path().join(name);
            idx::write(&path, array.view()).unwrap();
            assert_eq!(fs::read(&path).unwrap().starts_with(&[0x1f, 0x8b]), name.ends_with(".gz"));
            assert_eq!(idx::read(&path).unwrap(), array, "{name} {shape:?}");
        }
    }
}

#[test]
fn a_view_that_is_not_contiguous_is_written_in_its_own_order() {
    let directory = TempDir::new().unwrap();
    let (array, path) = (small(), directory.path().join("t"));
    idx::write(&path, array.t()).unwrap();
    assert_eq!(idx::read(&path).unwrap(), array.t());
}

#[test]
fn gzip_is_recognised_by_content_and_may_have_several_members() {
    let directory = TempDir::new().unwrap();
    let plain = [header(1, &[3]), vec![7, 8, 9]].concat();
    let path = file(&directory, &[gzip(&plain[..6]), gzip(&plain[6..])].concat());
    assert_eq!(idx::read(path).unwrap().as_slice().unwrap(), [7, 8, 9]);
    let misnamed = directory.path().join("misnamed.gz");
    fs::write(&misnamed, &plain).unwrap();
    assert_eq!(idx::read(misnamed).unwrap().as_slice().unwrap(), [7, 8, 9]);
}

/// As `gzip.open(path).read()` of Python: zeros may stand behind every member, and nothing else may.
#[test]
fn zeros_behind_gzip_are_padding() {
    let directory = TempDir::new().unwrap();
    let plain = [header(1, &[3]), vec![7, 8, 9]].concat();
    let (whole, first, second) = (gzip(&plain), gzip(&plain[..6]), gzip(&plain[6..]));
    let zeros = |n: usize| vec![0; n];
    for padded in [
        [&whole[..], &zeros(1)].concat(),
        [&whole[..], &zeros(512)].concat(),
        [&whole[..], &zeros(1_000_000)].concat(),
        [&first[..], &zeros(3), &second].concat(),
        [&first[..], &zeros(70_000), &second, &zeros(8)].concat(),
        [&whole[..], &zeros(5), &gzip(&[])].concat(),
    ] {
        assert_eq!(idx::read(file(&directory, &padded)).unwrap().as_slice().unwrap(), [7, 8, 9]);
    }
    for damaged in [
        [&whole[..], &zeros(9), &[1]].concat(),
        [&whole[..], &zeros(9), &gzip(&[1])].concat(),
        [&first[..], &zeros(9)].concat(),
        [&first[..], &zeros(9), &second[..second.len() - 1]].concat(),
    ] {
        refused(&directory, &damaged);
    }
}

/// The bytes are written out by hand: type, rank, size, and the numbers in big-endian order.
#[test]
fn every_element_type_is_read_into_every_type_that_holds_it() {
    let directory = TempDir::new().unwrap();
    let three = |code: u8, elements: &[u8]| [&[0, 0, code, 1, 0, 0, 0, 3], elements].concat();
    let files = [
        (three(0x08, &[1, 127, 255]), [1.0, 127.0, 255.0]),
        (three(0x09, &[1, 127, 0xff]), [1.0, 127.0, -1.0]),
        (three(0x0b, &[0, 1, 0x7f, 0xff, 0x80, 0]), [1.0, 32767.0, -32768.0]),
        (
            three(0x0c, &[0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0]),
            [1.0, 2147483647.0, -2147483648.0],
        ),
        (
            three(0x0d, &[0x3f, 0x80, 0, 0, 0xff, 0x80, 0, 0, 0, 0, 0, 1]),
            [1.0, f64::NEG_INFINITY, 2f64.powi(-149)],
        ),
        (
            three(
                0x0e,
                &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            ),
            [1.0, -1.0, f64::from_bits(1)],
        ),
    ];
    // Which files each type holds: u8, i8, i16, i32, f32, f64.
    let held = [0b1, 0b10, 0b111, 0b1111, 0b1_0111, 0b11_1111];
    for (at, (bytes, values)) in files.iter().enumerate() {
        for bytes in [bytes.clone(), gzip(bytes)] {
            let path = file(&directory, &bytes);
            let read = [
                idx::read_as::<u8>(&path).map(|a| a.mapv(f64::from)),
                idx::read_as::<i8>(&path).map(|a| a.mapv(f64::from)),
                idx::read_as::<i16>(&path).map(|a| a.mapv(f64::from)),
                idx::read_as::<i32>(&path).map(|a| a.mapv(f64::from)),
                idx::read_as::<f32>(&path).map(|a| a.mapv(f64::from)),
                idx::read_as::<f64>(&path),
            ];
            for (read, held) in read.into_iter().zip(held) {
                match read {
                    Ok(read) => {
                        assert!(held >> at & 1 == 1 && read.as_slice().unwrap() == values, "{bytes:02x?}")
                    }
                    Err(error) => {
                        assert!(held >> at & 1 == 0, "{error}");
                        assert!(error.to_string().contains("expected element type 0x"), "{error}");
                    }
                }
            }
        }
        // Half an element too few, and a byte too many.
        refused_as_f64(&directory, &bytes[..bytes.len() - 1]);
        refused_as_f64(&directory, &[&bytes[..], &[0]].concat());
    }
}

#[test]
fn other_element_types_are_written_in_big_endian_order() {
    let directory = TempDir::new().unwrap();
    let wide = ndarray::arr2(&[[1, -2], [1 << 30, i32::MIN]]).into_dyn();
    let path = directory.path().join("wide");
    idx::write(&path, wide.view()).unwrap();
    assert_eq!(idx::read_as::<i32>(&path).unwrap(), wide);
    let expected = [
        &[0, 0, 0x0c, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0x40][..],
        &[0; 3],
        &[0x80, 0, 0, 0],
    ]
    .concat();
    assert_eq!(fs::read(&path).unwrap(), expected);
}

fn refused_as_f64(directory: &TempDir, bytes: &[u8]) {
    let message = idx::read_as::<f64>(file(directory, bytes)).unwrap_err().to_string();
    assert!(message.contains("expected 3 elements"), "{message}");
}

/// To open a pipe that nobody writes to waits for ever.
#[test]
#[cfg(unix)]
fn a_pipe_is_not_a_file() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("train-images-idx3-ubyte");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let message = idx::read(&pipe).unwrap_err().to_string();
    assert!(message.ends_with("expected a file, found something else"), "{message}");
}

#[test]
fn every_truncation_and_every_extra_byte_is_an_error() {
    let directory = TempDir::new().unwrap();
    let plain = [header(3, &[3, 2, 4]), (100..124).collect()].concat();
    for whole in [plain.clone(), gzip(&plain)] {
        for length in 0..whole.len() {
            refused(&directory, &whole[..length]);
        }
        for extra in [0, 1, 0x1f] {
            // Zeros behind gzip are padding.
            if extra != 0 || whole == plain {
                refused(&directory, &[&whole[..], &[extra]].concat());
            }
        }
    }
    let message = refused(&directory, &[&plain[..], &[0]].concat());
    assert!(message.ends_with("expected 24 elements (sizes [3, 2, 4]), found 25"), "{message}");
    // The same inside a sound gzip stream.
    for length in 0..plain.len() {
        refused(&directory, &gzip(&plain[..length]));
    }
    assert!(refused(&directory, &gzip(&plain[..39])).ends_with("(sizes [3, 2, 4]), found 23"));
    assert!(
        refused(&directory, &gzip(&[&plain[..], &[0]].concat())).ends_with("(sizes [3, 2, 4]), found more")
    );
}

#[test]
fn a_flipped_bit_is_an_error_or_a_change_of_exactly_one_pixel() {
    let directory = TempDir::new().unwrap();
    let original = small();
    let plain = [header(3, &[3, 2, 4]), (100..124).collect()].concat();
    for bit in 0..8 * plain.len() {
        let mut bytes = plain.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if bit < 8 * 16 {
            refused(&directory, &bytes); // the header: nothing in it is free
        } else {
            let image = idx::read(file(&directory, &bytes)).unwrap();
            assert_eq!(image.iter().zip(&original).filter(|(a, b)| a != b).count(), 1);
        }
    }
}

#[test]
fn a_flipped_bit_in_gzip_is_an_error_or_changes_nothing() {
    let directory = TempDir::new().unwrap();
    let original = small();
    let packed = gzip(&[header(3, &[3, 2, 4]), (100..124).collect()].concat());
    let mut harmless = Vec::new();
    for bit in 0..8 * packed.len() {
        let mut bytes = packed.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match idx::read(file(&directory, &bytes)) {
            Ok(image) => {
                assert_eq!(image, original, "bit {bit}");
                harmless.push(bit / 8);
            }
            Err(error) => assert!(error.to_string().contains("sample-idx3-ubyte"), "{error}"),
        }
    }
    // Gzip's checksum covers the content, not its own header (the text flag, time, level and system of RFC 1952), and
    // deflate ends at a bit: the rest of the last byte before the 8-byte trailer means nothing.
    let padding = packed.len() - 9;
    assert!(harmless.iter().all(|byte| (3..10).contains(byte) || *byte == padding), "{harmless:?}");
}

#[test]
fn other_element_types_and_magic_numbers_are_named() {
    let directory = TempDir::new().unwrap();
    let message = refused(&directory, &[0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert!(message.contains("0x0d (32-bit float)"), "{message}");
    assert!(refused(&directory, &[0, 0, 0x42, 1, 0, 0, 0, 0]).contains("0x42 (unknown)"));
    assert!(refused(&directory, b"\x89PNG\r\n\x1a\n").contains("[89, 50, 4e, 47]"));
    assert!(refused(&directory, &[0, 0, 8, 0, 5]).contains("rank of at least 1"));
    assert!(refused(&directory, &[]).contains("bytes []"));
}

#[test]
fn hostile_sizes_are_refused_before_memory_is_taken() {
    let directory = TempDir::new().unwrap();
    let max = u32::MAX;
    // Each declares at least 4 GB, most of them more than any machine has, in a file of a few bytes.
    for sizes in [vec![max], vec![max, max], vec![max; 3], vec![max; 200], vec![0, max, max, max]] {
        let bytes = header(sizes.len() as u8, &sizes);
        refused(&directory, &bytes);
        refused(&directory, &gzip(&bytes));
    }
    assert!(refused(&directory, &header(3, &[max; 3])).contains("4294967295, 4294967295, 4294967295"));
    let packed = gzip(&header(1, &[max]));
    let limit = format!("no more than fit in {} bytes of gzip", packed.len());
    assert!(refused(&directory, &packed).ends_with(&limit));
}

#[test]
fn a_gzip_bomb_is_read_no_further_than_its_header_declares() {
    let directory = TempDir::new().unwrap();
    let mut bomb = header(1, &[10]);
    bomb.resize(64 << 20, 0);
    let message = refused(&directory, &gzip(&bomb));
    assert!(message.contains("expected 10 elements") && message.contains("found more"), "{message}");
}

#[test]
fn random_damage_never_panics() {
    let directory = TempDir::new().unwrap();
    let rng = &mut StdRng::seed_from_u64(2);
    let plain = [header(3, &[3, 2, 4]), (100..124).collect()].concat();
    for whole in [plain.clone(), gzip(&plain)] {
        for _ in 0..1_000 {
            let mut bytes = whole.clone();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                bytes[at] = rng.random();
            }
            if let Ok(array) = idx::read(file(&directory, &bytes)) {
                assert_eq!(array.len(), 24);
            }
        }
    }
}

#[test]
fn missing_files_and_directories_say_so() {
    let directory = TempDir::new().unwrap();
    for path in [directory.path().join("absent"), directory.path().to_path_buf()] {
        let error = idx::read(&path).unwrap_err();
        assert!(matches!(error, DataError::File(FileError::Io { .. })), "{error:?}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn arrays_the_format_cannot_hold_are_refused_and_leave_no_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a");
    let refuse = |shape: &[usize]| {
        let error = idx::write(&path, ArrayD::<u8>::zeros(IxDyn(shape)).view()).unwrap_err();
        assert!(matches!(error, DataError::File(FileError::Malformed { .. })), "{error:?}");
    };
    refuse(&[]);
    refuse(&[1; 256]);
    #[cfg(target_pointer_width = "64")]
    refuse(&[1 << 32, 0]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    let absent = Path::new("no-such-directory/a");
    assert!(idx::write(absent, small().view()).unwrap_err().to_string().contains("no-such-directory"));
}
