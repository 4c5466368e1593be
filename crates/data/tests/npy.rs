//! NumPy's files: what NumPy wrote (tests/golden/npy.py), and what nobody should have written.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use ndarray::{Array3, ArrayD, IxDyn, ShapeBuilder, arr0, array};
use tempfile::TempDir;
use wengert_data::npy::{self, ReadableElement};

fn recorded(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(file)
}

#[test]
fn arrays_of_numpy_are_read() {
    /// Element `i` in row-major order is `i`.
    fn check<A: ReadableElement + PartialEq + Debug>(name: &str, convert: impl Fn(u8) -> A) {
        for file in ["arrays.npz", "compressed.npz"] {
            let found = npy::read_npz::<A>(recorded(file), name).unwrap_or_else(|error| panic!("{error}"));
            let count = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| convert((12 * i + 4 * j + k) as u8));
            assert_eq!(found, count.into_dyn(), "{file} {name}");
        }
    }
    check("u1", |x| x);
    check("i1", |x| x as i8);
    check("u2", u16::from);
    check("i2", i16::from);
    check("u4", u32::from);
    check("i4", i32::from);
    check("u8", u64::from);
    check("i8", i64::from);
    check("f4", f32::from);
    check("f8", f64::from);
    check("big_f4", f32::from);
    check("big_i8", i64::from);
    check("fortran", f32::from);
    check("bool", |x| x % 2 == 1);
    for file in ["arrays.npz", "compressed.npz"] {
        assert_eq!(npy::read_npz::<f64>(recorded(file), "scalar").unwrap(), arr0(2.5).into_dyn());
        assert_eq!(npy::read_npz::<f32>(recorded(file), "empty").unwrap().shape(), [0, 3]);
        let names = npy::npz_names(recorded(file)).unwrap();
        assert_eq!((names.len(), names[0].as_str(), names[17].as_str()), (18, "u1", "complex"));
    }
}

#[test]
fn another_type_or_name_is_told() {
    let message = |name: &str| npy::read_npz::<f32>(recorded("arrays.npz"), name).unwrap_err().to_string();
    for (name, found) in [("f8", "<f8"), ("i8", "<i8"), ("u1", "|u1"), ("text", "<U1"), ("complex", "<c16")] {
        let text = message(name);
        assert!(
            text.contains("elements of type f32") && text.contains(found) && text.contains(name),
            "{text}"
        );
    }
    let text = message("missing");
    assert!(text.contains(r#"an array "missing.npy""#) && text.contains(r#""u1.npy", "i1.npy""#), "{text}");
    assert!(npy::read::<f32>(recorded("absent.npy")).is_err());
    assert!(npy::read::<f32>(recorded("arrays.npz")).is_err());
    assert!(npy::read_npz::<f32>(recorded("metrics.json"), "a").is_err());
}

#[test]
fn what_is_written_comes_back() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.npy");
    for shape in [&[][..], &[0], &[5], &[2, 3], &[2, 0, 3], &[2, 3, 4]] {
        let count: usize = shape.iter().product();
        let rows = ArrayD::from_shape_vec(shape, (0..count).map(|i| i as f64 / 3.0).collect()).unwrap();
        let columns = ArrayD::from_shape_fn(IxDyn(shape).f(), |at| rows[at]);
        for array in [&rows, &columns, &rows.t().to_owned()] {
            npy::write(&path, array.view()).unwrap();
            assert_eq!(npy::read::<f64>(&path).unwrap(), *array);
        }
    }
    assert!(npy::write(directory.path().join("no/a.npy"), array![1.0].view()).is_err());
}

/// A file of version 1 with this header, and so many bytes behind it.
fn file(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// All are refused, none panics, and none takes memory that is not there.
#[test]
fn hostile_files_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.npy");
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        npy::read::<f32>(&path).expect_err(&String::from_utf8_lossy(bytes)).to_string()
    };
    let header = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    fs::write(&path, file(&header("(2, 1)"), 8)).unwrap();
    assert_eq!(npy::read::<f32>(&path).unwrap().shape(), [2, 1]);

    for (shape, data) in [("(2,)", 7), ("(2,)", 9), ("(2,)", 0), ("()", 0), ("(0,)", 1)] {
        let text = refused(&file(&header(shape), data));
        assert!(text.contains("elements of type f32"), "{text}");
    }
    for shape in [
        "(4611686018427387904,)",
        "(99999999999999999999999,)",
        "(4294967296, 4294967296)",
        "(0, 4611686018427387904, 8)",
        "(4611686018427387904, 4, 0)",
        "(-1,)",
        "(1.5,)",
        "('a',)",
        "5",
        "None",
        "[2]",
        "((2,),)",
        "(2",
    ] {
        refused(&file(&header(shape), 8));
    }
    for text in [
        "",
        "{}",
        "{'shape': (2,)}",
        "{'descr': '<f4', 'shape': (2,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': 2, 'shape': (2,)}",
        "{'descr': 'shape', 'fortran_order': False, '\\x73hape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (1073741824,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}",
    ] {
        refused(&file(text, 8));
    }
    for open in ["(", "[", "{", "{'a':", "'"] {
        refused(&file(&open.repeat(9_000 / open.len()), 8));
    }
    let mut long = b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec();
    assert!(refused(&long).contains("at most 10000 bytes"));
    long.truncate(11);
    refused(&long);
    let whole = file(&header("(2,)"), 8);
    for end in 0..whole.len() {
        refused(&whole[..end]);
    }
}

#[test]
fn damaged_archives_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("a.npz");
    let whole = fs::read(recorded("compressed.npz")).unwrap();
    for end in (0..whole.len()).step_by(7) {
        fs::write(&path, &whole[..end]).unwrap();
        assert!(npy::read_npz::<f32>(&path, "f4").is_err(), "{end} bytes");
    }
    let count = ArrayD::from_shape_vec(&[2, 3, 4][..], (0..24).map(|i| i as f32).collect()).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        if let Ok(found) = npy::read_npz::<f32>(&path, "f4") {
            assert_eq!(found, count, "byte {at} is not in this array");
        }
    }
}
