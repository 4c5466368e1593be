//! Matrix products. A transposed operand is a view with other strides and is never copied.

use ndarray::{ArrayBase, ArrayView2, ArrayViewD, ArrayViewMut2, Axis, Dimension, Ix2, IxDyn, RawData};

use crate::compute::layout::{self, reshaped};
use crate::compute::{Gemm, buffers, reduce};
use crate::{Real, Tensor, Var};

/// # Matrix products
impl<F: Real> Var<'_, F> {
    /// `Y = A B` for `A: [..., m, k]`, `B: [..., k, n]`, of shape `[..., m, n]`; `dA = dY Bᵀ`, `dB = Aᵀ dY`.
    ///
    /// Leading axes are broadcast as NumPy does: a matrix without them, or with a leading axis of size 1, serves all
    /// matrices of the other side, and its gradient is the sum over them. A vector `[k]` is a row on the left, a column
    /// on the right, and its axis is not in the result: `[k]` and `[k]` give a scalar, `[..., m, k]` and `[k]` give
    /// `[..., m]`, `[k]` and `[..., k, n]` give `[..., n]`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([[10.0], [20.0]]));
    /// assert_eq!(a.matmul(b).value(), [[50.0], [110.0]].into_tensor());
    /// assert_eq!(a.matmul(tape.variable([10.0, 20.0])).value(), [50.0, 110.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[doc(alias("mm", "bmm", "mv", "dot"))]
    #[track_caller]
    pub fn matmul(self, rhs: Self) -> Self {
        self.same_tape("matmul", rhs);
        let (a, b) = (self.value(), rhs.value());
        let Some(shape) = product_shape(a.shape(), b.shape()) else {
            panic!(
                "`matmul`: shapes {:?} and {:?} do not fit: [..., m, k] and [..., k, n] are needed, or a vector [k]",
                a.shape(),
                b.shape()
            );
        };
        // A batch times one matrix is a single product, with the rows of all its matrices one below the other.
        let flat = b.ndim() <= 2;
        let (a_shape, b_shape) = (a.shape().to_vec(), b.shape().to_vec());
        let a = if flat || a.ndim() == 1 { rows(a) } else { a };
        let b = if b.ndim() == 1 { b.insert_axis(Axis(1)) } else { b };
        let y = product(a.view(), b.view(), None);
        let y_shape = y.shape().to_vec();
        let y = with_shape(y, &shape);
        let (saved_a, saved_b, saved_shape) = (a.clone(), b.clone(), y_shape.clone());
        let da = self.edge(move |dy| {
            let dy = with_shape(dy, &saved_shape);
            with_shape(product(dy.view(), transposed(&saved_b), Some(a.shape())), &a_shape)
        });
        let db = rhs.edge(move |dy| {
            let dy = with_shape(dy, &y_shape);
            with_shape(product(transposed(&saved_a), dy.view(), Some(b.shape())), &b_shape)
        });
        self.tape().record("matmul", y, [da, db])
    }

    /// The dense layer's `Y = X Wᵀ + b` in one op, for `X: [..., in]`, `W: [out, in]`, `b: [out]`, of shape
    /// `[..., out]`; `dX = dY W`, `dW = dYᵀ X`, `db = Σ dY`, the last two summed over all leading axes of `X`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (w, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([0.5, 0.0]));
    /// let y = tape.constant([[1.0, 10.0]]).linear(w, Some(b));
    /// assert_eq!(y.value(), [[21.5, 43.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[doc(alias("addmm", "dense", "fully_connected"))]
    #[track_caller]
    pub fn linear(self, weight: Self, bias: Option<Self>) -> Self {
        self.same_tape("linear", weight);
        let (x, w) = (self.value(), weight.value());
        let mut b = None;
        if let Some(bias) = bias {
            self.same_tape("linear", bias);
            b = Some(bias.value());
        }
        check_linear(x.shape(), w.shape(), b.as_ref().map(Tensor::shape));
        let (x_shape, out) = (x.raw_dim(), w.shape()[0]);
        let mut y_shape = x_shape.clone();
        y_shape[x.ndim() - 1] = out;
        let x = rows(x);
        let mut y = buffers::scratch(&[x.shape()[0], out]);
        let start = match b {
            Some(b) => {
                layout::fill_rows(&mut y, &b);
                F::ONE
            }
            None => F::ZERO,
        };
        gemm(matrix(&x), matrix(&w).reversed_axes(), start, matrix_mut(&mut y));
        let y = reshaped(y, y_shape.slice());
        let dx = self.edge(move |dy| {
            let dy = rows(dy);
            let dx = matrix_product(matrix(&dy), matrix(&w));
            buffers::recycle(dy);
            reshaped(dx, x_shape.slice())
        });
        let dw = weight.edge(move |dy| {
            let dy = rows(dy);
            let dw = matrix_product(matrix(&dy).reversed_axes(), matrix(&x));
            buffers::recycle(dy);
            dw
        });
        match bias {
            None => self.tape().record("linear", y, [dx, dw]),
            Some(bias) => {
                let db = bias.edge(move |dy| reduce::sum_to(dy, &[out]));
                self.tape().record("linear", y, [dx, dw, db])
            }
        }
    }
}

