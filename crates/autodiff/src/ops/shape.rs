//! Ops that rearrange elements and compute nothing. Where they can, they share the array instead of copying it.

use std::ops::Range;

use ndarray::Slice;

use super::axes;
use crate::compute::{layout, reduce};
use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// The same elements in row-major order under another shape; `dx` is `dy` reshaped back.
    ///
    /// # Panics
    ///
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(self, shape: &[usize]) -> Self {
        let x = self.value();
        assert!(
            shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)) == Some(x.len()),
            "`reshape`: {:?} has {} elements and cannot take the shape {shape:?}",
            x.shape(),
            x.len()
        );
        let y = layout::reshaped(x.clone(), shape);
        let before = x.shape().to_vec();
        let dx = self.edge(move |dy| layout::reshaped(dy, &before));
        self.tape().record_view("reshape", y, self, dx)
    }

    /// The transposed matrix, `y[j, i] = x[i, j]`: a view with other strides. `dx = dyᵀ`.
    ///
    /// # Panics
    ///
    /// If `x` does not have two axes.
    #[track_caller]
    pub fn t(self) -> Self {
        let shape = self.shape();
        assert!(shape.len() == 2, "`t` needs two axes, the shape is {shape:?}: use transpose or permute");
        self.transpose(0, 1)
    }

    /// `x` with two axes swapped, a view with other strides; `dx` is `dy` with the same two swapped.
    ///
    /// # Panics
    ///
    /// If an axis does not exist.
    #[track_caller]
    pub fn transpose(self, axis0: isize, axis1: isize) -> Self {
        let mut y = self.value();
        let (i, j) = (axes::axis("transpose", axis0, y.shape()), axes::axis("transpose", axis1, y.shape()));
        y.swap_axes(i.index(), j.index());
        let dx = self.edge(move |mut dy| {
            dy.swap_axes(i.index(), j.index());
            dy
        });
        self.tape().record_view("transpose", y, self, dx)
    }

    /// `x` with its axes in another order, a view with other strides: axis `i` of the result is axis `order[i]` of `x`.
    /// `dx` is `dy` in the inverse order.
    ///
    /// # Panics
    ///
    /// If `order` does not name every axis once.
    #[track_caller]
    pub fn permute(self, order: &[isize]) -> Self {
        let x = self.value();
        assert!(
            axes::axes("permute", order, x.shape()).len() == x.ndim(),
            "`permute`: the order {order:?} does not name every axis of shape {:?}",
            x.shape()
        );
        let mut forward = vec![0; x.ndim()];
        let mut inverse = vec![0; x.ndim()];
        for (to, &from) in order.iter().enumerate() {
            let from = axes::axis("permute", from, x.shape()).index();
            forward[to] = from;
            inverse[from] = to;
        }
        let dx = self.edge(move |dy| dy.permuted_axes(inverse));
        self.tape().record_view("permute", x.permuted_axes(forward), self, dx)
    }

    /// `x` repeated along its axes of size 1 and along new leading axes; `dx` sums over them.
    ///
    /// # Panics
    ///
    /// If `x` does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(self, shape: &[usize]) -> Self {
        let x = self.value();
        assert!(
            layout::broadcast_shape(x.shape(), shape).as_deref() == Some(shape),
            "`broadcast_to`: the shape {:?} cannot be broadcast to {shape:?}",
            x.shape()
        );
        let y = layout::broadcast_owned(&x, shape);
        let before = x.shape().to_vec();
        let dx = self.edge(move |dy| reduce::sum_to(dy, &before));
        self.tape().record("broadcast_to", y, [dx])
    }

    /// The elements `range` along `axis`, as a view; `dx` is `dy` there and 0 elsewhere.
    ///
    /// # Panics
    ///
    /// If the axis does not exist or the range is not within it.
    #[track_caller]
    pub fn slice(self, axis: isize, range: Range<usize>) -> Self {
        let x = self.value();
        let axis = axes::axis("slice", axis, x.shape());
        assert!(
            range.start <= range.end && range.end <= x.len_of(axis),
            "`slice`: {range:?} is not within axis {} of shape {:?}",
            axis.index(),
            x.shape()
        );
        let range = Slice::from(range);
        let shape = x.raw_dim();
        let mut y = x;
        y.slice_axis_inplace(axis, range);
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(shape);
            dx.slice_axis_mut(axis, range).assign(&dy);
            dx
        });
        self.tape().record_view("slice", y, self, dx)
    }
}
