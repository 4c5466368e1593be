//! Elements chosen by a condition or by number.

use ndarray::{ArcArray, Array2, ArrayD, ArrayView, Axis, AxisDescription, Dimension, IxDyn, Slice, Zip};

use super::axes;
use crate::compute::layout::{self, ROW_MAJOR};
use crate::compute::sum::{self, add_one, crowded};
use crate::compute::{buffers, reduce};
use crate::{Real, Tape, Tensor, Var};

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

    /// `y = x` on and below a diagonal of the last two axes, 0 above it; `dx` likewise. The main diagonal is number 0,
    /// those above it are 1, 2, …, those below -1, -2, ….
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [3.0, 4.0]]).tril(0).value(), [[1.0, 0.0], [3.0, 4.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there are fewer than two axes.
    #[doc(alias("lower_triangular", "causal"))]
    #[track_caller]
    pub fn tril(self, diagonal: isize) -> Self {
        self.triangle("tril", |above| above <= diagonal)
    }

    /// `y = x` on and above a diagonal of the last two axes, 0 below it: see [`tril`](Var::tril).
    ///
    /// # Panics
    ///
    /// If there are fewer than two axes.
    #[doc(alias = "upper_triangular")]
    #[track_caller]
    pub fn triu(self, diagonal: isize) -> Self {
        self.triangle("triu", |above| above >= diagonal)
    }

    #[track_caller]
    fn triangle(self, op: &str, is_kept: impl Fn(isize) -> bool) -> Self {
        let shape = self.shape();
        let &[.., m, n] = &shape[..] else { panic!("`{op}` needs a matrix, this one has shape {shape:?}") };
        let mask = Array2::from_shape_fn((m, n), |(i, j)| is_kept(j as isize - i as isize));
        Self::where_cond(mask.view(), self, self.tape().constant(F::ZERO))
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
        let y = taken(&x, axis, indices);
        let (shape, indices) = (x.raw_dim(), indices.to_vec());
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(shape);
            add_taken(&mut dx, axis, &indices, dy);
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
        check_index("gather", index.shape(), axis, x.shape());
        in_range("gather", &index, axis, x.shape());
        let index = index.into_dyn().to_owned();
        let y = picked(&x, axis, &index);
        let shape = x.raw_dim();
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(shape);
            add_picked(&mut dx, axis, &index, &dy);
            dx
        });
        self.tape().record("gather", y, [dx])
    }

    /// `x` with each number of `src` added at its place, the adjoint of [`gather`](Var::gather): with `axis = 1` in two
    /// dimensions, `y[i, index[i, j]] += src[i, j]`. The shape is that of `x`; `dx = dy`, and `dsrc` is `dy` gathered.
    ///
    /// `index` and `src` have one shape with as many axes as `x`; away from `axis` it may be smaller than `x`.
    ///
    /// Where more than 32 numbers go along an axis, what rounding takes from each sum is kept and added in the end: a
    /// sum is exact to a unit in the last place, however many terms a place gets. That takes memory for one more lane
    /// along the axis, not for a tensor; and time: of `[1000, 1000]` numbers in `f32` a third more than plain sums
    /// along axis 0, two and a half times as much along axis 1 (5 ms instead of 2). The gradient of `gather` is such a
    /// sum, too.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, ndarray::arr1};
    /// # let tape = Tape::new();
    /// let (x, src) = (tape.variable([1.0, 1.0, 1.0]), tape.variable([10.0, 20.0]));
    /// assert_eq!(x.scatter_add(0, arr1(&[2, 2]).view(), src).value(), [1.0, 1.0, 31.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the axis does not exist, if the shapes do not fit, or if a number is not below the axis' length.
    #[doc(alias("scatter", "scatter_elements", "index_add", "put_along_axis", "segment_sum"))]
    #[track_caller]
    pub fn scatter_add<D: Dimension>(self, axis: isize, index: ArrayView<'_, usize, D>, src: Self) -> Self {
        self.same_tape("scatter_add", src);
        let (x, added) = (self.value(), src.value());
        let axis = axes::axis("scatter_add", axis, x.shape());
        check_index("scatter_add", index.shape(), axis, x.shape());
        assert!(
            index.shape() == added.shape(),
            "`scatter_add`: an index of shape {:?} and a source of shape {:?} do not fit: they need one shape",
            index.shape(),
            added.shape()
        );
        in_range("scatter_add", &index, axis, x.shape());
        let index = index.into_dyn().to_owned();
        let mut y = x.to_owned().into_shared();
        add_picked(&mut y, axis, &index, &added);
        let dx = self.edge(|dy| dy);
        let dsrc = src.edge(move |dy| picked(&dy, axis, &index));
        self.tape().record("scatter_add", y, [dx, dsrc])
    }
}

impl<F: Real> Tape<F> {
    /// A constant of shape `[n, classes]` for `n` labels: in each row 1 at the label, else 0.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::<f64>::new();
    /// assert_eq!(tape.one_hot(&[2, 0], 3).value(), [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If a label is not below `classes`.
    #[doc(alias("onehot", "dummies", "categorical"))]
    #[track_caller]
    pub fn one_hot(&self, labels: &[usize], classes: usize) -> Var<'_, F> {
        let mut rows = Tensor::zeros(vec![labels.len(), classes]);
        in_range("one_hot", labels, Axis(1), rows.shape());
        for (mut row, &label) in rows.outer_iter_mut().zip(labels) {
            row[label] = F::ONE;
        }
        self.constant(rows)
    }
}

