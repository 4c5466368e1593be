//! How large and how scattered elements are.

use super::Reduction;
use crate::compute::{elementwise, reduce};
use crate::ops::elementwise::with_sign;
use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// The standard deviation of all elements, a scalar of shape `[]`: see [`std_axes`](Var::std_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([1.0, 3.0]).std(0).item(), 1.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If there are not more than `ddof` elements.
    #[doc(alias("standard_deviation", "stddev", "ddof", "unbiased", "correction"))]
    #[track_caller]
    pub fn std(self, ddof: usize) -> Self {
        self.std_axes(&self.all_axes(), ddof, false)
    }

    /// `y = √(Σ (x - m)² / (n - ddof))` over `axes`, along which there are `n` elements with the mean `m`;
    /// `dx = (x - m) dy / ((n - ddof) y)`, and 0 where `y = 0`. The axes disappear or, with `keepdim`, stay with size
    /// 1. What `ddof` means, [`var_axes`](Var::var_axes) says. No square overflows.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 3.0], [2.0, 2.0]]);
    /// assert_eq!(x.std_axes(&[1], 0, false).value(), [1.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice; if `n ≤ ddof`.
    #[doc(alias(
        "std_axis",
        "std_dim",
        "standard_deviation",
        "stddev",
        "reduce_std",
        "unbiased",
        "correction"
    ))]
    #[track_caller]
    pub fn std_axes(self, axes: &[isize], ddof: usize, keepdim: bool) -> Self {
        let x = self.value();
        let over = Reduction::more_than("std", x.shape(), axes, keepdim, ddof);
        let root = F::from_f64((over.count - ddof) as f64).sqrt();
        let centered = over.centered(&x);
        let length = over.power_mean(&centered, F::from_f64(2.0));
        let y = over.finish(elementwise::map(&length, |length| length / root));
        let dx = self.edge(move |dy| {
            let unit = quotient(&centered, &over.with_axes(length));
            elementwise::broadcast_map(&unit, &over.broadcastable(dy), centered.shape(), |unit, dy| {
                if unit.is_zero() { unit } else { dy / root * unit }
            })
        });
        self.tape().record("std", y, [dx])
    }

    /// The `p`-norm of all elements, a scalar of shape `[]`: see [`norm_axes`](Var::norm_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([[3.0, 0.0], [0.0, -4.0]]).norm(2.0).item(), 5.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If `p` is negative or NaN; if `p = ∞` and there is no element.
    #[doc(alias("l2_norm", "frobenius", "vector_norm", "length"))]
    #[track_caller]
    pub fn norm(self, p: f64) -> Self {
        self.norm_axes(p, &self.all_axes(), false)
    }

    /// `y = (Σ |x|ᵖ)^(1/p)` over `axes`; `dx = sign(x) (|x| / y)ᵖ⁻¹ dy`, and 0 where `x = 0`. With `p = 2` that is the
    /// length, with `p = 1` the sum of the magnitudes, with `p = ∞` the largest magnitude, whose gradient is shared as
    /// that of [`max_axes`](Var::max_axes); with `p = 0` it is the number of elements other than 0, without slope.
    /// The axes disappear or, with `keepdim`, stay with size 1. No power overflows.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[3.0, -4.0], [0.0, 2.0]]);
    /// assert_eq!(x.norm_axes(2.0, &[1], false).value(), [5.0, 2.0].into_tensor());
    /// assert_eq!(x.norm_axes(f64::INFINITY, &[0], false).value(), [3.0, 4.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice; if `p` is negative or NaN; if `p = ∞` and there is no element.
    #[doc(alias("norm_dim", "vector_norm", "l1_norm", "l2_norm", "inf_norm", "renorm", "normalize"))]
    #[track_caller]
    pub fn norm_axes(self, p: f64, axes: &[isize], keepdim: bool) -> Self {
        assert!(p >= 0.0, "`norm`: p = {p} is not 0 or more");
        let x = self.value();
        let over = Reduction::new("norm", x.shape(), axes, keepdim);
        if p == f64::INFINITY {
            assert!(
                over.count > 0,
                "`norm` over axes {axes:?} of a tensor of shape {:?}: there are no elements",
                x.shape()
            );
            return self.abs().max_axes(axes, keepdim);
        }
        match p {
            0.0 => return self.sign().abs().sum_axes(axes, keepdim),
            1.0 => return self.abs().sum_axes(axes, keepdim),
            _ => {}
        }
        let p = F::from_f64(p);
        let length = over.power_mean(&x, p);
        let y = over.finish(length.clone());
        let dx = self.edge(move |dy| {
            let slope = quotient(&x, &over.with_axes(length)).mapv_into(|unit| {
                if p == F::from_f64(2.0) {
                    return unit;
                }
                let power = unit.abs().powf(p - F::ONE);
                // What is 0 at 0 may have a slope there.
                if power == F::ZERO { power } else { with_sign(power, unit) }
            });
            elementwise::broadcast_map(&slope, &over.broadcastable(dy), x.shape(), |slope, dy| {
                if slope.is_zero() { slope } else { slope * dy }
            })
        });
        self.tape().record("norm", y, [dx])
    }
}

impl Reduction {
    /// `(Σ |x|ᵖ)^(1/p)`, of elements divided by the largest, so that no power leaves the range.
    fn power_mean<F: Real>(&self, x: &Tensor<F>, p: F) -> Tensor<F> {
        let magnitude = elementwise::map(x, F::abs);
        let largest = self.fold(&magnitude, |x, axis| reduce::fold_axis(x, axis, F::ZERO, F::max));
        let scale = largest.mapv_into(|x| if x > F::ZERO && x.is_finite() { x } else { F::ONE });
        let square = p == F::from_f64(2.0);
        let powers =
            elementwise::broadcast_map(&magnitude, &self.with_axes(scale.clone()), x.shape(), |x, scale| {
                let x = x / scale;
                if square { x * x } else { x.powf(p) }
            });
        elementwise::zip_inplace(self.sum(&powers), &scale, |sum, scale| {
            scale * if square { sum.sqrt() } else { sum.powf(p.recip()) }
        })
    }
}

/// `x / length`, 0 where `x` is 0. The origin has no direction, and no slope.
fn quotient<F: Real>(x: &Tensor<F>, length: &Tensor<F>) -> Tensor<F> {
    elementwise::broadcast_map(x, length, x.shape(), |x, length| {
        if x.is_zero() || length == F::ZERO { x * F::ZERO } else { x / length }
    })
}
