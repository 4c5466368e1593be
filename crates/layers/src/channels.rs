//! What the layers over channels, `x: [n, c, …]`, share.

use wengert_autodiff::{Param, Real, Var};

/// `v: [c]` in the shape `[c, 1, …]` that broadcasts along the channels of `x`.
#[track_caller]
pub(crate) fn along_channels<'t, F: Real>(v: Var<'t, F>, x: Var<'t, F>) -> Var<'t, F> {
    let mut shape = x.shape();
    shape.remove(0);
    shape[1..].fill(1);
    v.reshape(&shape)
}

/// `w x + b` by channel.
#[track_caller]
pub(crate) fn scale_and_shift<'t, F: Real>(
    mut x: Var<'t, F>,
    weight: &Option<Param<F>>,
    bias: &Option<Param<F>>,
) -> Var<'t, F> {
    if let Some(weight) = weight {
        x = x * along_channels(x.tape().param(weight), x);
    }
    if let Some(bias) = bias {
        x = x + along_channels(x.tape().param(bias), x);
    }
    x
}
