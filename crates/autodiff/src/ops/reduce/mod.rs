//! Reductions over axes. In the formulas `dy` stands for its value repeated along the reduced axes.

mod magnitude;
mod order;
mod product;

use std::cell::LazyCell;

use ndarray::{Axis, IxDyn};

use super::axes;
use crate::compute::{elementwise, layout, reduce};
use crate::{Real, Tensor, Var};

/// The axes an op sums or searches, and what becomes of them.
struct Reduction {
    axes: Vec<Axis>,
    keepdim: bool,
    /// How many elements become one.
    count: usize,
}

impl Reduction {
    #[track_caller]
    fn new(op: &str, shape: &[usize], arguments: &[isize], keepdim: bool) -> Self {
        let axes = axes::axes(op, arguments, shape);
        let count = axes.iter().map(|axis| shape[axis.index()]).product();
        Self { axes, keepdim, count }
    }

    /// Like [`new`](Self::new), for ops that need an element.
    #[track_caller]
    fn nonempty(op: &str, shape: &[usize], arguments: &[isize], keepdim: bool) -> Self {
        let reduction = Self::new(op, shape, arguments, keepdim);
        assert!(
            reduction.count > 0,
            "`{op}` over axes {arguments:?} of a tensor of shape {shape:?}: there are no elements"
        );
        reduction
    }

    /// Like [`new`](Self::new), for moments that divide by the count less `ddof`.
    #[track_caller]
    fn more_than(op: &str, shape: &[usize], arguments: &[isize], keepdim: bool, ddof: usize) -> Self {
        let reduction = Self::new(op, shape, arguments, keepdim);
        let count = reduction.count;
        assert!(
            count > ddof,
            "`{op}` over axes {arguments:?} of a tensor of shape {shape:?} has {count} elements and needs more than \
             ddof = {ddof}"
        );
        reduction
    }

    /// `x` less its mean. Twice: beside a large mean, what rounding takes from it is not small.
    fn centered<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        let n = F::from_f64(self.count as f64);
        let subtract_mean = |x: &Tensor<F>, if_finite: bool| {
            let mean = self.with_axes(self.sum(x).mapv_into(|sum| sum / n));
            elementwise::broadcast_map(x, &mean, x.shape(), |x, m| {
                if if_finite && !m.is_finite() { x } else { x - m }
            })
        };
        subtract_mean(&subtract_mean(x, false), true)
    }

    /// Reduces one axis after the other, the last one first; the axes are gone. The result has an array of its own.
    fn fold<F: Real>(&self, x: &Tensor<F>, along: impl Fn(&Tensor<F>, Axis) -> Tensor<F>) -> Tensor<F> {
        match self.axes.split_last() {
            None => x.to_owned().into_shared(),
            Some((&last, rest)) => rest.iter().rev().fold(along(x, last), |x, &axis| along(&x, axis)),
        }
    }

    fn sum<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        if self.axes.len() == x.ndim() {
            return Tensor::from_elem(IxDyn(&[]), reduce::sum_all(x));
        }
        self.fold(x, reduce::sum_axis)
    }

    /// `y` with the reduced axes, which have size 1.
    fn with_axes<F: Real>(&self, y: Tensor<F>) -> Tensor<F> {
        self.axes.iter().fold(y, |y, &axis| y.insert_axis(axis))
    }

    /// The op's result, from one without the reduced axes.
    fn finish<F: Real>(&self, y: Tensor<F>) -> Tensor<F> {
        if self.keepdim { self.with_axes(y) } else { y }
    }

    /// A gradient of the op's result, so that it broadcasts against the input.
    fn broadcastable<F: Real>(&self, dy: Tensor<F>) -> Tensor<F> {
        if self.keepdim { dy } else { self.with_axes(dy) }
    }

    /// 1 where `x` is the extreme of its place, else 0.
    fn winners<F: Real>(&self, x: &Tensor<F>, best: Tensor<F>) -> Tensor<F> {
        let won = |x: F, best: F| x == best || x.is_nan() && best.is_nan();
        elementwise::broadcast_map(x, &self.with_axes(best), x.shape(), |x, best| {
            F::from_f64(won(x, best).into())
        })
    }

    /// `best`, each of which moves as the mean of the elements that are equal to it.
    fn moving_as_their_mean<F: Real>(&self, best: &Tensor<F>, x: &Tensor<F>) -> Tensor<F> {
        let means = LazyCell::new(|| {
            let winners = self.winners(x, best.clone());
            let of_winners = |x, won| if won == F::ZERO { won } else { x };
            let sums = self.sum(&elementwise::broadcast_map(x, &winners, x.shape(), of_winners));
            let means = elementwise::zip_inplace(sums, &self.sum(&winners), |sum, count| sum / count);
            means.iter().copied().collect::<Vec<_>>()
        });
        let moving = best.iter().enumerate().map(|(i, best)| best.moving_as(|| means[i])).collect();
        Tensor::from_shape_vec(best.raw_dim(), moving).expect("as many as before")
    }
}

