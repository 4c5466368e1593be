//! Layer norm and RMS norm: over the last axis, row by row.

use ndarray::{ArcArray2, ArrayView1, ArrayViewMut1, Zip};

use super::{Row, by_row, into_tensor};
use crate::compute::reduce;
use crate::{Real, Var};

/// # Normalization of rows
impl<F: Real> Var<'_, F> {
    /// Normalizes over the last axis, of length `c`, then scales by `w: [c]` and shifts by `b: [c]` (Ba, Kiros and
    /// Hinton, 2016): `y = w x̂ + b`, in the shape of `x`, with, for each row,
    ///
    /// ```text
    /// μ = Σ x / c         σ² = Σ (x - μ)² / c         g = w dy
    /// dx = r (g - Σ g / c - x̂ Σ (g x̂) / c)
    /// ```
    ///
    /// and `dw = Σ dy x̂`, `db = Σ dy` over the rows.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 3.0], [-5.0, 5.0]]);
    /// assert_eq!(x.layer_norm(None, None, 0.0).value(), [[-1.0, 1.0], [-1.0, 1.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` has no axis or its last one is empty, or if `w` or `b` does not have the shape `[c]`.
    #[doc(alias("layer_normalization", "normalized_shape"))]
    #[track_caller]
    pub fn layer_norm(self, weight: Option<Self>, bias: Option<Self>, eps: f64) -> Self {
        let normalize = move |mut x: ArrayViewMut1<'_, F>| {
            let mean = x.sum() / length(&x.view());
            // Before squaring: a large mean would drown the variance.
            x -= mean;
            divide_by_root(x, eps)
        };
        self.normalize_rows("layer_norm", [weight, bias], normalize, |mut g, x, r| {
            let c = length(&x);
            let (offset, slope) = (g.sum() / c, g.dot(&x) / c);
            Zip::from(&mut g).and(&x).for_each(|g, &x| *g = r * (*g - offset - x * slope));
        })
    }

    /// Divides by the root mean square over the last axis, of length `c`, then scales by `w: [c]` (Zhang and Sennrich,
    /// 2019): `y = w x̂`, in the shape of `x`, with, for each row,
    ///
    /// ```text
    /// x̂ = r x         r = 1/√(Σ x² / c + ε)         g = w dy
    /// dx = r (g - x̂ Σ (g x̂) / c)
    /// ```
    ///
    /// and `dw = Σ dy x̂` over the rows.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[4.0, -4.0], [1.0, 1.0]]);
    /// assert_eq!(x.rms_norm(None, 0.0).value(), [[1.0, -1.0], [1.0, 1.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` has no axis or its last one is empty, or if `w` does not have the shape `[c]`.
    #[doc(alias = "rms_normalization")]
    #[track_caller]
    pub fn rms_norm(self, weight: Option<Self>, eps: f64) -> Self {
        let normalize = move |x: ArrayViewMut1<'_, F>| divide_by_root(x, eps);
        self.normalize_rows("rms_norm", [weight, None], normalize, |mut g, x, r| {
            let slope = g.dot(&x) / length(&x);
            Zip::from(&mut g).and(&x).for_each(|g, &x| *g = r * (*g - x * slope));
        })
    }

    /// `y = w x̂ + b`. `normalize` overwrites a row with its `x̂` and returns its `r`; `pullback` overwrites `g = w dy`
    /// with `dx`, given `x̂` and `r`.
    #[track_caller]
    fn normalize_rows(
        self,
        op: &'static str,
        [weight, bias]: [Option<Self>; 2],
        normalize: impl Fn(ArrayViewMut1<'_, F>) -> F,
        pullback: impl Fn(ArrayViewMut1<'_, F>, ArrayView1<'_, F>, F) + 'static,
    ) -> Self {
        let shape = self.shape();
        let c = shape.last().copied().unwrap_or(0);
        assert!(c > 0, "`{op}` normalizes over the last axis, but the input has shape {shape:?}");
        let scale = self.scale_or_ones(op, weight, c);
        let shift = self.shift_or_zeros(op, bias, c);
        let mut normalized = by_row(self.value(), c);
        let r: Vec<F> = normalized.rows_mut().into_iter().map(normalize).collect();
        let mut y = normalized.clone();
        for mut y in y.rows_mut() {
            Zip::from(&mut y).and(&scale).and(&shift).for_each(|y, &scale, &shift| *y = *y * scale + shift);
        }

        let mut edges = Vec::with_capacity(3);
        if let Some(weight) = weight {
            let normalized = normalized.clone();
            edges.push(weight.edge(move |dy| into_tensor(weight_gradient(&by_row(dy, c), &normalized))));
        }
        if let Some(bias) = bias {
            edges.push(bias.edge(move |dy| reduce::sum_to(dy, &[c])));
        }
        let saved_shape = shape.clone();
        edges.push(self.edge(move |dy| {
            let mut dx = by_row(dy, c);
            for ((mut g, x), &r) in dx.rows_mut().into_iter().zip(normalized.rows()).zip(&r) {
                g *= &scale;
                pullback(g, x, r);
            }
            dx.into_shape_with_order(saved_shape).expect("as many elements")
        }));
        let y = y.into_shape_with_order(shape).expect("as many elements");
        self.tape().record_many(op, y, edges)
    }
}

/// `Σ dy x̂` over the rows.
fn weight_gradient<F: Real>(dy: &ArcArray2<F>, normalized: &ArcArray2<F>) -> Row<F> {
    let mut dw = Row::zeros(dy.ncols());
    for (dy, x) in dy.rows().into_iter().zip(normalized.rows()) {
        Zip::from(&mut dw).and(&dy).and(&x).for_each(|dw, &dy, &x| *dw += dy * x);
    }
    dw
}

/// Overwrites `x` with `r x` and returns `r = 1/√(Σ x² / c + ε)`.
fn divide_by_root<F: Real>(mut x: ArrayViewMut1<'_, F>, eps: f64) -> F {
    let r = (x.dot(&x) / length(&x.view()) + F::from_f64(eps)).sqrt().recip();
    x *= r;
    r
}

/// `c`.
fn length<F: Real>(row: &ArrayView1<'_, F>) -> F {
    F::from_f64(row.len() as f64)
}