#[track_caller]
fn check_linear(x: &[usize], w: &[usize], b: Option<&[usize]>) {
    assert!(
        !x.is_empty() && w.len() == 2 && x.last() == w.last(),
        "`linear`: input {x:?} and weight {w:?} do not fit: [..., in] and [out, in] are needed"
    );
    if let Some(b) = b {
        assert!(
            b == [w[0]],
            "`linear`: bias {b:?} and weight {w:?} do not fit: [out] and [out, in] are needed"
        );
    }
}

/// The shape of `A B`, if there is such a product.
fn product_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let (a_batch, m, k) = match a {
        [batch @ .., m, k] => (batch, Some(*m), k),
        [k] => (a.split_last()?.1, None, k),
        [] => return None,
    };
    let (b_batch, rows, n) = match b {
        [batch @ .., rows, n] => (batch, rows, Some(*n)),
        [rows] => (b.split_last()?.1, rows, None),
        [] => return None,
    };
    let mut shape = layout::broadcast_shape(a_batch, b_batch).filter(|_| k == rows)?;
    shape.extend(m.into_iter().chain(n));
    Some(shape)
}

/// The products of the matrices of two batches, in their common shape; or summed to `shape`, in which leading axes are
/// missing or have size 1.
fn product<F: Real>(a: ArrayViewD<'_, F>, b: ArrayViewD<'_, F>, shape: Option<&[usize]>) -> Tensor<F> {
    let common = product_shape(a.shape(), b.shape()).expect("checked by the op");
    let batch = IxDyn(&common[..common.len() - 2]);
    let mut c = buffers::scratch(shape.unwrap_or(&common));
    if batch.size() == 0 {
        c.fill(F::ZERO);
    }
    for index in ndarray::indices(batch) {
        let index = index.slice();
        let beta = if is_first(c.shape(), index) { F::ZERO } else { F::ONE };
        let place = matrix_at(c.view_mut(), index);
        gemm(matrix_at(a.view(), index), matrix_at(b.view(), index), beta, place);
    }
    c
}

/// Whether `index` is the first that has its place in a batch of this shape.
fn is_first(shape: &[usize], index: &[usize]) -> bool {
    let (missing, own) = index.split_at(index.len() + 2 - shape.len());
    missing.iter().all(|&i| i == 0) && own.iter().zip(shape).all(|(&i, &size)| i == 0 || size > 1)
}

/// The matrix for `index`; a leading axis that is missing or has size 1 repeats its only one.
fn matrix_at<S: RawData>(mut batch: ArrayBase<S, IxDyn>, index: &[usize]) -> ArrayBase<S, Ix2> {
    for &i in &index[index.len() + 2 - batch.ndim()..] {
        let i = if batch.len_of(Axis(0)) == 1 { 0 } else { i };
        batch.index_axis_inplace(Axis(0), i);
    }
    batch.into_dimensionality().expect("two axes are left")
}

fn transposed<F: Real>(x: &Tensor<F>) -> ArrayViewD<'_, F> {
    let mut x = x.view();
    x.swap_axes(x.ndim() - 2, x.ndim() - 1);
    x
}

/// `x` itself where it has this shape, with whatever strides.
fn with_shape<F: Real>(x: Tensor<F>, shape: &[usize]) -> Tensor<F> {
    if x.shape() == shape { x } else { reshaped(x, shape) }
}

/// `A B` for two matrices.
fn matrix_product<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>) -> Tensor<F> {
    let mut c = buffers::scratch(&[a.nrows(), b.ncols()]);
    gemm(a, b, F::ZERO, matrix_mut(&mut c));
    c
}

/// `C ← A B + β C`.
pub(super) fn gemm<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>, beta: F, c: ArrayViewMut2<'_, F>) {
    F::gemm(Gemm { alpha: F::ONE, a, b, beta, c });
}

/// `[..., k]` as a matrix `[n, k]`.
fn rows<F: Real>(x: Tensor<F>) -> Tensor<F> {
    match x.shape() {
        [_, _] => x,
        [leading @ .., k] => {
            let shape = [leading.iter().product(), *k];
            reshaped(x, &shape)
        }
        [] => unreachable!("the op asked for an axis"),
    }
}

pub(super) fn matrix<F: Real>(x: &Tensor<F>) -> ArrayView2<'_, F> {
    x.view().into_dimensionality().expect("two axes, checked by the op")
}

pub(super) fn matrix_mut<F: Real>(x: &mut Tensor<F>) -> ArrayViewMut2<'_, F> {
    x.view_mut().into_dimensionality().expect("two axes, as made")
}