/// The part of a tensor that an index of this shape speaks of: all along `axis`, and what it covers elsewhere.
fn covered(index: &ArrayD<usize>, axis: Axis) -> impl Fn(AxisDescription) -> Slice + '_ {
    move |along| if along.axis == axis { Slice::from(..) } else { Slice::from(..index.len_of(along.axis)) }
}

/// The rows `indices` along `axis`.
fn taken<F: Real>(x: &Tensor<F>, axis: Axis, indices: &[usize]) -> Tensor<F> {
    let mut shape = x.raw_dim();
    shape[axis.index()] = indices.len();
    let mut y = buffers::scratch(shape.slice());
    let Some(x_elements) = x.as_slice() else {
        // A few rows of a large tensor are not worth a copy of all.
        for (mut row, &i) in y.axis_iter_mut(axis).zip(indices) {
            row.assign(&x.index_axis(axis, i));
        }
        return y;
    };
    if y.is_empty() {
        return y;
    }
    let (len, block) = row_length(x, axis);
    let to_blocks = y.as_slice_mut().expect(ROW_MAJOR).chunks_exact_mut(indices.len() * len);
    for (to, from) in to_blocks.zip(x_elements.chunks_exact(block)) {
        if len == 1 {
            to.iter_mut().zip(indices).for_each(|(to, &i)| *to = from[i]);
        } else {
            let rows = to.chunks_exact_mut(len).zip(indices);
            rows.for_each(|(to, &i)| to.copy_from_slice(&from[i * len..][..len]));
        }
    }
    y
}

/// The adjoint of [`taken`].
fn add_taken<F: Real>(to: &mut Tensor<F>, axis: Axis, indices: &[usize], rows: Tensor<F>) {
    if rows.is_empty() {
        return;
    }
    let (len, block) = row_length(to, axis);
    let rows = layout::row_major(rows);
    let row_blocks = rows.as_slice().expect(ROW_MAJOR).chunks_exact(indices.len() * len);
    let mut lost = vec![F::ZERO; if crowded(indices.iter(), block / len) { block } else { 0 }];
    for (to, rows) in to.as_slice_mut().expect(ROW_MAJOR).chunks_exact_mut(block).zip(row_blocks) {
        if lost.is_empty() {
            let rows = rows.chunks_exact(len).zip(indices);
            rows.for_each(|(row, &i)| sum::add_slice(&mut to[i * len..][..len], row));
            continue;
        }
        lost.fill(F::ZERO);
        for (row, &i) in rows.chunks_exact(len).zip(indices) {
            let sums = to[i * len..][..len].iter_mut().zip(&mut lost[i * len..][..len]);
            sums.zip(row).for_each(|((sum, lost), &x)| add_one(sum, lost, x));
        }
    }
}

/// How many elements of a row along `axis` lie side by side, and of all rows.
fn row_length<F: Real>(x: &Tensor<F>, axis: Axis) -> (usize, usize) {
    let len = x.shape()[axis.index() + 1..].iter().product();
    (len, len * x.len_of(axis))
}

fn picked<F: Real>(x: &Tensor<F>, axis: Axis, index: &ArrayD<usize>) -> Tensor<F> {
    let mut y = Tensor::zeros(index.raw_dim());
    let used = x.slice_each_axis(covered(index, axis));
    Zip::from(y.lanes_mut(axis)).and(index.lanes(axis)).and(used.lanes(axis)).for_each(|y, index, x| {
        for (y, &i) in y.into_iter().zip(index) {
            *y = x[i];
        }
    });
    y
}

fn add_picked<F: Real>(to: &mut Tensor<F>, axis: Axis, index: &ArrayD<usize>, picked: &Tensor<F>) {
    let mut used = to.slice_each_axis_mut(covered(index, axis));
    let mut lost = vec![F::ZERO; used.len_of(axis)];
    let lanes = Zip::from(used.lanes_mut(axis)).and(index.lanes(axis)).and(picked.lanes(axis));
    lanes.for_each(|mut to, index, picked| {
        if index.len() <= sum::ROWS {
            for (&i, &picked) in index.iter().zip(picked) {
                to[i] += picked;
            }
            return;
        }
        for (&i, &picked) in index.iter().zip(picked) {
            add_one(&mut to[i], &mut lost[i], picked);
        }
        // For the next lane.
        index.iter().for_each(|&i| lost[i] = F::ZERO);
    });
}

#[track_caller]
fn check_index(op: &str, index: &[usize], axis: Axis, shape: &[usize]) {
    assert!(
        index.len() == shape.len() && (0..shape.len()).all(|i| i == axis.index() || index[i] <= shape[i]),
        "`{op}` along axis {}: an index of shape {index:?} does not fit a tensor of shape {shape:?}",
        axis.index()
    );
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
