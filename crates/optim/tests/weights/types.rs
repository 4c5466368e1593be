//! Types: what is widened, rounded, counted, or left alone.

use std::fs;

use safetensors::SafeTensors;
use wengert_autodiff::{Buffer, Tensor, module};
use wengert_optim::checkpoint::{Checkpoint, Weights, load_weights};

use super::{file, one};

/// By IEEE 754: a sign, 5 bits of exponent with bias 15, 10 of fraction; and 8 bits of exponent with bias 127, 7 of
/// fraction.
fn by_definition(bits: u16, exponent_bits: i32) -> f64 {
    let fraction_bits = 15 - exponent_bits;
    let (ones, bias) = ((1 << exponent_bits) - 1, (1 << (exponent_bits - 1)) - 1);
    let exponent = i32::from(bits & 0x7fff) >> fraction_bits;
    let fraction =
        f64::from(i32::from(bits & 0x7fff) & ((1 << fraction_bits) - 1)) / 2f64.powi(fraction_bits);
    let value = match exponent {
        0 => fraction * 2f64.powi(1 - bias),
        _ if exponent == ones && fraction == 0.0 => f64::INFINITY,
        _ if exponent == ones => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - bias),
    };
    if bits >> 15 == 1 { -value } else { value }
}

#[test]
fn all_numbers_of_16_bits_are_widened_exactly() {
    assert_eq!(by_definition(0x3555, 5), 0.333251953125); // the example for 1/3 in Wikipedia
    assert_eq!(by_definition(0x4049, 8), 3.140625); // and for π
    let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    for (dtype, exponent_bits) in [("F16", 5), ("BF16", 8)] {
        let file = file(&[("weight", dtype, "[65536]", &bytes)]);
        let (mut narrow, mut wide) = (one::<f32>(&[65536]), one::<f64>(&[65536]));
        load_weights(file.path(), &mut narrow).unwrap();
        load_weights(file.path(), &mut wide).unwrap();
        for (bits, (&x, &y)) in (0..=u16::MAX).zip(narrow.weight.value().iter().zip(wide.weight.value())) {
            let expected = by_definition(bits, exponent_bits);
            let same = |x: f64| x.to_bits() == expected.to_bits() || x.is_nan() && expected.is_nan();
            assert!(same(f64::from(x)) && same(y), "{dtype} {bits:#06x}: {x} and {y}, expected {expected}");
        }
    }
}

#[test]
fn what_a_cast_cannot_hold_is_refused_and_the_rest_rounded_to_nearest() {
    let load = |x: f64| {
        let mut model = one::<f32>(&[1]);
        let file = file(&[("weight", "F64", "[1]", &x.to_le_bytes())]);
        let loaded = Weights::new().cast().load(file.path(), &mut model);
        loaded.map(|_| model.weight.value()[0]).map_err(|error| error.to_string())
    };
    assert_eq!(load(0.1), Ok(0.1)); // both are the nearest to the same decimal
    assert_eq!(load(1.0 + 2f64.powi(-24)), Ok(1.0)); // half way: to even
    assert_eq!(load(1e-300), Ok(0.0));
    assert_eq!(load(f64::NEG_INFINITY), Ok(f32::NEG_INFINITY));
    assert!(load(f64::NAN).unwrap().is_nan());
    let error = load(-1e39).unwrap_err();
    assert!(
        error.contains("weight: expected F32 [1], found F64 [1] with -1e39, which F32 cannot hold"),
        "{error}"
    );
}

/// Every type of the format: its name, how many elements take how many bytes.
const TYPES: [(&str, usize, usize); 22] = [
    ("BOOL", 4, 4),
    ("F4", 4, 2),
    ("F6_E2M3", 4, 3),
    ("F6_E3M2", 4, 3),
    ("U8", 4, 4),
    ("I8", 4, 4),
    ("F8_E5M2", 4, 4),
    ("F8_E4M3", 4, 4),
    ("F8_E8M0", 4, 4),
    ("F8_E4M3FNUZ", 4, 4),
    ("F8_E5M2FNUZ", 4, 4),
    ("I16", 4, 8),
    ("U16", 4, 8),
    ("F16", 4, 8),
    ("BF16", 4, 8),
    ("I32", 4, 16),
    ("U32", 4, 16),
    ("F32", 4, 16),
    ("C64", 4, 32),
    ("F64", 4, 32),
    ("I64", 4, 32),
    ("U64", 4, 32),
];

