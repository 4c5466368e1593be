//! The product whose bits are the same on every CPU: each element of C is a sum in pairs, in an order that depends on
//! its length only, and no product is fused with a sum.

use super::Gemm;
use crate::Real;
use crate::compute::layout::ROW_MAJOR;
use crate::compute::sum::sum_rows;
use crate::compute::{inlined, vectorized};

/// The product on one thread: a row of C is the sum of the rows of B, each multiplied by an element of A.
pub(super) fn gemm<F: Real>(product: Gemm<'_, F>) {
    let Gemm { alpha, a, b, beta, mut c } = product;
    let (k, n) = b.dim();
    let b = b.as_standard_layout();
    let b = b.as_slice().expect(ROW_MAJOR);
    let mut sums = vec![F::ZERO; n];
    for (c, a) in c.rows_mut().into_iter().zip(a.rows()) {
        sum_rows(k, &mut sums, |rows, sums| {
            let rows = rows.map(|p| (a[p], &b[p * n..(p + 1) * n]));
            vectorized(inlined!(|| rows.for_each(|(a, b)| add_multiple(sums, a, b))));
        });
        for (c, &sum) in c.into_iter().zip(&sums) {
            let old = if beta == F::ZERO { F::ZERO } else { beta * *c };
            *c = alpha * sum + old;
        }
    }
}

/// `sums ← sums + a b`.
#[inline(always)]
fn add_multiple<F: Real>(sums: &mut [F], a: F, b: &[F]) {
    for (sum, &b) in sums.iter_mut().zip(b) {
        *sum += a * b;
    }
}
