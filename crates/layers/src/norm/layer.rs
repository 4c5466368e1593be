use ndarray::{Array, Dimension, IntoDimension};
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use crate::Layer;
use crate::norm::{as_row, as_rows};

/// Normalizes over the last axes of `x`, each sample by itself: `y = w (x - μ) / √(σ² + ε) + b` with the biased
/// variance (Ba, Kiros and Hinton, 2016). Training and evaluation are alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("LayerNormalization", "elementwise_affine"))]
pub struct LayerNorm<F: Real = f32> {
    /// The lengths of the axes it normalizes over.
    pub normalized_shape: Vec<usize>,
    /// The scale, of the normalized shape, or none; it starts at 1.
    pub weight: Option<Param<F>>,
    /// The shift, of the normalized shape, or none; it starts at 0.
    pub bias: Option<Param<F>>,
    /// Added to the variance, inside the root: 1e-5.
    #[doc(alias = "epsilon")]
    pub eps: f64,
}

module!(LayerNorm<F> { weight, bias });

impl<F: Real> LayerNorm<F> {
    /// A layer that normalizes over the last axes, of these lengths: `LayerNorm::new(16)`, `LayerNorm::new([3, 4])`.
    pub fn new(normalized_shape: impl IntoDimension) -> Self {
        let shape = normalized_shape.into_dimension();
        Self {
            normalized_shape: shape.slice().to_vec(),
            weight: Some(Array::ones(shape.clone()).into()),
            bias: Some(Array::zeros(shape).into()),
            eps: 1e-5,
        }
    }
}

impl<F: Real> Layer<F> for LayerNorm<F> {
    /// # Panics
    ///
    /// If the shape of `x` does not end with the normalized one.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let rows = as_rows("LayerNorm", x, &self.normalized_shape);
        let (weight, bias) = (as_row(&self.weight, x), as_row(&self.bias, x));
        rows.layer_norm(weight, bias, self.eps).reshape(&x.shape())
    }
}
