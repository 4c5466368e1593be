//! Softmax and its relatives. The largest element is subtracted first, so that no exponential overflows.

use ndarray::{Axis, Zip};

use crate::{Real, Tensor, Var, kernel};

impl<F: Real> Var<'_, F> {
    /// `y = eˣ / Σ eˣ` along `axis`; `dx = y (dy - Σ y dy)`.
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[track_caller]
    pub fn softmax(self, axis: usize) -> Self {
        let x = self.value();
        check_axes("softmax", &x, &[axis]);
        let y = softmax(&x, axis);
        let saved = y.clone();
        let dx = self.edge(move |mut dy| {
            Zip::from(dy.lanes_mut(Axis(axis))).and(saved.lanes(Axis(axis))).for_each(|mut dy, y| {
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
    pub fn log_softmax(self, axis: usize) -> Self {
        let x = self.value();
        check_axes("log_softmax", &x, &[axis]);
        let y = log_softmax(&x, axis);
        let saved = y.clone();
        let dx = self.edge(move |mut dy| {
            Zip::from(dy.lanes_mut(Axis(axis))).and(saved.lanes(Axis(axis))).for_each(|mut dy, y| {
                let sum = dy.sum();
                dy.zip_mut_with(&y, |dy, &y| *dy -= y.exp() * sum);
            });
            dy
        });
        self.tape().record("log_softmax", y, [dx])
    }

    /// `y = ln Σ eˣ` over all elements, a scalar; `dx = eˣ⁻ʸ dy`. Without an element it is `-∞`.
    #[track_caller]
    pub fn logsumexp(self) -> Self {
        let axes: Vec<_> = (0..self.shape().len()).collect();
        self.logsumexp_over(&axes, false)
    }

    /// `y = ln Σ eˣ` over `axes`, which disappear; `dx = eˣ⁻ʸ dy`.
    ///
    /// # Panics
    ///
    /// If there is no such axis, or one is given twice.
    #[track_caller]
    pub fn logsumexp_axes(self, axes: &[usize]) -> Self {
        self.logsumexp_over(axes, false)
    }

    /// Like [`logsumexp_axes`](Var::logsumexp_axes), but the axes stay, with size 1.
    ///
    /// # Panics
    ///
    /// If there is no such axis, or one is given twice.
    #[track_caller]
    pub fn logsumexp_keepdim(self, axes: &[usize]) -> Self {
        self.logsumexp_over(axes, true)
    }

    #[track_caller]
    fn logsumexp_over(self, axes: &[usize], keepdim: bool) -> Self {
        let x = self.value();
        check_axes("logsumexp", &x, axes);
        let mut descending = axes.to_vec();
        descending.sort_unstable_by(|a, b| b.cmp(a));
        let kept = logsumexp(&x, &descending);
        let squeeze = |y: Tensor<F>| descending.iter().fold(y, |y, &axis| y.index_axis_move(Axis(axis), 0));
        let y = if keepdim { kept.clone() } else { squeeze(kept.clone()) };
        let dx = self.edge(move |mut dy| {
            if !keepdim {
                dy = descending.iter().rev().fold(dy, |dy, &axis| dy.insert_axis(Axis(axis)));
            }
            let p = kernel::broadcast_map(&x, &kept, x.shape(), |x, y| (x - y).exp());
            kernel::broadcast_map(&p, &dy, x.shape(), |p, dy| p * dy)
        });
        self.tape().record("logsumexp", y, [dx])
    }
}

#[track_caller]
fn check_axes<F: Real>(op: &str, x: &Tensor<F>, axes: &[usize]) {
    for (position, &axis) in axes.iter().enumerate() {
        assert!(axis < x.ndim(), "`{op}`: there is no axis {axis} in the shape {:?}", x.shape());
        assert!(!axes[..position].contains(&axis), "`{op}`: axis {axis} is given twice");
    }
}

fn softmax<F: Real>(x: &Tensor<F>, axis: usize) -> Tensor<F> {
    let mut y = x.to_owned();
    for mut lane in y.lanes_mut(Axis(axis)) {
        let max = lane.iter().copied().fold(F::neg_infinity(), F::max);
        lane.mapv_inplace(|x| (x - max).exp());
        let sum = lane.sum();
        lane.mapv_inplace(|e| e / sum);
    }
    y.into_shared()
}

pub(super) fn log_softmax<F: Real>(x: &Tensor<F>, axis: usize) -> Tensor<F> {
    let mut y = x.to_owned();
    for mut lane in y.lanes_mut(Axis(axis)) {
        let max = lane.iter().copied().fold(F::neg_infinity(), F::max);
        let ln_sum = lane.iter().map(|&x| (x - max).exp()).sum::<F>().ln();
        // Not `x - (max + ln_sum)`: beside a large maximum the logarithm would be rounded away.
        lane.mapv_inplace(|x| (x - max) - ln_sum);
    }
    y.into_shared()
}

/// The reduced axes stay, with size 1.
fn logsumexp<F: Real>(x: &Tensor<F>, axes: &[usize]) -> Tensor<F> {
    let mut max = x.clone();
    for &axis in axes {
        max = max
            .fold_axis(Axis(axis), F::neg_infinity(), |&a, &b| a.max(b))
            .insert_axis(Axis(axis))
            .into_shared();
    }
    // An infinite maximum cannot be subtracted: `∞ - ∞` is NaN.
    max.mapv_inplace(|max| if max.is_finite() { max } else { F::ZERO });
    let e = kernel::broadcast_map(x, &max, x.shape(), |x, max| (x - max).exp());
    kernel::update(kernel::sum_to(e, max.shape()), &max, |sum, max| sum.ln() + max)
}
