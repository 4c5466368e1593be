use ndarray::{Array, Dimension, IntoDimension};
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use crate::Layer;
use crate::norm::{as_row, as_rows};

/// Divides by the root mean square over the last axes of `x`, each sample by itself: `y = w x / √(Σ x² / c + ε)` (Zhang
/// and Sennrich, 2019). Training and evaluation are alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("RMSNormalization", "elementwise_affine"))]
pub struct RmsNorm<F: Real = f32> {
    /// The lengths of the axes it normalizes over.
    pub normalized_shape: Vec<usize>,
    /// The scale, of the normalized shape, or none; it starts at 1.
    pub weight: Option<Param<F>>,
    /// Added to the mean square, inside the root: 1e-6. PyTorch's default is the float type's own epsilon.
    #[doc(alias = "epsilon")]
    pub eps: f64,
}

module!(RmsNorm<F> { weight });

impl<F: Real> RmsNorm<F> {
    /// A layer that normalizes over the last axes, of these lengths: `RmsNorm::new(16)`, `RmsNorm::new([3, 4])`.
    pub fn new(normalized_shape: impl IntoDimension) -> Self {
        let shape = normalized_shape.into_dimension();
        Self { normalized_shape: shape.slice().to_vec(), weight: Some(Array::ones(shape).into()), eps: 1e-6 }
    }
}

impl<F: Real> Layer<F> for RmsNorm<F> {
    /// # Panics
    ///
    /// If the shape of `x` does not end with the normalized one.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let rows = as_rows("RmsNorm", x, &self.normalized_shape);
        rows.rms_norm(as_row(&self.weight, x), self.eps).reshape(&x.shape())
    }
}
