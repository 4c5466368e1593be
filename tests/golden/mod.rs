//! Reads the recorded files of this folder; its README describes their format.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wengert_autodiff::Tensor;
use wengert_autodiff::ndarray::IxDyn;

/// The file as JSON.
pub(crate) fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recorded tensor, `{"shape": [...], "data": [...]}`.
pub(crate) fn tensor(value: &Value) -> Tensor<f64> {
    let shape = integers(&value["shape"]);
    let data = value["data"].as_array().expect("a tensor has data").iter().map(number).collect();
    Tensor::from_shape_vec(IxDyn(&shape), data).expect("as many numbers as the shape says")
}

/// A list of labels, axes or lengths.
pub(crate) fn integers(value: &Value) -> Vec<usize> {
    let list = value.as_array().unwrap_or_else(|| panic!("a list of integers, not {value}"));
    list.iter().map(|x| x.as_u64().unwrap_or_else(|| panic!("an integer, not {x}")) as usize).collect()
}

/// A number; JSON lacks `"nan"`, `"inf"` and `"-inf"`, which are strings.
pub(crate) fn number(value: &Value) -> f64 {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    number.unwrap_or_else(|| panic!("a number, not {value}"))
}

/// Panics unless shapes are equal and every element is as recorded, within 1e-9 of it or within `absolute`.
pub(crate) fn assert_close(what: &str, found: &Tensor<f64>, recorded: &Tensor<f64>, absolute: f64) {
    assert_eq!(found.shape(), recorded.shape(), "{what}: the shape (left) is not the recorded one (right)");
    for ((at, &found), &recorded) in found.indexed_iter().zip(recorded) {
        assert!(is_close(found, recorded, absolute), "{what} at {at:?}: {found:e}, recorded {recorded:e}");
    }
}

/// Within 1e-9 of what was recorded, or within `absolute`; or both infinite, or both not a number.
pub(crate) fn is_close(found: f64, recorded: f64, absolute: f64) -> bool {
    (found - recorded).abs() <= 1e-9 * recorded.abs() + absolute
        || found == recorded
        || (found.is_nan() && recorded.is_nan())
}
