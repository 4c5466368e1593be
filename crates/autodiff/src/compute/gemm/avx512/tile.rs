//! A tile: as much of C as the registers hold.

use std::arch::x86_64::*;
use std::array;

use super::pack::{lane_mask, transpose};
use super::{LANES, MR, Matrix, NR, VECTORS};

/// Where a tile finds its operands. The loop is compiled for each kind: it takes fewer instructions where it knows the
/// strides.
pub(super) trait Operands: Copy {
    /// Whether every row of B has `NR` elements, also where C has fewer columns.
    const WHOLE_ROWS: bool;

    /// Element `(r, p)` of A.
    fn a(self, r: usize, p: usize) -> *const f32;

    /// The start of row `p` of B.
    fn b(self, p: usize) -> *const f32;
}

/// A panel of A, whose rows lie beside each other in vectors, and a panel of B.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    pub(super) a: *const f32,
    pub(super) b: *const f32,
}

impl Operands for Packed {
    const WHOLE_ROWS: bool = true;

    #[inline(always)]
    fn a(self, r: usize, p: usize) -> *const f32 {
        self.a.wrapping_add(p * LANES + r)
    }

    #[inline(always)]
    fn b(self, p: usize) -> *const f32 {
        self.b.wrapping_add(p * NR)
    }
}

/// A where it lies, and B where it lies with contiguous rows, or a panel of it.
#[derive(Clone, Copy)]
pub(super) struct Strided {
    pub(super) a: Matrix,
    pub(super) b: Matrix,
}

impl Strided {
    pub(super) fn with_panel(a: Matrix, panel: *mut f32) -> Self {
        Self { a, b: Matrix::new(panel, [NR as isize, 1]) }
    }
}

impl Operands for Strided {
    const WHOLE_ROWS: bool = false;

    #[inline(always)]
    fn a(self, r: usize, p: usize) -> *const f32 {
        self.a.at(r, p)
    }

    #[inline(always)]
    fn b(self, p: usize) -> *const f32 {
        self.b.at(p, 0)
    }
}

/// A part of C, of at most `MR` rows and `NR` columns, that `depth` columns of A and rows of B go into.
///
/// # Safety
///
/// Its methods need a CPU that has AVX-512F, operands with all these elements, and a C that has `rows` and `columns`
/// and overlaps no operand.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) depth: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// With contiguous rows or columns.
    pub(super) c: Matrix,
    pub(super) accumulate: bool,
}

impl Tile {
    /// `C ← A B` or `C ← C + A B`.
    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn update(self, operands: impl Operands) {
        // SAFETY: the caller's.
        unsafe {
            if self.c.column_stride == 1 {
                self.update_rows(operands);
            } else {
                self.update_columns(operands);
            }
        }
    }

    /// Picks the loop that was compiled for this number of rows and vectors; the rows of C are contiguous.
    #[target_feature(enable = "avx512f")]
    unsafe fn update_rows<O: Operands>(self, operands: O) {
        let columns = self.columns;
        macro_rules! pick {
            ($($rows:literal)*) => {
                match (self.rows, columns > LANES) {
                    $(
                        // SAFETY: the caller's.
                        ($rows, false) => unsafe { self.run::<$rows, 1, O>(operands, lane_mask(columns)) },
                        // SAFETY: the caller's.
                        ($rows, true) => unsafe { self.run::<$rows, 2, O>(operands, lane_mask(columns - LANES)) },
                    )*
                    _ => unreachable!("a tile has 1 to {MR} rows"),
                }
            };
        }
        pick!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    /// The micro-kernel, for `R` rows and `V` vectors; `mask` tells the columns of the last vector that exist.
    #[target_feature(enable = "avx512f")]
    unsafe fn run<const R: usize, const V: usize, O: Operands>(self, operands: O, mask: __mmask16) {
        let mask = |v: usize| if v + 1 == V { mask } else { __mmask16::MAX };
        for r in 0..R {
            prefetch(self.c.at(r, 0));
            prefetch(self.c.at(r, 0).wrapping_add(LANES));
        }
        let mut sums = [[_mm512_setzero_ps(); V]; R];
        for p in 0..self.depth {
            let mut row = [_mm512_setzero_ps(); V];
            for (v, row) in row.iter_mut().enumerate() {
                let mask = if O::WHOLE_ROWS { __mmask16::MAX } else { mask(v) };
                // SAFETY: B has these elements; the others are masked.
                *row = unsafe { _mm512_maskz_loadu_ps(mask, operands.b(p).add(v * LANES)) };
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: A has this element.
                let a = _mm512_set1_ps(unsafe { *operands.a(r, p) });
                for (sum, &b) in sums.iter_mut().zip(&row) {
                    *sum = _mm512_fmadd_ps(a, b, *sum);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                // SAFETY: C has these elements; the others are masked.
                unsafe { store(sum, mask(v), self.c.at(r, 0).add(v * LANES), self.accumulate) };
            }
        }
    }

    /// Where it is the columns of C that are contiguous: the tile is computed beside C, then transposed.
    #[target_feature(enable = "avx512f")]
    unsafe fn update_columns(self, operands: impl Operands) {
        for q in 0..self.columns {
            prefetch(self.c.at(0, q));
        }
        let mut sums = [[_mm512_setzero_ps(); VECTORS]; MR];
        let beside = Matrix::new(sums.as_mut_ptr().cast(), [NR as isize, 1]);
        // SAFETY: the caller's; there is room for a whole tile.
        unsafe { Self { c: beside, accumulate: false, ..self }.update_rows(operands) };
        for (v, from) in (0..self.columns).step_by(LANES).enumerate() {
            let square = array::from_fn(|r| sums[r.min(MR - 1)][v]);
            for (q, &column) in (from..self.columns).zip(&transpose(square)) {
                // SAFETY: C has these elements; the others are masked.
                unsafe { store(column, lane_mask(self.rows), self.c.at(0, q), self.accumulate) };
            }
        }
    }
}

/// `C ← sum` or `C ← C + sum`, for the elements of a vector that `mask` tells.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn store(sum: __m512, mask: __mmask16, c: *mut f32, accumulate: bool) {
    // SAFETY: the caller's C has these elements; the others are masked.
    unsafe {
        let old = if accumulate { _mm512_maskz_loadu_ps(mask, c) } else { _mm512_setzero_ps() };
        _mm512_mask_storeu_ps(c, mask, _mm512_add_ps(old, sum));
    }
}

/// Asks for the cache line of an address, whatever is there.
#[inline(always)]
#[allow(unused_unsafe)] // the intrinsic is unsafe in Rust 1.89 and safe in later ones
fn prefetch(at: *const f32) {
    // SAFETY: a hint; it reads nothing and faults nowhere.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
}
