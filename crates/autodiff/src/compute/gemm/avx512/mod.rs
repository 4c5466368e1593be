//! The product for CPUs with AVX-512, in the blocking of Goto and van de Geijn ("Anatomy of High-Performance Matrix
//! Multiplication", ACM TOMS 34, 2008): a tile of C stays in registers while rows of B stream past it, multiplied by
//! elements of A. With few rows or columns an operand is read where it lies, if it can be; otherwise both are packed.
//!
//! Sizes and loops bear the letters of BLIS (Van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating
//! BLAS Functionality", ACM TOMS 41, 2015): `MR` × `NR` is a tile, `KC` × `NC` the block of B that its caches hold;
//! `pc` and `jc` go over the blocks of `k` and `n`, `ir` and `jr` over the tiles of a block.
//!
//! Each element of C is summed over `k` in one order, in blocks that depend on `k` only. So its bits do not depend on
//! how C is divided among threads, nor on how many other rows there are. The exception is products [of few
//! rows](is_small_m): they are summed in another order.

#![allow(unsafe_code)]

mod pack;
mod tile;

use std::arch::x86_64::*;
use std::cell::Cell;

use ndarray::ArrayView2;

use super::Gemm;
use crate::compute::{InstructionSet, instruction_set};
use pack::{lane_mask, pack, pack_panels};
use tile::{Packed, Strided, Tile};

/// Elements of a vector.
const LANES: usize = 16;
/// Vectors in a row of a tile.
const VECTORS: usize = 2;
/// Rows and columns of the tile: 24 of the 32 registers hold sums, two hold B, one an element of A.
const MR: usize = 12;
const NR: usize = VECTORS * LANES;
/// The most of `k` that is summed before C is written, a multiple of `LANES`: the packed panel of A is then half of a
/// first-level cache of 48 KB.
const KC: usize = 400;
/// The columns of B that are packed at once: with `KC` rows, 800 KB of a second-level cache of 1 MB.
const NC: usize = 512;
/// Rows of A, or columns of B, up to which packing would cost more than it brings, so that operands are read where they
/// lie if they can be. With few rows of A, and B contiguous along `k`, `Cᵀ = Bᵀ Aᵀ` is computed instead, so that the
/// smaller operand is the one that must be packed.
const FEW: usize = 2 * NR;
/// Rows of A up to which any packing would cost more than the product itself.
const SMALL_M: usize = 8;
/// The elements that the rows of B may span to be read where they lie: those of rows that lie further apart compete for
/// the same lines of the second-level cache.
const NEAR: usize = 128 * 1024;

thread_local! {
    /// The packed panel of A and the packed block of B, kept from product to product. A vector has the size and the
    /// alignment of a cache line.
    static PACKED: Cell<Vec<__m512>> = const { Cell::new(Vec::new()) };
}

/// Whether this CPU and this kernel can do it.
pub(super) fn fits(product: &Gemm<'_, f32>) -> bool {
    let Gemm { alpha, a, beta, c, .. } = product;
    let simple = *alpha == 1.0 && (*beta == 0.0 || *beta == 1.0) && a.ncols() > 0;
    simple && (c.strides()[1] == 1 || c.ncols() == 1) && instruction_set() == InstructionSet::Avx512
}

/// Whether [`Product::dots`] is the better way: A has few rows and both operands are contiguous along `k`.
pub(super) fn is_small_m(product: &Gemm<'_, f32>) -> bool {
    let Gemm { a, b, .. } = product;
    a.nrows() <= SMALL_M && a.strides()[1] == 1 && b.strides()[0] == 1
}

/// The product on one thread, where it [`fits`]. `small_m` is for products that [are](is_small_m); all pieces of one
/// product must agree on it, because the bits depend on it.
pub(super) fn sgemm(small_m: bool, mut piece: Gemm<'_, f32>) {
    assert!(fits(&piece) && (!small_m || is_small_m(&piece)));
    let ((m, k), n) = (piece.a.dim(), piece.b.ncols());
    assert_eq!((k, piece.c.dim()), (piece.b.nrows(), (m, n)));
    let c_strides = [piece.c.strides()[0], 1];
    let product = Product {
        m,
        k,
        n,
        a: Matrix::from_view(&piece.a),
        b: Matrix::from_view(&piece.b),
        c: Matrix::new(piece.c.as_mut_ptr(), c_strides),
        accumulate: piece.beta == 1.0,
    };
    // SAFETY: pointers, extents and strides come from live ndarray views, whose invariant is that every index within
    // the extents is in bounds; C is a unique borrow and cannot overlap A or B; `fits` asked for the CPU's
    // instructions.
    unsafe {
        match Plan::new(small_m, &product) {
            Plan::Dots => product.dots(),
            Plan::Tiles { transposed: false, kc, packing } => product.tiles(kc, packing),
            Plan::Tiles { transposed: true, kc, packing } => product.transposed().tiles(kc, packing),
        }
    }
}

