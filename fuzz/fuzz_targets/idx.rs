//! IDX files, plain and gzip: an error, or numbers that come back from a file of either kind and are the same in every
//! type that can hold them.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use ndarray::ArrayD;
use wengert_data::idx::{self, Element};
use wengert_fuzz::{file, frame, path, within_memory};

fuzz_target!(|bytes: &[u8]| {
    let path = file("a", bytes);
    within_memory(frame::expanded(bytes.len()), || {
        let numbers = idx::read_as::<f64>(&path);
        let all = numbers.as_ref().ok();
        reads::<u8>(&path, all);
        reads::<i8>(&path, all);
        reads::<i16>(&path, all);
        reads::<i32>(&path, all);
        reads::<f32>(&path, all);
        if let Ok(numbers) = &numbers {
            comes_back(numbers, bytes.len().is_multiple_of(8));
        }
    });
});

fn reads<T: Element + Into<f64> + PartialEq>(path: &std::path::Path, all: Option<&ArrayD<f64>>) {
    let Ok(array) = idx::read_as::<T>(path) else { return };
    let all = all.expect("`f64` holds everything");
    assert_eq!(array.shape(), all.shape());
    let same = |(&narrow, &wide): (&T, &f64)| {
        let narrow: f64 = narrow.into();
        narrow == wide || narrow.is_nan() && wide.is_nan()
    };
    assert!(array.iter().zip(all).all(same), "{all:?}");
}

fn comes_back(array: &ArrayD<f64>, gzip: bool) {
    let path = path(if gzip { "again.gz" } else { "again" });
    idx::write(&path, array.view()).expect("what was read can be written");
    let again = idx::read_as::<f64>(&path).expect("what was written can be read");
    let bits = |array: &ArrayD<f64>| array.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!((again.shape(), bits(&again)), (array.shape(), bits(array)));
}

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    frame::mutate_gzip(data, size, max, seed, fuzzer_mutate)
});
