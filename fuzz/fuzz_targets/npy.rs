//! NumPy's files, one array or an archive of several: an error that steers no terminal, or an array that comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ndarray::ArrayD;
use wengert_data::DataError;
use wengert_data::npy::{self, ReadableElement, WritableElement};
use wengert_fuzz::{assert_harmless, file, frame, path, within_memory};

fuzz_target!(|bytes: &[u8]| {
    let path = file("a", bytes);
    within_memory(frame::expanded(bytes.len()), || {
        each(|| npy::read::<u8>(&path), u8::to_le_bytes);
        each(|| npy::read::<i64>(&path), i64::to_le_bytes);
        each(|| npy::read::<f32>(&path), f32::to_le_bytes);
        each(|| npy::read::<f64>(&path), f64::to_le_bytes);
        each(|| npy::read::<bool>(&path), |x| [u8::from(x)]);
        match npy::npz_names(&path) {
            Ok(names) => names.iter().for_each(|name| each(|| npy::read_npz(&path, name), f32::to_le_bytes)),
            Err(error) => assert_harmless(&error.to_string()),
        }
    });
});

/// Equal are those of the same bytes: NaN counts.
fn each<A: ReadableElement + WritableElement + Copy, B: PartialEq + std::fmt::Debug>(
    read: impl Fn() -> Result<ArrayD<A>, DataError>,
    bits: impl Fn(A) -> B,
) {
    let array = match read() {
        Ok(array) => array,
        Err(error) => return assert_harmless(&error.to_string()),
    };
    let path = path("again");
    npy::write(&path, array.view()).expect("what was read can be written");
    let again = npy::read::<A>(&path).expect("what was written can be read");
    let all = |array: &ArrayD<A>| array.iter().map(|&x| bits(x)).collect::<Vec<_>>();
    assert_eq!((again.shape(), all(&again)), (array.shape(), all(&array)));
}