/// # Reductions
///
/// An axis may be counted from the end: -1 is the last. With `keepdim`, a reduced axis stays with size 1, so that the
/// result broadcasts against the input; without, it disappears. An empty list of axes reduces nothing.
impl<F: Real> Var<'_, F> {
    /// `y = Σ x` over all elements, a scalar of shape `[]`; `dx = dy`. The sum of no elements is 0.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [3.0, 4.0]]).sum().item(), 10.0);
    /// ```
    #[doc(alias("reduce_sum", "sum_all"))]
    #[track_caller]
    pub fn sum(self) -> Self {
        self.sum_axes(&self.all_axes(), false)
    }

    /// `y = Σ x` over `axes`, which disappear or, with `keepdim`, stay with size 1; `dx = dy`. The sum of no elements
    /// is 0.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_axes(&[0], false).value(), [4.0, 6.0].into_tensor());
    /// assert_eq!(x.sum_axes(&[-1], true).value(), [[3.0], [7.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice.
    #[doc(alias("sum_axis", "sum_dim", "sum_keepdim", "reduce_sum"))]
    #[track_caller]
    pub fn sum_axes(self, axes: &[isize], keepdim: bool) -> Self {
        let x = self.value();
        let over = Reduction::new("sum", x.shape(), axes, keepdim);
        let y = over.finish(over.sum(&x));
        let shape = x.shape().to_vec();
        let dx = self.edge(move |dy| layout::broadcast_owned(&over.broadcastable(dy), &shape));
        self.tape().record("sum", y, [dx])
    }

    /// `y = Σ x / n` over all `n` elements, a scalar of shape `[]`; `dx = dy / n`.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [3.0, 4.0]]).mean().item(), 2.5);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no element.
    #[doc(alias("average", "reduce_mean", "mean_all"))]
    #[track_caller]
    pub fn mean(self) -> Self {
        self.mean_axes(&self.all_axes(), false)
    }

    /// `y = Σ x / n` over `axes`, along which there are `n` elements; `dx = dy / n`. The axes disappear or, with
    /// `keepdim`, stay with size 1.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.mean_axes(&[0], false).value(), [2.0, 3.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice; if `n = 0`.
    #[doc(alias("mean_axis", "mean_dim", "mean_keepdim", "reduce_mean"))]
    #[track_caller]
    pub fn mean_axes(self, axes: &[isize], keepdim: bool) -> Self {
        let x = self.value();
        let over = Reduction::nonempty("mean", x.shape(), axes, keepdim);
        let n = F::from_f64(over.count as f64);
        let y = over.finish(over.sum(&x).mapv_into(|sum| sum / n));
        let shape = x.shape().to_vec();
        let dx = self
            .edge(move |dy| layout::broadcast_owned(&over.broadcastable(dy.mapv_into(|dy| dy / n)), &shape));
        self.tape().record("mean", y, [dx])
    }

    /// The variance of all elements, a scalar of shape `[]`: see [`var_axes`](Var::var_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([1.0, 3.0]).var(0).item(), 1.0);
    /// assert_eq!(tape.variable([1.0, 3.0]).var(1).item(), 2.0);
    /// ```
    #[doc(alias("variance", "ddof", "unbiased", "correction"))]
    #[track_caller]
    pub fn var(self, ddof: usize) -> Self {
        self.var_axes(&self.all_axes(), ddof, false)
    }

    /// `y = Σ (x - m)² / (n - ddof)` over `axes`, along which there are `n` elements with the mean `m`;
    /// `dx = 2 (x - m) dy / (n - ddof)`. The axes disappear or, with `keepdim`, stay with size 1.
    ///
    /// `ddof = 0` is the variance of the elements themselves, `ddof = 1` the unbiased estimate from a sample, which is
    /// PyTorch's default.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 3.0], [2.0, 2.0]]);
    /// assert_eq!(x.var_axes(&[1], 1, false).value(), [2.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice; if `n ≤ ddof`.
    #[doc(alias("var_axis", "variance", "reduce_variance", "ddof", "unbiased", "correction"))]
    #[track_caller]
    pub fn var_axes(self, axes: &[isize], ddof: usize, keepdim: bool) -> Self {
        let x = self.value();
        let over = Reduction::more_than("var", x.shape(), axes, keepdim, ddof);
        let divisor = F::from_f64((over.count - ddof) as f64);
        let centered = over.centered(&x);
        let squares = over.sum(&elementwise::map(&centered, |c| c * c));
        let y = over.finish(squares.mapv_into(|sum| sum / divisor));
        let rate = F::from_f64(2.0) / divisor;
        let dx = self.edge(move |dy| {
            elementwise::broadcast_map(&centered, &over.broadcastable(dy), centered.shape(), move |c, dy| {
                // What is large meets what is small first, so that nothing leaves the range on the way.
                let (small, large) = if c.abs() < dy.abs() { (c, dy) } else { (dy, c) };
                if rate < small.abs() { rate * large * small } else { small * large * rate }
            })
        });
        self.tape().record("var", y, [dx])
    }

    /// The largest element, a scalar of shape `[]`: see [`max_axes`](Var::max_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [4.0, 3.0]]).max().item(), 4.0);
    /// ```
    #[doc(alias("amax", "reduce_max", "max_all"))]
    #[track_caller]
    pub fn max(self) -> Self {
        self.max_axes(&self.all_axes(), false)
    }

    /// `y = max x` over `axes`; `dx = dy / k` at the `k` elements that are equal to `y`, else 0. NaN is larger than
    /// anything. The axes disappear or, with `keepdim`, stay with size 1.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [4.0, 3.0]]);
    /// assert_eq!(x.max_axes(&[1], false).value(), [2.0, 4.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice; if there is no element along `axes`.
    #[doc(alias("max_axis", "amax", "max_dim", "max_keepdim", "reduce_max"))]
    #[track_caller]
    pub fn max_axes(self, axes: &[isize], keepdim: bool) -> Self {
        self.extreme("max", axes, keepdim, F::neg_infinity(), |x, best| x > best)
    }

    /// The smallest element, a scalar of shape `[]`: see [`min_axes`](Var::min_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [4.0, 3.0]]).min().item(), 1.0);
    /// ```
    #[doc(alias("amin", "reduce_min", "min_all"))]
    #[track_caller]
    pub fn min(self) -> Self {
        self.min_axes(&self.all_axes(), false)
    }

    /// `y = min x` over `axes`; `dx = dy / k` at the `k` elements that are equal to `y`, else 0. NaN is smaller than
    /// anything. The axes disappear or, with `keepdim`, stay with size 1.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [4.0, 3.0]]);
    /// assert_eq!(x.min_axes(&[1], false).value(), [1.0, 3.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice; if there is no element along `axes`.
    #[doc(alias("min_axis", "amin", "min_dim", "min_keepdim", "reduce_min"))]
    #[track_caller]
    pub fn min_axes(self, axes: &[isize], keepdim: bool) -> Self {
        self.extreme("min", axes, keepdim, F::infinity(), |x, best| x < best)
    }

    /// The element that beats all others. With `cᵢ = [xᵢ = y]`, 0 or 1:
    ///
    /// ```text
    /// k  = Σ c         how many share the first place
    /// s  = dy / k      the share of each of them
    /// dx = c s         0 at all others
    /// ```
    #[track_caller]
    fn extreme(
        self,
        op: &'static str,
        axes: &[isize],
        keepdim: bool,
        worst: F,
        wins: impl Fn(F, F) -> bool,
    ) -> Self {
        let x = self.value();
        let over = Reduction::nonempty(op, x.shape(), axes, keepdim);
        let better = |best: F, x: F| if wins(x, best) || x.is_nan() { x } else { best };
        let best = over.fold(&x, |x, axis| reduce::fold_axis(x, axis, worst, better));
        let best = over.moving_as_their_mean(&best, &x);
        let y = over.finish(best.clone());
        let dx = self.edge(move |dy| {
            let c = over.winners(&x, best);
            let k = over.with_axes(over.sum(&c));
            let share = elementwise::zip_inplace(over.broadcastable(dy), &k, |dy, k| dy / k);
            elementwise::broadcast_map(&c, &share, x.shape(), |c, share| if c == F::ZERO { c } else { share })
        });
        self.tape().record(op, y, [dx])
    }

    #[track_caller]
    pub(super) fn all_axes(self) -> Vec<isize> {
        (0..self.value().ndim() as isize).collect()
    }
}
