//! The matrix product. Strides are free, so a transposed operand is a view and costs nothing.
//!
//! Work is divided by splitting C, never the inner dimension: each element of C is summed in the same order at any
//! thread count, so the result has the same bits. One thread's piece is computed by `matrixmultiply`, or by a kernel of
//! our own where the CPU has AVX-512; these two hold the `unsafe`. They sum in different orders: who wants the same
//! bits on every CPU asks for the third kernel, which is slower.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
mod reproducible;

use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::{InstructionSet, instruction_set, join, threads};

/// Multiply-adds below which a second thread costs more than it brings.
const PRODUCTS_TO_DIVIDE: usize = 1 << 20;

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
    if avx512::fits(&product) {
        let small_m = avx512::is_small_m(&product);
        return product.divided(&|piece| avx512::sgemm(small_m, piece));
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
mod tests {
    use ndarray::{Array2, s};

    use super::*;

    /// Sizes around those of a vector, a tile and a block.
    const SIZES: [(usize, usize, usize); 18] = [
        (1, 1, 1),
        (1, 784, 33),
        (2, 17, 10),
        (3, 0, 5),
        (7, 401, 16),
        (8, 16, 9),
        (9, 16, 17),
        (12, 15, 32),
        (13, 400, 31),
        (24, 801, 33),
        (25, 33, 64),
        (31, 64, 10),
        (40, 3, 513),
        (130, 257, 545),
        (64, 500, 1030),
        (65, 30, 20),
        (64, 801, 1),
        (0, 4, 4),
    ];

    fn noise(rows: usize, columns: usize, seed: usize) -> Array2<f32> {
        let at = |(i, j): (usize, usize)| (i * 7919 + j * 104_729 + seed * 1_299_709) * 2_654_435_761 % 1009;
        Array2::from_shape_fn((rows, columns), |ij| at(ij) as f32 / 504.5 - 1.0)
    }

    /// The same matrix in four memory layouts, given as views of `bases`.
    fn layouts(bases: &[Array2<f32>; 4]) -> [ArrayView2<'_, f32>; 4] {
        let [plain, transposed, spread, reversed] = bases;
        [plain.view(), transposed.t(), spread.slice(s![1..;2, 1..;3]), reversed.slice(s![..;-1, ..])]
    }

    fn bases(x: &Array2<f32>) -> [Array2<f32>; 4] {
        let mut spread = Array2::from_elem((2 * x.nrows() + 1, 3 * x.ncols() + 1), f32::NAN);
        spread.slice_mut(s![1..;2, 1..;3]).assign(x);
        [x.clone(), x.t().as_standard_layout().into_owned(), spread, x.slice(s![..;-1, ..]).to_owned()]
    }

    /// `|Ĉ - C| ≤ γ |A| |B|` with `γ = (k + 2) u`: Higham, "Accuracy and Stability of Numerical Algorithms", section
    /// 3.5.
    fn check(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, start: f32, c: ArrayView2<'_, f32>) {
        let (a, b) = (a.mapv(f64::from), b.mapv(f64::from));
        let exact = a.dot(&b) + f64::from(start);
        let scale = a.mapv(f64::abs).dot(&b.mapv(f64::abs)) + f64::from(start.abs());
        let gamma = (a.ncols() + 2) as f64 * f64::from(f32::EPSILON) / 2.0;
        for ((&c, exact), scale) in c.iter().zip(&exact).zip(&scale) {
            assert!((f64::from(c) - exact).abs() <= gamma * scale, "{c} instead of {exact}");
        }
    }

    /// Every size in every layout, written into the middle of an array whose border must stay.
    fn check_all(kernel: fn(Gemm<'_, f32>)) {
        for (m, k, n) in SIZES {
            let (a, b) = (bases(&noise(m, k, 1)), bases(&noise(k, n, 2)));
            for a in layouts(&a) {
                for b in layouts(&b) {
                    for beta in [0.0, 1.0] {
                        let mut frame = Array2::from_elem((m + 2, n + 3), 0.25);
                        let mut c = frame.slice_mut(s![1..=m, 1..=n]);
                        if beta == 0.0 {
                            c.fill(f32::NAN);
                        }
                        kernel(Gemm { alpha: 1.0, a, b, beta, c: c.view_mut() });
                        check(a, b, 0.25 * beta, c.view());
                        c.fill(0.25);
                        assert!(frame.iter().all(|&x| x == 0.25), "{m}×{k}×{n} wrote beside C");
                    }
                }
            }
        }
    }

    #[test]
    fn the_product_of_this_cpu_is_right() {
        check_all(sgemm);
    }

    #[test]
    fn the_product_of_any_cpu_is_right() {
        check_all(portable::sgemm);
    }

    #[test]
    fn the_product_with_the_same_bits_everywhere_is_right() {
        check_all(reproducible::gemm);
    }

    #[test]
    fn alpha_scales_the_product() {
        let (a, b) = (noise(20, 30, 1), noise(30, 40, 2));
        let mut c = Array2::zeros((20, 40));
        sgemm(Gemm { alpha: -0.5, a: a.view(), b: b.view(), beta: 0.0, c: c.view_mut() });
        check(a.mapv(|x| -0.5 * x).view(), b.view(), 0.0, c.view());
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_row_does_not_depend_on_the_others() {
        let (a, b) = (noise(100, 801, 1), bases(&noise(801, 70, 2)));
        let product = |a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>| {
            let mut c = Array2::zeros((a.nrows(), 70));
            let product = Gemm { alpha: 1.0, a, b, beta: 0.0, c: c.view_mut() };
            let ours = avx512::fits(&product);
            sgemm(product);
            (c, ours)
        };
        let (all, ours) = product(a.view(), b[0].view());
        if ours {
            for b in layouts(&b) {
                assert_eq!(product(a.slice(s![37..46, ..]), b).0, all.slice(s![37..46, ..]));
            }
        }
    }
}
