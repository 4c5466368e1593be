use ndarray::Array;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use crate::Layer;

/// Normalizes each sample of `x: [n, c, …]` over groups of neighbouring channels, with the biased variance, then scales
/// and shifts by channel (Wu and He, 2018). Training and evaluation are alike.
///
/// One group is a layer norm over all axes but the first; as many groups as channels is an
/// [`InstanceNorm`](crate::InstanceNorm).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias = "GroupNormalization")]
pub struct GroupNorm<F: Real = f32> {
    /// How many groups share the channels equally.
    pub groups: usize,
    /// `c`.
    pub channels: usize,
    /// The scale `[c]`, or none; it starts at 1.
    pub weight: Option<Param<F>>,
    /// The shift `[c]`, or none; it starts at 0.
    pub bias: Option<Param<F>>,
    /// Added to the variance, inside the root: 1e-5.
    #[doc(alias = "epsilon")]
    pub eps: f64,
}

module!(GroupNorm<F> { weight, bias });

impl<F: Real> GroupNorm<F> {
    /// A layer for `channels` channels in `groups` groups.
    ///
    /// # Panics
    ///
    /// Unless the channels can be divided into groups of equal size.
    #[track_caller]
    pub fn new(groups: usize, channels: usize) -> Self {
        check_groups(groups, channels);
        Self {
            groups,
            channels,
            weight: Some(Array::ones(channels).into()),
            bias: Some(Array::zeros(channels).into()),
            eps: 1e-5,
        }
    }
}

impl<F: Real> Layer<F> for GroupNorm<F> {
    /// # Panics
    ///
    /// If `x` is not `[n, c, …]` with this layer's `c`, or has no element in a group; as [`new`](GroupNorm::new), since
    /// the fields may have been changed.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let (shape, channels) = (x.shape(), self.channels);
        check_groups(self.groups, channels);
        assert!(
            shape.len() >= 2 && shape[1] == channels,
            "`GroupNorm` of {channels} channels needs an input [n, {channels}, …], this one has shape {shape:?}"
        );
        by_groups(x, self.groups, self.eps, &self.weight, &self.bias)
    }
}

/// Normalizes each sample over so many groups of channels, then scales and shifts by channel.
#[track_caller]
pub(super) fn by_groups<'t, F: Real>(
    x: Var<'t, F>,
    groups: usize,
    eps: f64,
    weight: &Option<Param<F>>,
    bias: &Option<Param<F>>,
) -> Var<'t, F> {
    let shape = x.shape();
    let group = shape[1..].iter().product::<usize>() / groups;
    let normalized = x.reshape(&[shape[0], groups, group]).layer_norm(None, None, eps);
    scale_and_shift(normalized.reshape(&shape), weight, bias)
}

#[track_caller]
fn check_groups(groups: usize, channels: usize) {
    assert!(
        groups > 0 && channels > 0 && channels.is_multiple_of(groups),
        "`GroupNorm`: {channels} channels cannot be divided into {groups} groups of equal size"
    );
}

/// `v: [c]` in the shape `[c, 1, …]` that broadcasts along the channels of `x`.
#[track_caller]
fn along_channels<'t, F: Real>(v: Var<'t, F>, x: Var<'t, F>) -> Var<'t, F> {
    let mut shape = x.shape();
    shape.remove(0);
    shape[1..].fill(1);
    v.reshape(&shape)
}

/// `w x + b` by channel.
#[track_caller]
fn scale_and_shift<'t, F: Real>(
    mut x: Var<'t, F>,
    weight: &Option<Param<F>>,
    bias: &Option<Param<F>>,
) -> Var<'t, F> {
    if let Some(weight) = weight {
        x *= along_channels(x.tape().param(weight), x);
    }
    if let Some(bias) = bias {
        x += along_channels(x.tape().param(bias), x);
    }
    x
}
