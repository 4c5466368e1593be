//! The matrix product: the only file of the workspace with `unsafe`.
//!
//! `matrixmultiply` takes free strides, so a transposed operand is a view and costs nothing. Work is divided by
//! splitting C, never the inner dimension: each element of C is summed in the same order at any thread count, so the
//! result has the same bits.
#![allow(unsafe_code)]

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use crate::Real;

/// Multiply-adds below which a second thread costs more than it brings.
const PARALLEL_ABOVE: usize = 1 << 20;

/// Splitting at multiples of the micro-kernel's tile leaves no ragged edge in the middle of C.
const TILE: usize = 16;

/// `A B` for `A: [m, k]`, `B: [k, n]`, either of them possibly a transposed view.
pub(crate) fn matmul<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>) -> Array2<F> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    F::gemm(F::ONE, a, b, F::ZERO, c.view_mut());
    c
}

macro_rules! gemm {
    ($name:ident, $float:ident) => {
        pub(crate) fn $name(
            alpha: $float,
            a: ArrayView2<'_, $float>,
            b: ArrayView2<'_, $float>,
            beta: $float,
            c: ArrayViewMut2<'_, $float>,
        ) {
            split(rayon::current_num_threads(), a, b, c, &|a, b, mut c: ArrayViewMut2<'_, $float>| {
                let ((m, k), n) = (a.dim(), b.ncols());
                let (a_strides, b_strides, c_strides) = (a.strides(), b.strides(), c.strides());
                let (rsa, csa) = (a_strides[0], a_strides[1]);
                let (rsb, csb) = (b_strides[0], b_strides[1]);
                let (rsc, csc) = (c_strides[0], c_strides[1]);
                // SAFETY: pointers, extents and strides all come from live ndarray views, whose invariant is that
                // every index within the extents is in bounds; `c` is a unique borrow and cannot overlap `a` or `b`.
                unsafe {
                    matrixmultiply::$name(
                        m,
                        k,
                        n,
                        alpha,
                        a.as_ptr(),
                        rsa,
                        csa,
                        b.as_ptr(),
                        rsb,
                        csb,
                        beta,
                        c.as_mut_ptr(),
                        rsc,
                        csc,
                    );
                }
            });
        }
    };
}

gemm!(sgemm, f32);
gemm!(dgemm, f64);

type Kernel<'k, F> = dyn Fn(ArrayView2<'_, F>, ArrayView2<'_, F>, ArrayViewMut2<'_, F>) + Sync + 'k;

/// Halves the longer side of C, together with the operand it comes from, until every thread has a piece.
fn split<F: Real>(
    threads: usize,
    a: ArrayView2<'_, F>,
    b: ArrayView2<'_, F>,
    c: ArrayViewMut2<'_, F>,
    kernel: &Kernel<'_, F>,
) {
    assert_eq!((a.ncols(), c.dim()), (b.nrows(), (a.nrows(), b.ncols())), "gemm: the shapes do not fit");
    let ((m, n), k) = (c.dim(), a.ncols());
    if threads < 2 || m * n * k < PARALLEL_ABOVE || m.max(n) < 2 * TILE {
        return kernel(a, b, c);
    }
    let (near, far) = (threads / 2, threads - threads / 2);
    if m >= n {
        let middle = (m / 2).next_multiple_of(TILE);
        let (a0, a1) = a.split_at(Axis(0), middle);
        let (c0, c1) = c.split_at(Axis(0), middle);
        rayon::join(|| split(near, a0, b, c0, kernel), || split(far, a1, b, c1, kernel));
    } else {
        let middle = (n / 2).next_multiple_of(TILE);
        let (b0, b1) = b.split_at(Axis(1), middle);
        let (c0, c1) = c.split_at(Axis(1), middle);
        rayon::join(|| split(near, a, b0, c0, kernel), || split(far, a, b1, c1, kernel));
    }
}
