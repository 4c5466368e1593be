//! Softmax and its relatives. The largest element is subtracted first, so that no exponential overflows.

use ndarray::{Axis, Zip};

use super::axes;
use crate::{Real, Tensor, Var, kernel};

impl<F: Real> Var<'_, F> {
    /// `y = eˣ / Σ eˣ` along `axis`; `dx = y (dy - Σ y dy)`.
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Self {
        let x = self.value();
        let axis = axes::axis("softmax", axis, x.shape());
        let y = softmax(&x, axis);
        let saved = y.clone();
        let dx = self.edge(move |mut dy| {
            Zip::from(dy.lanes_mut(axis)).and(saved.lanes(axis)).for_each(|mut dy, y| {
                let mean = dy.iter().zip(y).map(|(&dy, &y)| dy * y).sum::<F>();
                dy.zip_mut_with(&y, |dy, &y| *dy = y * (*dy - mean));
            });
            dy
        });
        self.tape().record("softmax", y, [dx])
    }

    /// `y = x - ln Σ eˣ` along `axis`, the logarithm of [`softmax`](Var::softmax) without its underflow;
    /// `dx = dy - eʸ Σ dy`.
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Self {
        let x = self.value();
        let axis = axes::axis("log_softmax", axis, x.shape());
        let y = log_softmax(&x, axis);
        let saved = y.clone();
        let dx = self.edge(move |mut dy| {
            Zip::from(dy.lanes_mut(axis)).and(saved.lanes(axis)).for_each(|mut dy, y| {
                let sum = dy.sum();
                dy.zip_mut_with(&y, |dy, &y| *dy -= y.exp() * sum);
            });
            dy
        });
        self.tape().record("log_softmax", y, [dx])
    }

    /// `y = ln Σ eˣ` over all elements, a scalar: see [`logsumexp_axis`](Var::logsumexp_axis).
    #[track_caller]
    pub fn logsumexp(self) -> Self {
        self.logsumexp_axis(&self.all_axes(), false)
    }

    /// `y = ln Σ eˣ` over `axes`; `dx = eˣ⁻ʸ dy`. For no elements it is `ln 0 = -∞`.
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn logsumexp_axis(self, axes: &[isize], keepdim: bool) -> Self {
        let x = self.value();
        let axes = axes::axes("logsumexp", axes, x.shape());
        let kept = logsumexp(&x, &axes);
        let y = if keepdim {
            kept.clone()
        } else {
            axes.iter().rev().fold(kept.clone(), |y, &axis| y.index_axis_move(axis, 0))
        };
        let dx = self.edge(move |dy| {
            let dy = if keepdim { dy } else { axes.iter().fold(dy, |dy, &axis| dy.insert_axis(axis)) };
            let p = kernel::broadcast_map(&x, &kept, x.shape(), |x, y| (x - y).exp());
            kernel::broadcast_map(&p, &dy, x.shape(), |p, dy| p * dy)
        });
        self.tape().record("logsumexp", y, [dx])
    }
}

fn softmax<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    let mut y = x.to_owned();
    for mut lane in y.lanes_mut(axis) {
        let max = lane.iter().copied().fold(F::neg_infinity(), F::max);
        lane.mapv_inplace(|x| (x - max).exp());
        let sum = lane.sum();
        lane.mapv_inplace(|e| e / sum);
    }
    y.into_shared()
}

pub(super) fn log_softmax<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    let mut y = x.to_owned();
    for mut lane in y.lanes_mut(axis) {
        let max = lane.iter().copied().fold(F::neg_infinity(), F::max);
        let ln_sum = lane.iter().map(|&x| (x - max).exp()).sum::<F>().ln();
        // Not `x - (max + ln_sum)`: beside a large maximum the logarithm would be rounded away.
        lane.mapv_inplace(|x| (x - max) - ln_sum);
    }
    y.into_shared()
}

/// The reduced axes stay, with size 1.
fn logsumexp<F: Real>(x: &Tensor<F>, axes: &[Axis]) -> Tensor<F> {
    let mut max = x.clone();
    for &axis in axes {
        let along = max.fold_axis(axis, F::neg_infinity(), |&a, &b| a.max(b));
        max = along.insert_axis(axis).into_shared();
    }
    // An infinite maximum cannot be subtracted: `∞ - ∞` is NaN.
    max.mapv_inplace(|max| if max.is_finite() { max } else { F::ZERO });
    let e = kernel::broadcast_map(x, &max, x.shape(), |x, max| (x - max).exp());
    kernel::update(kernel::sum_to(e, max.shape()), &max, |sum, max| sum.ln() + max)
}
