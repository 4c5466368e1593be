//! Layers whose windows slide over images or signals.

use rand::Rng;
use wengert_autodiff::{Param, Real, Tape, Var};

use crate::init;

mod convolution;
mod pooling;
mod transposed;

pub use convolution::{Conv1d, Conv2d};
pub use pooling::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, Flatten, MaxPool1d, MaxPool2d,
};
pub use transposed::{ConvTranspose1d, ConvTranspose2d};

/// A weight of this shape and a bias, drawn uniformly from ±1/√fan with the fan of a filter, PyTorch's default.
#[track_caller]
fn parameters<F: Real>(
    layer: &str,
    shape: &[usize],
    outputs: usize,
    rng: &mut dyn Rng,
) -> (Param<F>, Param<F>) {
    let fan: usize = shape[1..].iter().product();
    assert!(fan > 0, "`{layer}` needs channels and a window: the weight's shape would be {shape:?}");
    let bound = (fan as f64).sqrt().recip();
    let weight = init::uniform(shape, -bound, bound, rng).into();
    (weight, init::uniform(&[outputs], -bound, bound, rng).into())
}

/// What is divided into groups, by group.
#[track_caller]
fn of_group(layer: &str, channels: usize, groups: usize) -> usize {
    assert!(
        groups > 0 && channels.is_multiple_of(groups),
        "`{layer}`: {channels} channels cannot be divided into {groups} groups of equal size"
    );
    channels / groups
}

#[track_caller]
fn bias_on<'t, F: Real>(tape: &'t Tape<F>, bias: &Option<Param<F>>) -> Option<Var<'t, F>> {
    bias.as_ref().map(|bias| tape.param(bias))
}
