use ndarray::Array;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use crate::Layer;

/// `y = x` where `x > 0`, else `w x` with a slope that is learnt: one for all, or one for each channel of
/// `x: [n, c, …]` (He et al., 2015).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("PReLU", "num_parameters"))]
pub struct PRelu<F: Real = f32> {
    /// The slopes, `[1]` or `[c]`; they start at 0.25.
    pub weight: Param<F>,
}

module!(PRelu<F> { weight });

impl<F: Real> PRelu<F> {
    /// One slope, or one for each of several channels.
    ///
    /// # Panics
    ///
    /// If `slopes` is 0.
    #[track_caller]
    pub fn new(slopes: usize) -> Self {
        assert!(slopes > 0, "`PRelu` needs at least one slope");
        Self { weight: Array::from_elem(slopes, F::from_f64(0.25)).into() }
    }
}

impl<F: Real> Layer<F> for PRelu<F> {
    /// # Panics
    ///
    /// If there are several slopes and the channels, axis 1 of `x`, are not as many.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let (shape, slopes) = (x.shape(), self.weight.shape()[0]);
        let mut of_weight = vec![1; shape.len().max(1)];
        if slopes > 1 {
            assert!(
                shape.len() >= 2 && shape[1] == slopes,
                "`PRelu` of {slopes} channels needs an input [n, {slopes}, …], this one has shape {shape:?}"
            );
            of_weight[1] = slopes;
        } else if shape.is_empty() {
            of_weight.clear();
        }
        let below = x * x.tape().param(&self.weight).reshape(&of_weight);
        Var::where_cond(x.value().mapv(|x| x > F::ZERO).view(), x, below)
    }
}
