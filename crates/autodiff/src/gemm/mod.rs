//! The matrix product. Strides are free, so a transposed operand is a view and costs nothing.
//!
//! Work is divided by splitting C, never the inner dimension: each element of C is summed in the same order at any thread
//! count, so the result has the same bits. One thread's piece is computed by `matrixmultiply`, or by a kernel of our own
//! where the CPU has AVX-512; these two files hold `unsafe`.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Ix2};

use crate::{Real, parallel, pool};

/// Multiply-adds below which a second thread costs more than it brings.
const PARALLEL_ABOVE: usize = 1 << 23;

/// Splitting at multiples of the micro-kernel's tile leaves no ragged edge in the middle of C.
const TILE: usize = 16;

/// `A B` for `A: [m, k]`, `B: [k, n]`, either of them possibly a transposed view.
pub(crate) fn matmul<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>) -> Array2<F> {
    let mut c = pool::array(Ix2(a.nrows(), b.ncols()));
    F::gemm(F::ONE, a, b, F::ZERO, c.view_mut());
    c
}

/// `C ← α A B + β C`.
pub(crate) fn sgemm(
    alpha: f32,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    beta: f32,
    c: ArrayViewMut2<'_, f32>,
) {
    #[cfg(target_arch = "x86_64")]
    if avx512::fits(alpha, &a, beta, &c) {
        let thin = avx512::is_thin(&a, &b);
        return split(a, b, c, &|a, b, c| avx512::sgemm(thin, a, b, c, beta == 1.0));
    }
    split(a, b, c, &|a, b, c| portable::sgemm(alpha, a, b, beta, c));
}

/// `C ← α A B + β C`.
pub(crate) fn dgemm(
    alpha: f64,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    beta: f64,
    c: ArrayViewMut2<'_, f64>,
) {
    split(a, b, c, &|a, b, c| portable::dgemm(alpha, a, b, beta, c));
}

type Kernel<'k, F> = dyn Fn(ArrayView2<'_, F>, ArrayView2<'_, F>, ArrayViewMut2<'_, F>) + Sync + 'k;

/// Halves the longer side of C, together with the operand it comes from, until every thread has a piece.
fn split<F: Real>(
    a: ArrayView2<'_, F>,
    b: ArrayView2<'_, F>,
    c: ArrayViewMut2<'_, F>,
    kernel: &Kernel<'_, F>,
) {
    assert_eq!((a.ncols(), c.dim()), (b.nrows(), (a.nrows(), b.ncols())), "gemm: the shapes do not fit");
    let work = a.len() * b.ncols();
    let threads = if work < PARALLEL_ABOVE { 1 } else { parallel::threads() };
    halve(threads, a, b, c, kernel);
}

fn halve<F: Real>(
    threads: usize,
    a: ArrayView2<'_, F>,
    b: ArrayView2<'_, F>,
    c: ArrayViewMut2<'_, F>,
    kernel: &Kernel<'_, F>,
) {
    let (m, n) = c.dim();
    if threads < 2 || m.max(n) < 2 * TILE {
        return kernel(a, b, c);
    }
    let (near, far) = (threads / 2, threads - threads / 2);
    if m >= n {
        let middle = (m / 2).next_multiple_of(TILE);
        let (a0, a1) = a.split_at(Axis(0), middle);
        let (c0, c1) = c.split_at(Axis(0), middle);
        parallel::join(|| halve(near, a0, b, c0, kernel), || halve(far, a1, b, c1, kernel));
    } else {
        let middle = (n / 2).next_multiple_of(TILE);
        let (b0, b1) = b.split_at(Axis(1), middle);
        let (c0, c1) = c.split_at(Axis(1), middle);
        parallel::join(|| halve(near, a, b0, c0, kernel), || halve(far, a, b1, c1, kernel));
    }
}
