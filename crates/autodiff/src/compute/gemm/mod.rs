//! The matrix product. Strides are free, so a transposed operand is a view and costs nothing.
//!
//! Work is divided by splitting C, never the inner dimension: each element of C is summed in the same order at any
//! thread count, so the result has the same bits. One thread's piece is computed by a kernel of our own for `f32` on
//! CPUs that have AVX-512, or AVX2 with FMA, and by `matrixmultiply` otherwise; these two hold the `unsafe`. They sum
//! in different orders: who wants the same bits on every CPU asks for the third kernel, which is slower.

mod packed;
mod portable;
mod reproducible;
#[cfg(target_arch = "x86_64")]
mod tiled;

use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

pub use packed::PackedMatrix;

use super::{InstructionSet, instruction_set, join, threads};

/// Multiply-adds below which a second thread costs more than it brings.
pub const PRODUCTS_TO_DIVIDE: usize = 1 << 20;

/// Splitting at multiples of a vector leaves no ragged edge in the middle of C.
const TILE: usize = 16;

/// The product `C ← α A B + β C` for `A: [m, k]`, `B: [k, n]` and `C: [m, n]`, each with any strides. With `β = 0`,
/// whatever C held is ignored (NaN included).
#[doc(alias("addmm", "matmul", "dot", "blas"))]
pub struct Gemm<'x, F> {
    /// The factor of the product.
    pub alpha: F,
    /// The left operand.
    pub a: ArrayView2<'x, F>,
    /// The right operand.
    pub b: ArrayView2<'x, F>,
    /// The factor of what C held.
    pub beta: F,
    /// The result.
    pub c: ArrayViewMut2<'x, F>,
}

/// 0 before the first use, then 1 for no and 2 for yes.
static REPRODUCIBLE: AtomicU8 = AtomicU8::new(0);

/// Whether matrix products have the same bits on every CPU: [`set_reproducible`], or the environment variable
/// `WENGERT_REPRODUCIBLE`, if it is neither empty nor `0`.
pub fn is_reproducible() -> bool {
    match REPRODUCIBLE.load(Ordering::Relaxed) {
        0 => {
            let asked =
                env::var_os("WENGERT_REPRODUCIBLE").is_some_and(|value| !value.is_empty() && value != "0");
            set_reproducible(asked);
            asked
        }
        choice => choice == 2,
    }
}

/// Has matrix products summed in one order, whatever the CPU, so that a training has the same bits everywhere. All else
/// has them anyway. The products take several times as long.
#[doc(alias("deterministic", "use_deterministic_algorithms"))]
pub fn set_reproducible(reproducible: bool) {
    REPRODUCIBLE.store(if reproducible { 2 } else { 1 }, Ordering::Relaxed);
}

/// Whether the slow kernel is the one: `matrixmultiply` chooses its instructions by itself.
fn one_order() -> bool {
    is_reproducible()
        || instruction_set() == InstructionSet::Portable && InstructionSet::best() != instruction_set()
}

pub(super) fn sgemm(product: Gemm<'_, f32>) {
    if one_order() {
        return product.divided(&reproducible::gemm);
    }
    #[cfg(target_arch = "x86_64")]
    if let Some(kernel) = tiled::kernel(&product) {
        let small_m = tiled::is_small_m(&product);
        return product.divided(&|piece| kernel(small_m, piece));
    }
    product.divided(&portable::sgemm);
}

pub(super) fn dgemm(product: Gemm<'_, f64>) {
    if one_order() {
        return product.divided(&reproducible::gemm);
    }
    product.divided(&portable::dgemm);
}

type Kernel<'k, F> = dyn Fn(Gemm<'_, F>) + Sync + 'k;

impl<F: Copy + Send + Sync> Gemm<'_, F> {
    /// Has `kernel` compute a piece of C on each thread.
    fn divided(self, kernel: &Kernel<'_, F>) {
        let Self { a, b, c, .. } = &self;
        assert_eq!((a.ncols(), c.dim()), (b.nrows(), (a.nrows(), b.ncols())), "gemm: the shapes do not fit");
        let work = a.len() * b.ncols();
        let threads = if work < PRODUCTS_TO_DIVIDE { 1 } else { threads() };
        self.halved(threads, kernel);
    }

    /// Divides the longer side of C, together with the operand it comes from, until every thread has a piece.
    fn halved(self, threads: usize, kernel: &Kernel<'_, F>) {
        let (m, n) = self.c.dim();
        let longer = m.max(n);
        if threads < 2 || longer < 2 * TILE {
            return kernel(self);
        }
        let (near, far) = (threads / 2, threads - threads / 2);
        let middle = (longer * near / threads).next_multiple_of(TILE);
        let (first, second) = if m >= n { self.split_rows(middle) } else { self.split_columns(middle) };
        join(|| first.halved(near, kernel), || second.halved(far, kernel));
    }

    fn split_rows(self, middle: usize) -> (Self, Self) {
        let (a0, a1) = self.a.split_at(Axis(0), middle);
        let (c0, c1) = self.c.split_at(Axis(0), middle);
        (Gemm { a: a0, c: c0, ..self }, Gemm { a: a1, c: c1, ..self })
    }

    fn split_columns(self, middle: usize) -> (Self, Self) {
        let (b0, b1) = self.b.split_at(Axis(1), middle);
        let (c0, c1) = self.c.split_at(Axis(1), middle);
        (Gemm { b: b0, c: c0, ..self }, Gemm { b: b1, c: c1, ..self })
    }
}

#[cfg(test)]
mod tests;