/// A matrix by its first element and the distances between neighbouring rows and neighbouring columns. Only C is
/// written.
#[derive(Clone, Copy)]
struct Matrix {
    start: *mut f32,
    row_stride: isize,
    column_stride: isize,
}

impl Matrix {
    fn new(start: *mut f32, [row_stride, column_stride]: [isize; 2]) -> Self {
        Self { start, row_stride, column_stride }
    }

    fn from_view(x: &ArrayView2<'_, f32>) -> Self {
        Self::new(x.as_ptr().cast_mut(), [x.strides()[0], x.strides()[1]])
    }

    fn at(self, row: usize, column: usize) -> *mut f32 {
        self.start.wrapping_offset(row as isize * self.row_stride + column as isize * self.column_stride)
    }

    /// The part from this element on.
    fn part(self, row: usize, column: usize) -> Self {
        Self { start: self.at(row, column), ..self }
    }

    /// How far the first and the last element of so many rows and columns are apart.
    fn span(self, rows: usize, columns: usize) -> usize {
        rows * self.row_stride.unsigned_abs() + columns * self.column_stride.unsigned_abs()
    }

    fn transposed(self) -> Self {
        Self::new(self.start, [self.column_stride, self.row_stride])
    }
}

/// Which loop computes a product, and what it packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Dots,
    Tiles {
        /// Whether `Cᵀ = Bᵀ Aᵀ` is computed instead; the rest is about that product then.
        transposed: bool,
        /// How much of `k` is summed before C is written: all, or blocks of one size.
        kc: usize,
        packing: Packing,
    },
}

/// Which operands are copied before they are used; A is never copied alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Neither,
    B,
    Both,
}

impl Plan {
    fn new(small_m: bool, product: &Product) -> Self {
        if small_m {
            return Self::Dots;
        }
        let transposed = product.m <= FEW && product.b.row_stride == 1;
        let Product { m, k, n, b, .. } = if transposed { product.transposed() } else { *product };
        let kc = k.div_ceil(k.div_ceil(KC));
        let packing = if m.min(n) > FEW {
            Packing::Both
        } else if b.column_stride != 1 || m > MR && b.span(kc, NR) > NEAR {
            Packing::B
        } else {
            Packing::Neither
        };
        Self::Tiles { transposed, kc, packing }
    }
}

/// `C ← A B`, or `C ← C + A B` where `accumulate`, for `A: [m, k]`, `B: [k, n]` with `k > 0` and a C whose rows or
/// columns are contiguous.
///
/// # Safety
///
/// Its loops need a CPU that has AVX-512F; every element of the three matrices may be read and those of C written, and
/// C overlaps no other.
#[derive(Clone, Copy)]
struct Product {
    m: usize,
    k: usize,
    n: usize,
    a: Matrix,
    b: Matrix,
    c: Matrix,
    accumulate: bool,
}

impl Product {
    /// `Cᵀ = Bᵀ Aᵀ`.
    fn transposed(self) -> Self {
        let [a, b, c] = [self.b, self.a, self.c].map(Matrix::transposed);
        Self { m: self.n, n: self.m, a, b, c, ..self }
    }

    /// Tile by tile.
    #[target_feature(enable = "avx512f")]
    unsafe fn tiles(self, kc: usize, packing: Packing) {
        let Self { m, k, n, a, b, c, accumulate } = self;
        let mut buffer = PACKED.take();
        buffer.resize(KC + KC * NC / LANES, _mm512_setzero_ps());
        let a_panel = buffer.as_mut_ptr().cast::<f32>();
        let b_panels = a_panel.wrapping_add(KC * LANES);
        let panel_len = NR * kc.next_multiple_of(LANES);
        for pc in (0..k).step_by(kc) {
            let depth = kc.min(k - pc);
            for jc in (0..n).step_by(NC) {
                let width = NC.min(n - jc);
                if packing != Packing::Neither {
                    // SAFETY: the buffer has room for `NC / NR` panels of `KC` rows; the source lies in B.
                    unsafe { pack_panels(b.part(pc, jc), depth, width, b_panels, panel_len) };
                }
                for ir in (0..m).step_by(MR) {
                    let (a, rows) = (a.part(ir, pc), MR.min(m - ir));
                    if packing == Packing::Both {
                        // SAFETY: the buffer has room for `KC` vectors of A; the source lies in A.
                        unsafe { pack(a, rows, depth, a_panel, LANES) };
                    }
                    for jr in (0..width).step_by(NR) {
                        let b_panel = b_panels.wrapping_add(jr / NR * panel_len);
                        let (c, columns) = (c.part(ir, jc + jr), NR.min(width - jr));
                        let tile = Tile { depth, rows, columns, c, accumulate: accumulate || pc > 0 };
                        // SAFETY: the tile lies in C, and the rows of B are contiguous, packed or not.
                        unsafe {
                            match packing {
                                Packing::Neither => tile.update(Strided { a, b: b.part(pc, jc + jr) }),
                                Packing::B => tile.update(Strided::with_panel(a, b_panel)),
                                Packing::Both => tile.update(Packed { a: a_panel, b: b_panel }),
                            }
                        }
                    }
                }
            }
        }
        PACKED.set(buffer);
    }

