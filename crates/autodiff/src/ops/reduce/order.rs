//! Where the largest and smallest elements are. NaN comes before all others, as in PyTorch: it is larger than the
//! largest and, for [`argmin`](Var::argmin), smaller than the smallest.

use std::cmp::Ordering;

use ndarray::{ArrayD, Slice};

use crate::ops::axes;
use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// The place of the largest element along `axis`, which disappears; the first of equals, or the first NaN. A plain
    /// array of numbers: a place has no gradient.
    ///
    /// ```
    /// # use wengert_autodiff::{Tape, ndarray::arr1};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [4.0, 3.0]]).argmax(1), arr1(&[1, 0]).into_dyn());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis, or no element along it.
    #[doc(alias("arg_max", "predict"))]
    #[track_caller]
    pub fn argmax(self, axis: isize) -> ArrayD<usize> {
        self.place_of_first("argmax", axis, descending)
    }

    /// The place of the smallest element along `axis`, which disappears; the first of equals, or the first NaN. A plain
    /// array of numbers: a place has no gradient.
    ///
    /// ```
    /// # use wengert_autodiff::{Tape, ndarray::arr1};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [4.0, 3.0]]).argmin(0), arr1(&[0, 0]).into_dyn());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis, or no element along it.
    #[doc(alias = "arg_min")]
    #[track_caller]
    pub fn argmin(self, axis: isize) -> ArrayD<usize> {
        self.place_of_first("argmin", axis, |a: F, b| descending(-a, -b))
    }

    /// The elements in order along `axis`, and the place that each had. Equal elements keep their order; NaN is larger
    /// than all numbers. The gradient of an element goes back to its place.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, ndarray::arr1};
    /// # let tape = Tape::new();
    /// let (sorted, places) = tape.variable([2.0, 3.0, 1.0]).sort(0, false);
    /// assert_eq!(sorted.value(), [1.0, 2.0, 3.0].into_tensor());
    /// assert_eq!(places, arr1(&[2, 0, 1]).into_dyn());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[doc(alias("argsort", "order", "rank"))]
    #[track_caller]
    pub fn sort(self, axis: isize, descending: bool) -> (Self, ArrayD<usize>) {
        let places = self.sorted_places("sort", axis, descending);
        (self.gather(axis, places.view()), places)
    }

    /// The `k` largest elements along `axis`, the largest first, and their places; of shape `x` with `k` at `axis`. The
    /// first of equals comes first, and NaN before all numbers. The gradient of an element goes back to its place.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, ndarray::arr1};
    /// # let tape = Tape::new();
    /// let (values, places) = tape.variable([2.0, 3.0, 1.0]).topk(2, 0);
    /// assert_eq!(values.value(), [3.0, 2.0].into_tensor());
    /// assert_eq!(places, arr1(&[1, 0]).into_dyn());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis, or there are less than `k` elements along it.
    #[doc(alias("top_k", "largest"))]
    #[track_caller]
    pub fn topk(self, k: usize, axis: isize) -> (Self, ArrayD<usize>) {
        let mut places = self.sorted_places("topk", axis, true);
        let shape = self.shape();
        let along = axes::axis("topk", axis, &shape);
        let count = shape[along.index()];
        assert!(
            k <= count,
            "`topk`: there are {count} and not {k} elements along axis {} of shape {shape:?}",
            along.index()
        );
        places.slice_axis_inplace(along, Slice::from(..k));
        (self.gather(axis, places.view()), places)
    }

    #[track_caller]
    fn place_of_first(self, op: &str, axis: isize, order: impl Fn(F, F) -> Ordering) -> ArrayD<usize> {
        let x = self.value();
        let axis = axes::axis(op, axis, x.shape());
        assert!(
            x.len_of(axis) > 0,
            "`{op}` along axis {} of a tensor of shape {:?}: there are no elements",
            axis.index(),
            x.shape()
        );
        x.map_axis(axis, |lane| {
            (1..lane.len()).fold(0, |best, i| if order(lane[i], lane[best]).is_lt() { i } else { best })
        })
    }

    #[track_caller]
    fn sorted_places(self, op: &str, axis: isize, descend: bool) -> ArrayD<usize> {
        let x = self.value();
        let axis = axes::axis(op, axis, x.shape());
        let mut places = ArrayD::zeros(x.raw_dim());
        for (mut places, x) in places.lanes_mut(axis).into_iter().zip(x.lanes(axis)) {
            let mut order: Vec<_> = (0..x.len()).collect();
            order.sort_by(|&i, &j| {
                let (a, b) = if descend { (x[i], x[j]) } else { (x[j], x[i]) };
                descending(a, b)
            });
            places.iter_mut().zip(order).for_each(|(place, i)| *place = i);
        }
        places
    }
}

/// NaN first, then from the largest to the smallest.
fn descending<F: Real>(a: F, b: F) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}
