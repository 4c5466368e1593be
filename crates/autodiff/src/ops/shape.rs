//! Ops that rearrange elements and compute nothing. Where they can, they share the array instead of copying it.

use std::ops::Range;

use ndarray::Slice;

use super::axes;
use crate::compute::{layout, reduce};
use crate::{Real, Var};

/// # Shapes
///
/// Ops that rearrange elements and compute nothing. Where they can, they share the array instead of copying it.
impl<F: Real> Var<'_, F> {
    /// The same elements in row-major order under another `shape`; `dx` is `dy` reshaped back.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.reshape(&[2, 2]).value(), [[1.0, 2.0], [3.0, 4.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the number of elements differs.
    #[doc(alias("view", "flatten", "squeeze", "unsqueeze", "expand_dims", "insert_axis"))]
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

    /// The transposed matrix, `y[j, i] = x[i, j]`: of `x: [m, n]` a view of shape `[n, m]`, with other strides.
    /// `dx = dyᵀ`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.t().value(), [[1.0, 3.0], [2.0, 4.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` does not have two axes.
    #[doc(alias("transpose", "matrix_transpose", "reversed_axes"))]
    #[track_caller]
    pub fn t(self) -> Self {
        let shape = self.shape();
        assert!(shape.len() == 2, "`t` needs two axes, the shape is {shape:?}: use transpose or permute");
        self.transpose(0, 1)
    }

    /// `x` with two axes swapped, a view with other strides and with these two sizes swapped; `dx` is `dy` with the
    /// same two swapped.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[1.0, 2.0], [3.0, 4.0]]]); // [1, 2, 2]
    /// assert_eq!(x.transpose(0, -1).shape(), [2, 2, 1]);
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist.
    #[doc(alias("swapaxes", "swap_axes", "swap_dims"))]
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
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]); // [3, 1, 2]
    /// assert_eq!(x.permute(&[2, 0, 1]).shape(), [2, 3, 1]);
    /// ```
    ///
    /// # Panics
    ///
    /// If `order` does not name every axis once.
    #[doc(alias("transpose", "permuted_axes", "moveaxis", "movedim"))]
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

    /// `x` repeated along its axes of size 1 and along new leading axes, to this `shape`; `dx` sums over them.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([1.0, 2.0]);
    /// assert_eq!(x.broadcast_to(&[2, 2]).value(), [[1.0, 2.0], [1.0, 2.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` does not broadcast to `shape`.
    #[doc(alias("expand", "broadcast_as", "repeat", "tile"))]
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

    /// The elements `range` along `axis`, as a view with as many there; `dx` is `dy` in their place and 0 elsewhere.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice(1, 1..3).value(), [[2.0, 3.0], [5.0, 6.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the axis does not exist or the range is not within it.
    #[doc(alias("narrow", "slice_axis", "dynamic_slice", "split", "chunk"))]
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
        let mut y = x;
        y.slice_axis_inplace(axis, Slice::from(range.clone()));
        let dx = self.edge_of_part(axis, range);
        self.tape().record_view("slice", y, self, dx)
    }

    /// The elements in the opposite order along `axes`, as a view; `dx` likewise.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.flip(&[1]).value(), [[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice.
    #[doc(alias("reverse", "fliplr", "flipud", "rev"))]
    #[track_caller]
    pub fn flip(self, axes: &[isize]) -> Self {
        let mut y = self.value();
        let axes = axes::axes("flip", axes, y.shape());
        axes.iter().for_each(|&axis| y.invert_axis(axis));
        let dx = self.edge(move |mut dy| {
            axes.iter().for_each(|&axis| dy.invert_axis(axis));
            dy
        });
        self.tape().record_view("flip", y, self, dx)
    }
}