    /// Element by element, without packing: each is a dot product, summed in 16 lanes that are added up in the end.
    #[target_feature(enable = "avx512f")]
    unsafe fn dots(self) {
        /// Columns of C that are summed side by side: the sums need not wait for each other.
        const SIDE: usize = 8;
        let Self { m, k, n, a, b, c, accumulate } = self;
        for j in (0..n).step_by(SIDE) {
            for i in 0..m {
                let mut sums = [_mm512_setzero_ps(); SIDE];
                for p in (0..k).step_by(LANES) {
                    let mask = lane_mask(LANES.min(k - p));
                    // SAFETY: the elements exist, and are contiguous along `k`; the others are masked.
                    let x = unsafe { _mm512_maskz_loadu_ps(mask, a.at(i, p)) };
                    for (q, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: the same; a column that does not exist repeats the last.
                        let y = unsafe { _mm512_maskz_loadu_ps(mask, b.at(p, (j + q).min(n - 1))) };
                        *sum = _mm512_fmadd_ps(x, y, *sum);
                    }
                }
                for (q, &sum) in sums.iter().enumerate().take(n - j) {
                    let c = c.at(i, j + q);
                    // SAFETY: the element is one of C.
                    unsafe { *c = _mm512_reduce_add_ps(sum) + if accumulate { *c } else { 0.0 } };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    /// The plan for operands with these strides; plans look at no element.
    fn plan([m, k, n]: [usize; 3], a_strides: [isize; 2], b_strides: [isize; 2]) -> Plan {
        let matrix = |strides| Matrix::new(ptr::null_mut(), strides);
        let (a, b, c) = (matrix(a_strides), matrix(b_strides), matrix([n as isize, 1]));
        Plan::new(false, &Product { m, k, n, a, b, c, accumulate: false })
    }

    /// Of matrices whose rows are contiguous.
    fn plan_of_rows([m, k, n]: [usize; 3]) -> Plan {
        plan([m, k, n], [k as isize, 1], [n as isize, 1])
    }

    #[test]
    fn large_products_pack_both_operands() {
        let both = Plan::Tiles { transposed: false, kc: 256, packing: Packing::Both };
        assert_eq!(plan_of_rows([FEW + 1, 256, FEW + 1]), both);
        assert_eq!(plan([512, 256, 512], [1, 512], [1, 256]), both);
    }

    #[test]
    fn few_rows_or_columns_are_read_where_they_lie() {
        let neither = Plan::Tiles { transposed: false, kc: 256, packing: Packing::Neither };
        assert_eq!(plan_of_rows([FEW, 256, 256]), neither);
        assert_eq!(plan_of_rows([512, 256, FEW]), neither);
    }

    #[test]
    fn rows_far_apart_are_packed_unless_they_are_read_once() {
        let plan = |m| plan([m, 256, FEW], [256, 1], [NEAR as isize, 1]);
        assert_eq!(plan(MR), Plan::Tiles { transposed: false, kc: 256, packing: Packing::Neither });
        assert_eq!(plan(MR + 1), Plan::Tiles { transposed: false, kc: 256, packing: Packing::B });
    }

    /// `X Wᵀ` for a batch of 64: it is the batch that is packed, not the weight.
    #[test]
    fn a_small_batch_times_a_transposed_weight_is_turned_round() {
        let expected = Plan::Tiles { transposed: true, kc: 392, packing: Packing::B };
        assert_eq!(plan([64, 784, 512], [784, 1], [1, 784]), expected);
    }

    #[test]
    fn blocks_of_k_are_as_few_and_as_equal_as_can_be() {
        for k in 1..=5 * KC {
            let Plan::Tiles { kc, .. } = plan_of_rows([100, k, 100]) else { panic!("not by dot products") };
            let blocks = k.div_ceil(KC);
            assert!(kc <= KC && kc * blocks >= k && (kc - 1) * blocks < k, "{blocks} blocks of {kc} for {k}");
        }
    }

    #[test]
    fn products_of_few_rows_are_dot_products() {
        let null = Matrix::new(ptr::null_mut(), [1, 1]);
        let product = Product { m: 1, k: 784, n: 512, a: null, b: null, c: null, accumulate: false };
        assert_eq!(Plan::new(true, &product), Plan::Dots);
    }
}
