//! Matrix products. A transposed operand is a view with other strides and is never copied.

use ndarray::{ArcArray, ArrayView2, ArrayView3, ArrayViewMut2, Axis, Dimension, Ix3};

use crate::compute::layout::{self, reshaped};
use crate::compute::{Gemm, buffers, reduce};
use crate::{Real, Tensor, Var};

/// # Matrix products
impl<F: Real> Var<'_, F> {
    /// `Y = A B` for `A: [m, k]`, `B: [k, n]`, of shape `[m, n]`; `dA = dY Bᵀ`, `dB = Aᵀ dY`.
    ///
    /// Either may be a batch, `[batch, m, k]` or `[batch, k, n]`, and so is the result then. The other is a batch of
    /// the same size, or a batch of one or a single matrix that serves all, whose gradient is the sum over the batch.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([[10.0], [20.0]]));
    /// assert_eq!(a.matmul(b).value(), [[50.0], [110.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[doc(alias("mm", "bmm", "dot", "einsum", "tensordot"))]
    #[track_caller]
    pub fn matmul(self, rhs: Self) -> Self {
        self.same_tape("matmul", rhs);
        let (a, b) = (self.value(), rhs.value());
        let Some(shape) = product_shape(a.shape(), b.shape()) else {
            panic!(
                "`matmul`: shapes {:?} and {:?} do not fit: [m, k] and [k, n] are needed, with or without a batch axis",
                a.shape(),
                b.shape()
            );
        };
        // A batch times one matrix is a single product, with the rows of all its matrices one below the other.
        let flat = b.ndim() == 2;
        let (a_shape, b_shape) = (a.shape().to_vec(), b.shape().to_vec());
        let (a, b) = (batch(a, flat), batch(b, false));
        let y = reshaped(product(a.view(), b.view(), false), &shape);
        let (saved_a, saved_b) = (a.clone(), b.clone());
        let da = self.edge(move |dy| {
            let b = saved_b.view().permuted_axes([0, 2, 1]);
            reshaped(product(batch(dy, flat).view(), b, a.dim().0 == 1), &a_shape)
        });
        let db = rhs.edge(move |dy| {
            let a = saved_a.view().permuted_axes([0, 2, 1]);
            reshaped(product(a, batch(dy, flat).view(), b.dim().0 == 1), &b_shape)
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
    let ([a_batch @ .., m, k], [b_batch @ .., rows, n]) = (a, b) else { return None };
    if k != rows || a_batch.len() > 1 || b_batch.len() > 1 {
        return None;
    }
    let mut shape = layout::broadcast_shape(a_batch, b_batch)?;
    shape.extend([*m, *n]);
    Some(shape)
}

/// A matrix is a batch of one; so is a batch whose matrices are put one below the other.
fn batch<F: Real>(x: Tensor<F>, flat: bool) -> ArcArray<F, Ix3> {
    let x = if flat { rows(x) } else { x };
    let x = if x.ndim() == 2 { x.insert_axis(Axis(0)) } else { x };
    x.into_dimensionality().expect("two or three axes, checked by the op")
}

/// The products of the matrices of two batches, of which one may have a single matrix that serves all.
fn product<F: Real>(a: ArrayView3<'_, F>, b: ArrayView3<'_, F>, sum_over_batch: bool) -> Tensor<F> {
    let count = if a.dim().0 == 1 { b.dim().0 } else { a.dim().0 };
    let mut c = buffers::scratch(&[if sum_over_batch { 1 } else { count }, a.dim().1, b.dim().2]);
    if count == 0 {
        c.fill(F::ZERO);
    }
    for i in 0..count {
        let (place, beta) = match sum_over_batch {
            true if i > 0 => (0, F::ONE),
            true => (0, F::ZERO),
            false => (i, F::ZERO),
        };
        let c = c.index_axis_mut(Axis(0), place).into_dimensionality().expect("three axes less one");
        gemm(matrix_at(a, i), matrix_at(b, i), beta, c);
    }
    c
}

/// The `i`-th matrix of a batch; a batch of one repeats its only one.
fn matrix_at<F: Real>(batch: ArrayView3<'_, F>, i: usize) -> ArrayView2<'_, F> {
    let i = if batch.dim().0 == 1 { 0 } else { i };
    batch.index_axis_move(Axis(0), i)
}

/// `A B` for two matrices.
fn matrix_product<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>) -> Tensor<F> {
    let mut c = buffers::scratch(&[a.nrows(), b.ncols()]);
    gemm(a, b, F::ZERO, matrix_mut(&mut c));
    c
}

/// `C ← A B + β C`.
fn gemm<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>, beta: F, c: ArrayViewMut2<'_, F>) {
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

fn matrix<F: Real>(x: &Tensor<F>) -> ArrayView2<'_, F> {
    x.view().into_dimensionality().expect("two axes, checked by the op")
}

fn matrix_mut<F: Real>(x: &mut Tensor<F>) -> ArrayViewMut2<'_, F> {
    x.view_mut().into_dimensionality().expect("two axes, as made")
}
