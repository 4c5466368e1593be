use serde::{Deserialize, Serialize};
use wengert_autodiff::{PoolOptions, Real, Var};

use crate::Layer;
use crate::layer::without_parameters;

/// The largest element of each window of images: [`Var::max_pool2d`].
///
/// ```
/// use wengert_autodiff::PoolOptions;
/// use wengert_layers::MaxPool2d;
///
/// let halves = MaxPool2d::new(2);
/// let overlapping = MaxPool2d::new(PoolOptions { stride: [1, 1], ..PoolOptions::from([3, 3]) });
/// assert_ne!(halves, overlapping);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "MaxPooling2D")]
pub struct MaxPool2d(pub PoolOptions<2>);

/// The mean of each window of images: [`Var::avg_pool2d`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "AveragePooling2D")]
pub struct AvgPool2d(pub PoolOptions<2>);

/// The largest element of each window of signals: [`Var::max_pool1d`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "MaxPooling1D")]
pub struct MaxPool1d(pub PoolOptions<1>);

/// The mean of each window of signals: [`Var::avg_pool1d`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "AveragePooling1D")]
pub struct AvgPool1d(pub PoolOptions<1>);

/// So many windows of an image, as equal as can be, and the largest element of each: [`Var::adaptive_max_pool2d`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "GlobalMaxPooling2D")]
pub struct AdaptiveMaxPool2d(pub [usize; 2]);

/// So many windows of an image, as equal as can be, and the mean of each: [`Var::adaptive_avg_pool2d`]. With `[1, 1]`
/// the mean of the whole image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[doc(alias = "GlobalAveragePooling2D")]
pub struct AdaptiveAvgPool2d(pub [usize; 2]);

/// Each sample as one row: `[n, …]` as `[n, len]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flatten;

without_parameters!(MaxPool2d);
without_parameters!(AvgPool2d);
without_parameters!(MaxPool1d);
without_parameters!(AvgPool1d);
without_parameters!(AdaptiveMaxPool2d);
without_parameters!(AdaptiveAvgPool2d);
without_parameters!(Flatten);

impl MaxPool2d {
    /// From a window's size, or options.
    pub fn new(options: impl Into<PoolOptions<2>>) -> Self {
        Self(options.into())
    }
}

impl AvgPool2d {
    /// From a window's size, or options.
    pub fn new(options: impl Into<PoolOptions<2>>) -> Self {
        Self(options.into())
    }
}

impl MaxPool1d {
    /// From a window's length, or options.
    pub fn new(options: impl Into<PoolOptions<1>>) -> Self {
        Self(options.into())
    }
}

impl AvgPool1d {
    /// From a window's length, or options.
    pub fn new(options: impl Into<PoolOptions<1>>) -> Self {
        Self(options.into())
    }
}

impl<F: Real> Layer<F> for MaxPool2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        x.max_pool2d(self.0)
    }
}

impl<F: Real> Layer<F> for AvgPool2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        x.avg_pool2d(self.0)
    }
}

impl<F: Real> Layer<F> for MaxPool1d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        x.max_pool1d(self.0)
    }
}

impl<F: Real> Layer<F> for AvgPool1d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        x.avg_pool1d(self.0)
    }
}

impl<F: Real> Layer<F> for AdaptiveMaxPool2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        x.adaptive_max_pool2d(self.0)
    }
}

impl<F: Real> Layer<F> for AdaptiveAvgPool2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        x.adaptive_avg_pool2d(self.0)
    }
}

impl<F: Real> Layer<F> for Flatten {
    /// # Panics
    ///
    /// If `x` is a scalar.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let shape = x.shape();
        let [n, rest @ ..] = &shape[..] else {
            panic!("`Flatten` needs an input [n, …], this one is a scalar")
        };
        x.reshape(&[*n, rest.iter().product()])
    }
}
