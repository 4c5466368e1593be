//! Softmax and its relatives. The largest element is subtracted first, so that no exponential overflows.

use ndarray::{Axis, aview1};

use super::axes;
use crate::compute::{buffers, elementwise, inlined, reduce};
use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// `y = eˣ / Σ eˣ` along `axis`; `dx = y (dy - Σ y dy)`.
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Self {
        let pullback = inlined!(|dy: &mut [F], y: &[F]| {
            let mean = aview1(dy).dot(&aview1(y));
            dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = y * (*dy - mean));
        });
        self.along("softmax", axis, softmax, pullback)
    }

    /// `y = x - ln Σ eˣ` along `axis`, the logarithm of [`softmax`](Var::softmax) without its underflow;
    /// `dx = dy - eʸ Σ dy`.
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Self {
        let pullback = inlined!(|dy: &mut [F], y: &[F]| {
            let sum = aview1(dy).sum();
            dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy -= y.fast_exp() * sum);
        });
        self.along("log_softmax", axis, log_softmax, pullback)
    }

    /// An op of the lanes along an axis, whose `pullback` overwrites a lane of `dy` with `dx`, given the lane of `y`.
    #[track_caller]
    fn along(
        self,
        op: &'static str,
        axis: isize,
        value: impl Fn(&Tensor<F>, Axis) -> Tensor<F>,
        pullback: impl Fn(&mut [F], &[F]) + 'static,
    ) -> Self {
        let x = self.value();
        let axis = axes::axis(op, axis, x.shape());
        let y = value(&x, axis);
        let saved = y.clone();
        let dx = self.edge(move |mut dy| {
            elementwise::for_each_lane(&mut dy, &saved, axis, pullback);
            dy
        });
        self.tape().record(op, y, [dx])
    }

    /// `y = ln Σ eˣ` over all elements, a scalar: see [`logsumexp_axes`](Var::logsumexp_axes).
    #[track_caller]
    pub fn logsumexp(self) -> Self {
        self.logsumexp_axes(&self.all_axes(), false)
    }

    /// `y = ln Σ eˣ` over `axes`; `dx = eˣ⁻ʸ dy`. For no elements it is `ln 0 = -∞`.
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice.
    #[track_caller]
    pub fn logsumexp_axes(self, axes: &[isize], keepdim: bool) -> Self {
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
            let p = elementwise::broadcast_map(&x, &kept, x.shape(), |x, y| (x - y).fast_exp());
            elementwise::broadcast_map(&p, &dy, x.shape(), |p, dy| p * dy)
        });
        self.tape().record("logsumexp", y, [dx])
    }
}

fn softmax<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    let divide = inlined!(|y: &mut [F], powers: &[F], sum: F| {
        y.iter_mut().zip(powers).for_each(|(y, &power)| *y = power / sum);
    });
    with_exponentials(x, axis, divide)
}

pub(super) fn log_softmax<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    // Not `x - (m + ln Σ)`: beside a large maximum the logarithm would be rounded away.
    let subtract = inlined!(|y: &mut [F], _powers: &[F], sum: F| {
        let ln_sum = sum.fast_ln();
        y.iter_mut().for_each(|y| *y -= ln_sum);
    });
    with_exponentials(x, axis, subtract)
}

/// `x - m` with the largest element `m` of each lane, changed by `finish`, which also gets the lane's exponentials and
/// their sum. The exponentials are computed all at once, because a lane may be shorter than a vector.
fn with_exponentials<F: Real>(x: &Tensor<F>, axis: Axis, finish: impl Fn(&mut [F], &[F], F)) -> Tensor<F> {
    let mut y = buffers::scratch(x.shape());
    let subtract_max = inlined!(|y: &mut [F], x: &[F]| {
        let max = reduce::max(x);
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - max);
    });
    elementwise::for_each_lane(&mut y, x, axis, subtract_max);
    let powers = elementwise::map(&y, F::fast_exp);
    let finish = inlined!(|y: &mut [F], powers: &[F]| finish(y, powers, aview1(powers).sum()));
    elementwise::for_each_lane(&mut y, &powers, axis, finish);
    buffers::recycle(powers);
    y
}

/// The reduced axes stay, with size 1.
fn logsumexp<F: Real>(x: &Tensor<F>, axes: &[Axis]) -> Tensor<F> {
    let mut max = x.clone();
    for &axis in axes {
        max = reduce::fold_axis(&max, axis, F::neg_infinity(), F::max).insert_axis(axis);
    }
    // An infinite maximum cannot be subtracted: `∞ - ∞` is NaN.
    max.mapv_inplace(|max| if max.is_finite() { max } else { F::ZERO });
    let e = elementwise::broadcast_map(x, &max, x.shape(), |x, max| (x - max).fast_exp());
    elementwise::zip_inplace(reduce::sum_to(e, max.shape()), &max, |sum, max| sum.fast_ln() + max)
}
