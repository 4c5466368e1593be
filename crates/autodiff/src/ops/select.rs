//! Elements chosen by a condition or by number.

use ndarray::{ArcArray, ArrayView, Axis, Dimension, IxDyn, Slice, Zip};

use super::axes;
use crate::compute::{layout, reduce};
use crate::{Real, Tensor, Var};

/// # Choosing elements
impl<F: Real> Var<'_, F> {
    /// `y = a` where `condition`, else `b`, in the common shape of all three, which broadcast; `da = dy` where
    /// `condition`, else 0, and `db` the other way round. (NumPy and PyTorch call it `where`, which is a keyword of
    /// Rust.)
    ///
    /// A condition on values is computed outside the tape, having no gradient: with `x = a.value().mapv(|a| a > 0.0)`,
    /// write `Var::where_cond(x.view(), a, b)`.
    ///
    /// The part that is not chosen gets a gradient of 0. If it was computed by an op with an infinite slope there, such
    /// as `sqrt` at 0, that op turns the 0 into NaN: keep its input away from there, too.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, Var, ndarray::arr1};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([1.0, 2.0]), tape.variable(0.0));
    /// let y = Var::where_cond(arr1(&[true, false]).view(), a, b);
    /// assert_eq!(y.value(), [1.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias("where", "select", "mask_where", "masked_fill", "cond"))]
    #[track_caller]
    pub fn where_cond<D: Dimension>(condition: ArrayView<'_, bool, D>, a: Self, b: Self) -> Self {
        let shape = a.broadcast_with("where_cond", b);
        let Some(shape) = layout::broadcast_shape(condition.shape(), &shape) else {
            panic!(
                "`where_cond`: the condition's shape {:?} and {shape:?} cannot be broadcast together",
                condition.shape()
            );
        };
        let condition = condition.into_dyn().to_owned().into_shared();
        let (x, z) = (a.value(), b.value());
        let y = Zip::from(condition.broadcast(&*shape).expect("the common shape"))
            .and(layout::broadcast(&x, &shape))
            .and(layout::broadcast(&z, &shape))
            .map_collect(|&chosen, &a, &b| if chosen { a } else { b });
        let (a_shape, b_shape) = (x.shape().to_vec(), z.shape().to_vec());
        let shared = condition.clone();
        let da = a.edge(move |dy| reduce::sum_to(zero_unless(&shared, true, dy), &a_shape));
        let db = b.edge(move |dy| reduce::sum_to(zero_unless(&condition, false, dy), &b_shape));
        a.tape().record("where_cond", y.into_shared(), [da, db])
    }

    /// The rows `indices` of `x`, in that order: rows are what lies at one place of `axis`, as in an embedding with
    /// `axis = 0`. The shape is that of `x` with `indices.len()` at `axis`. `dx` collects each row's `dy`, adding up
    /// where a row was taken more than once.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.index_select(0, &[1, 1, 0]).value(), [[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the axis does not exist or an index is not below its length.
    #[doc(alias("take", "gather", "select", "embedding", "embedding_lookup"))]
    #[track_caller]
    pub fn index_select(self, axis: isize, indices: &[usize]) -> Self {
        let x = self.value();
        let axis = axes::axis("index_select", axis, x.shape());
        in_range("index_select", indices, axis, x.shape());
        let mut shape = x.raw_dim();
        shape[axis.index()] = indices.len();
        let mut y = Tensor::zeros(shape);
        for (mut row, &i) in y.axis_iter_mut(axis).zip(indices) {
            row.assign(&x.index_axis(axis, i));
        }
        let (shape, indices) = (x.raw_dim(), indices.to_vec());
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(shape);
            for (row, i) in dy.axis_iter(axis).zip(indices) {
                let mut sum = dx.index_axis_mut(axis, i);
                sum += &row;
            }
            dx
        });
        self.tape().record("index_select", y, [dx])
    }

    /// One element of `x` for each number in `index`: with `axis = 1` in two dimensions, `y[i, j] = x[i, index[i, j]]`.
    /// `dx` collects each element's `dy`, adding up where it was taken more than once.
    ///
    /// `index` has as many axes as `x` and gives the result its shape; away from `axis` it may be smaller than `x`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, ndarray::arr2};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.gather(1, arr2(&[[1], [0]]).view()).value(), [[2.0], [3.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the axis does not exist, if the shapes do not fit, or if a number is not below the axis' length.
    #[doc(alias("take_along_axis", "take_along_dim", "batch_gather"))]
    #[track_caller]
    pub fn gather<D: Dimension>(self, axis: isize, index: ArrayView<'_, usize, D>) -> Self {
        let x = self.value();
        let axis = axes::axis("gather", axis, x.shape());
        assert!(
            index.ndim() == x.ndim()
                && (0..x.ndim()).all(|i| i == axis.index() || index.shape()[i] <= x.shape()[i]),
            "`gather` along axis {}: an index of shape {:?} does not fit a tensor of shape {:?}",
            axis.index(),
            index.shape(),
            x.shape()
        );
        in_range("gather", &index, axis, x.shape());
        let index = index.into_dyn().to_owned();
        let mut within: Vec<_> = index.shape().iter().map(|&size| Slice::from(..size)).collect();
        within[axis.index()] = Slice::from(..);
        let mut y = Tensor::zeros(index.raw_dim());
        let used = x.slice_each_axis(|a| within[a.axis.index()]);
        Zip::from(y.lanes_mut(axis)).and(index.lanes(axis)).and(used.lanes(axis)).for_each(|y, index, x| {
            for (y, &i) in y.into_iter().zip(index) {
                *y = x[i];
            }
        });
        let shape = x.raw_dim();
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(shape);
            let mut used = dx.slice_each_axis_mut(|a| within[a.axis.index()]);
            let lanes = Zip::from(used.lanes_mut(axis)).and(index.lanes(axis)).and(dy.lanes(axis));
            lanes.for_each(|mut dx, index, dy| {
                for (&i, &dy) in index.iter().zip(dy) {
                    dx[i] += dy;
                }
            });
            dx
        });
        self.tape().record("gather", y, [dx])
    }
}

fn zero_unless<F: Real>(condition: &ArcArray<bool, IxDyn>, wanted: bool, mut dy: Tensor<F>) -> Tensor<F> {
    Zip::from(&mut dy).and_broadcast(condition).for_each(|dy, &chosen| {
        if chosen != wanted {
            *dy = F::ZERO;
        }
    });
    dy
}

#[track_caller]
fn in_range<'i>(op: &str, indices: impl IntoIterator<Item = &'i usize>, axis: Axis, shape: &[usize]) {
    let rows = shape[axis.index()];
    for &index in indices {
        assert!(
            index < rows,
            "`{op}`: index {index} is out of range: there are {rows} rows along axis {} of shape {shape:?}",
            axis.index()
        );
    }
}
