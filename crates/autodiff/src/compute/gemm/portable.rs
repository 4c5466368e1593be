//! The product on one thread, for any CPU.
#![allow(unsafe_code)]

use super::Gemm;

macro_rules! gemm {
    ($name:ident, $float:ident) => {
        pub(super) fn $name(product: Gemm<'_, $float>) {
            let Gemm { alpha, a, b, beta, mut c } = product;
            let ((m, k), n) = (a.dim(), b.ncols());
            assert_eq!((k, c.dim()), (b.nrows(), (m, n)));
            let (a_strides, b_strides) = (a.strides(), b.strides());
            let (rsa, csa, rsb, csb) = (a_strides[0], a_strides[1], b_strides[0], b_strides[1]);
            let (rsc, csc) = (c.strides()[0], c.strides()[1]);
            let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
            // SAFETY: pointers, extents and strides come from live ndarray views, whose invariant is that every index
            // within the extents is in bounds; C is a unique borrow and cannot overlap A or B.
            unsafe { matrixmultiply::$name(m, k, n, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc) }
        }
    };
}

gemm!(sgemm, f32);
gemm!(dgemm, f64);
