//! Normalization over the batch, over the features of a sample, or over groups of channels.

use wengert_autodiff::{Param, Real, Var};

mod batch;
mod group;
mod instance;
mod layer;
mod rms;

pub use batch::BatchNorm;
pub use group::GroupNorm;
pub use instance::InstanceNorm;
pub use layer::LayerNorm;
pub use rms::RmsNorm;

/// `x: […, normalized]` as `[rows, c]`.
#[track_caller]
pub(crate) fn as_rows<'t, F: Real>(layer: &str, x: Var<'t, F>, normalized: &[usize]) -> Var<'t, F> {
    let shape = x.shape();
    assert!(
        shape.ends_with(normalized),
        "`{layer}` normalizes over the last axes {normalized:?}, but the input has shape {shape:?}"
    );
    let rows = shape[..shape.len() - normalized.len()].iter().product();
    x.reshape(&[rows, normalized.iter().product()])
}

/// The parameter as one row `[c]`, on the tape of `x`.
#[track_caller]
pub(crate) fn as_row<'t, F: Real>(param: &Option<Param<F>>, x: Var<'t, F>) -> Option<Var<'t, F>> {
    param.as_ref().map(|param| x.tape().param(param).reshape(&[param.value().len()]))
}
