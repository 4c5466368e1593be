//! Windows that slide over images: convolution and pooling, and what makes images larger.

mod convolution;
mod options;
mod pooling;
mod resize;

pub use options::{ConvOptions, Padding, PoolOptions};

use crate::{Real, Var};

/// Signals `[n, c, l]` as images `[n, c, 1, l]`.
#[track_caller]
fn with_height<'t, F: Real>(op: &str, what: &str, x: Var<'t, F>) -> Var<'t, F> {
    match *x.shape() {
        [n, c, l] => x.reshape(&[n, c, 1, l]),
        ref shape => panic!("`{op}` needs {what} with three axes, the shape is {shape:?}"),
    }
}

/// The inverse of [`with_height`].
#[track_caller]
fn without_height<F: Real>(y: Var<'_, F>) -> Var<'_, F> {
    let shape = y.shape();
    y.reshape(&[shape[0], shape[1], shape[3]])
}