#[test]
fn every_type_is_read_left_alone_and_kept_by_both_formats() {
    let directory = tempfile::tempdir().unwrap();
    for (dtype, elements, bytes) in TYPES {
        let data: Vec<u8> = (1..=bytes as u8).collect();
        let weight = 2.5f32.to_le_bytes();
        let file =
            file(&[("weight", "F32", "[1]", &weight), ("other", dtype, &format!("[{elements}]"), &data)]);
        let mut model = one::<f32>(&[1]);
        let report = Weights::new().load_partial(file.path(), &mut model).unwrap();
        assert_eq!(report.to_string(), "1 tensors matched\n  only in the file: other", "{dtype}");
        assert_eq!(model.weight.value()[0], 2.5);

        let read = Checkpoint::read(file.path()).unwrap();
        assert_eq!(read.model["other"].dtype().to_string(), dtype);
        assert_eq!(read.model["other"].bytes(), data);
        let (ours, theirs) = (directory.path().join("a.wgt"), directory.path().join("a.safetensors"));
        read.write(&ours).unwrap();
        Checkpoint::read(&ours).unwrap().write_safetensors(&theirs).unwrap();
        assert_eq!(Checkpoint::read(&theirs).unwrap(), read, "{dtype}");
        let bytes = fs::read(&theirs).unwrap();
        let peer = SafeTensors::deserialize(&bytes).unwrap();
        let view = peer.tensor("other").unwrap();
        assert_eq!(
            (view.dtype().to_string(), view.shape(), view.data()),
            (dtype.into(), &[elements][..], &data[..])
        );

        // As a weight, none but floats of 16 bits and more are taken.
        let float = ["F16", "BF16", "F32", "F64"].contains(&dtype);
        let file = self::file(&[("weight", dtype, "[4]", &data)]);
        let loaded = Weights::new().cast().load(file.path(), &mut one::<f32>(&[4]));
        let complaint = loaded.as_ref().map_or_else(ToString::to_string, ToString::to_string);
        assert!(loaded.is_ok() == float, "{dtype}: {complaint}");
        assert!(float || complaint.contains(&format!("expected F32 [4], found {dtype} [4]")), "{complaint}");
    }
}

#[test]
fn numbers_of_every_type_are_what_they_are() {
    let pair = |dtype, bytes: &[u8]| -> Vec<f64> {
        let file = file(&[("x", dtype, "[2]", bytes)]);
        let read = Checkpoint::read(file.path()).unwrap();
        read.model["x"].values().collect()
    };
    let twice = |a: &[u8], b: &[u8]| [a, b].concat();
    assert_eq!(pair("BOOL", &[0, 1]), [0.0, 1.0]);
    assert_eq!(pair("U8", &[7, 255]), [7.0, 255.0]);
    assert_eq!(pair("I8", &[7, 255]), [7.0, -1.0]);
    assert_eq!(pair("U16", &twice(&[1, 2], &[255, 255])), [513.0, 65535.0]);
    assert_eq!(pair("I16", &twice(&[1, 2], &[255, 255])), [513.0, -1.0]);
    assert_eq!(pair("U32", &twice(&[0, 0, 1, 0], &[255; 4])), [65536.0, 4294967295.0]);
    assert_eq!(pair("I32", &twice(&[0, 0, 1, 0], &[255; 4])), [65536.0, -1.0]);
    assert_eq!(pair("U64", &twice(&7u64.to_le_bytes(), &[255; 8])), [7.0, 2f64.powi(64)]);
    assert_eq!(pair("I64", &twice(&7u64.to_le_bytes(), &[255; 8])), [7.0, -1.0]);
    assert!(pair("C64", &[0; 16]).is_empty());
    assert!(pair("F8_E4M3", &[0; 2]).is_empty());
}

struct Counted {
    count: Buffer,
}

module!(Counted { count });

#[test]
fn a_count_may_be_a_whole_number_of_any_type_in_either_shape() {
    let load = |own: &[usize], dtype: &str, shape: &str, bytes: &[u8]| {
        let mut model = Counted { count: Buffer::count(Tensor::zeros(own)) };
        let file = file(&[("count", dtype, shape, bytes)]);
        let loaded = load_weights(file.path(), &mut model).map_err(|error| error.to_string());
        loaded.map(|_| *model.count.value().first().unwrap())
    };
    let three: [(&str, &[u8]); 12] = [
        ("U8", &3u8.to_le_bytes()),
        ("I8", &3i8.to_le_bytes()),
        ("U16", &3u16.to_le_bytes()),
        ("I16", &3i16.to_le_bytes()),
        ("U32", &3u32.to_le_bytes()),
        ("I32", &3i32.to_le_bytes()),
        ("U64", &3u64.to_le_bytes()),
        ("I64", &3i64.to_le_bytes()),
        ("F16", &0x4200u16.to_le_bytes()),
        ("BF16", &0x4040u16.to_le_bytes()),
        ("F32", &3f32.to_le_bytes()),
        ("F64", &3f64.to_le_bytes()),
    ];
    for (dtype, bytes) in three {
        for (own, shape) in [(&[][..], "[]"), (&[], "[1]"), (&[1], "[]"), (&[1], "[1]")] {
            assert_eq!(load(own, dtype, shape, bytes), Ok(3.0), "{dtype} {shape} into {own:?}");
        }
    }
    for (dtype, shape, bytes, found) in [
        ("F32", "[]", &2.5f32.to_le_bytes()[..], "F32 [] with 2.5"),
        ("F32", "[1]", &f32::NAN.to_le_bytes(), "F32 [1] with NaN"),
        ("I8", "[]", &[255], "I8 [] with -1"),
        ("U64", "[]", &[255; 8], "U64 [] with 18446744073709552000"),
        ("I64", "[2]", &[0; 16], "I64 [2]"),
        ("I64", "[1, 1]", &[0; 8], "I64 [1, 1]"),
        ("BOOL", "[]", &[1], "BOOL []"),
        ("F8_E4M3", "[]", &[1], "F8_E4M3 []"),
    ] {
        let error = load(&[], dtype, shape, bytes).unwrap_err();
        assert!(error.contains(&format!("count: expected I64 [], counts from 0, found {found}")), "{error}");
    }
    // Elsewhere a scalar is not a list of one, and an integer not a weight.
    let file = file(&[("weight", "F32", "[1]", &[0; 4])]);
    load_weights(file.path(), &mut one::<f32>(&[])).unwrap_err();
}
