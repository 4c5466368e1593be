use ndarray::Array;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use super::group::by_groups;
use crate::Layer;

/// Normalizes each channel of each sample of `x: [n, c, …]` (Ulyanov, Vedaldi and Lempitsky, 2016): a
/// [`GroupNorm`](crate::GroupNorm) of one channel a group, by default without scale and shift. Training and evaluation
/// are alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("InstanceNorm1d", "InstanceNorm2d", "contrast normalization"))]
pub struct InstanceNorm<F: Real = f32> {
    /// `c`.
    pub channels: usize,
    /// The scale `[c]`, or none.
    pub weight: Option<Param<F>>,
    /// The shift `[c]`, or none.
    pub bias: Option<Param<F>>,
    /// Added to the variance, inside the root: 1e-5.
    #[doc(alias = "epsilon")]
    pub eps: f64,
}

module!(InstanceNorm<F> { weight, bias });

impl<F: Real> InstanceNorm<F> {
    /// A layer for `channels` channels, without scale and shift.
    ///
    /// # Panics
    ///
    /// If `channels` is 0.
    #[track_caller]
    #[doc(alias = "num_features")]
    pub fn new(channels: usize) -> Self {
        assert!(channels > 0, "`InstanceNorm` needs at least one channel");
        Self { channels, weight: None, bias: None, eps: 1e-5 }
    }

    /// The same with a scale that starts at 1 and a shift that starts at 0.
    ///
    /// # Panics
    ///
    /// If `channels` is 0.
    #[track_caller]
    pub fn affine(channels: usize) -> Self {
        let (ones, zeros) = (Array::ones(channels), Array::zeros(channels));
        Self { weight: Some(ones.into()), bias: Some(zeros.into()), ..Self::new(channels) }
    }
}

impl<F: Real> Layer<F> for InstanceNorm<F> {
    /// # Panics
    ///
    /// If `x` is not `[n, c, …]` with this layer's `c`, or has fewer than two elements in a channel, which have no
    /// variance.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let (shape, channels) = (x.shape(), self.channels);
        assert!(
            shape.len() >= 2 && shape[1] == channels && shape[2..].iter().product::<usize>() > 1,
            "`InstanceNorm` of {channels} channels needs an input [n, {channels}, …] with several elements in each, \
             this one has shape {shape:?}"
        );
        by_groups(x, channels, self.eps, &self.weight, &self.bias)
    }
}
