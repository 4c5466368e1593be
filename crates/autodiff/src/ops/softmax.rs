//! Softmax and its relatives. The largest element is subtracted first, so that no exponential overflows.

use std::f64::consts::LN_2;

use ndarray::Axis;

use super::axes;
use crate::compute::{buffers, elementwise, inlined, reduce, sum};
use crate::{Real, Tensor, Var};

/// # Softmax and its relatives
impl<F: Real> Var<'_, F> {
    /// `y = eˣ / Σ eˣ` along `axis`, in the shape of `x`; `dx = y (dy - Σ y dy)`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([[3.0, 3.0], [0.0, 50.0]]).softmax(0).value().sum(), 2.0);
    /// assert_eq!(tape.variable([3.0, 3.0]).softmax(-1).value(), [0.5, 0.5].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Self {
        let pullback = inlined!(|dy: &mut [F], y: &[F]| {
            // A number added to all of `dy` changes nothing, as the `y` add up to 1. Without that of the largest `y`,
            // nothing cancels where it is close to 1.
            let (mut largest, mut shift) = (F::ZERO, F::ZERO);
            for (&dy, &y) in dy.iter().zip(y) {
                (largest, shift) = if y > largest { (y, dy) } else { (largest, shift) };
            }
            dy.iter_mut().for_each(|dy| *dy -= shift);
            let mean = sum::dot(dy, y);
            dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = y * (*dy - mean));
        });
        self.along("softmax", axis, softmax, pullback)
    }

    /// `y = x - ln Σ eˣ` along `axis`, the logarithm of [`softmax`](Var::softmax) without its underflow, in the shape
    /// of `x`; `dx = dy - eʸ Σ dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, -1000.0]).log_softmax(0).value(), [0.0, -1000.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[doc(alias = "logsoftmax")]
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Self {
        let pullback = inlined!(|dy: &mut [F], y: &[F]| {
            let sum = sum::sum(dy);
            dy.iter_mut().zip(y).for_each(|(dy, &y)| {
                let (rare, likely) = (*dy - y.fast_exp() * sum, (*dy - sum) - y.fast_exp_m1() * sum);
                *dy = if y > F::from_f64(-LN_2) { likely } else { rare };
            });
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

    /// `y = ln Σ eˣ` over all elements, a scalar of shape `[]`: see [`logsumexp_axes`](Var::logsumexp_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([1000.0, 0.0]).logsumexp().item(), 1000.0);
    /// ```
    #[doc(alias("log_sum_exp", "reduce_logsumexp"))]
    #[track_caller]
    pub fn logsumexp(self) -> Self {
        self.logsumexp_axes(&self.all_axes(), false)
    }

    /// `y = ln Σ eˣ` over `axes`, which disappear or, with `keepdim`, stay with size 1; `dx = eˣ⁻ʸ dy`. For no elements
    /// it is `ln 0 = -∞`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1000.0, 0.0], [0.0, 2000.0]]);
    /// assert_eq!(x.logsumexp_axes(&[1], false).value(), [1000.0, 2000.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice.
    #[doc(alias("logsumexp_axis", "log_sum_exp", "reduce_logsumexp"))]
    #[track_caller]
    pub fn logsumexp_axes(self, axes: &[isize], keepdim: bool) -> Self {
        let x = self.value();
        let axes = axes::axes("logsumexp", axes, x.shape());
        let (max, ln_sum) = logsumexp(&x, &axes);
        let kept = elementwise::zip_inplace(max.clone(), &ln_sum, |max, ln_sum| max + ln_sum);
        let y =
            if keepdim { kept } else { axes.iter().rev().fold(kept, |y, &axis| y.index_axis_move(axis, 0)) };
        let dx = self.edge(move |dy| {
            let dy = if keepdim { dy } else { axes.iter().fold(dy, |dy, &axis| dy.insert_axis(axis)) };
            // Not `x - y`: beside a large maximum, the logarithm would be rounded away. Where nothing has any weight,
            // it is -∞, and `-∞ + ∞` would be NaN.
            let share =
                inlined!(|d: F, ln: F| if ln == F::neg_infinity() { F::ZERO } else { (d - ln).fast_exp() });
            let distance = elementwise::broadcast_map(&x, &max, x.shape(), |x, max| x - max);
            let p = elementwise::broadcast_map(&distance, &ln_sum, x.shape(), share);
            elementwise::broadcast_map(&p, &dy, x.shape(), |p, dy| p * dy)
        });
        self.tape().record("logsumexp", y, [dx])
    }
}

fn softmax<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    let divide = inlined!(|y: &mut [F], powers: &[F]| {
        let sum = sum::sum(powers);
        y.iter_mut().zip(powers).for_each(|(y, &power)| *y = power / sum);
    });
    with_exponentials(x, axis, divide)
}

pub(super) fn log_softmax<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    // Not `x - (m + ln Σ)`: beside a large maximum the logarithm would be rounded away.
    let subtract = inlined!(|y: &mut [F], powers: &[F]| {
        // The largest has the power 1, which drowns small ones: ln(1 + the others).
        let ones = sum::sum_of(powers, powers, |p, _| if p < F::ONE { F::ZERO } else { p });
        let others = sum::sum_of(powers, powers, |p, _| if p < F::ONE { p } else { F::ZERO });
        let ln_sum = ((ones - F::ONE) + others).fast_ln_1p();
        y.iter_mut().for_each(|y| *y -= ln_sum);
    });
    with_exponentials(x, axis, subtract)
}

/// `x - m` with the largest element `m` of each lane, changed by `finish`, which also gets the lane's exponentials.
/// They are computed all at once, because a lane may be shorter than a vector.
fn with_exponentials<F: Real>(x: &Tensor<F>, axis: Axis, finish: impl Fn(&mut [F], &[F])) -> Tensor<F> {
    let mut y = buffers::scratch(x.shape());
    let subtract_max = inlined!(|y: &mut [F], x: &[F]| {
        let max = reduce::max(x);
        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - max);
    });
    elementwise::for_each_lane(&mut y, x, axis, subtract_max);
    let powers = elementwise::map(&y, F::fast_exp);
    elementwise::for_each_lane(&mut y, &powers, axis, finish);
    buffers::recycle(powers);
    y
}

/// The largest element `m`, and `ln Σ eˣ⁻ᵐ`. The reduced axes stay, with size 1.
fn logsumexp<F: Real>(x: &Tensor<F>, axes: &[Axis]) -> (Tensor<F>, Tensor<F>) {
    let mut max = x.clone();
    for &axis in axes {
        max = reduce::fold_axis(&max, axis, F::neg_infinity(), F::max).insert_axis(axis);
    }
    // An infinite maximum cannot be subtracted: `∞ - ∞` is NaN.
    max.mapv_inplace(|max| if max.is_finite() { max } else { F::ZERO });
    let e = elementwise::broadcast_map(x, &max, x.shape(), |x, max| (x - max).fast_exp());
    let ln_sum = elementwise::map(&reduce::sum_to(e, max.shape()), F::fast_ln);
    (max, ln_sum)
}
