//! A tile: as much of C as the registers hold.
#![allow(unsafe_code)]

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::array;

use super::matrix::Matrix;
use super::vector::{VECTORS, Vector};
use crate::compute::inlined;

/// Where a tile finds its operands. The loop is compiled for each kind: it takes fewer instructions where it knows the
/// strides.
pub(super) trait Operands<V>: Copy {
    /// Whether every row of B is whole vectors, also where C has fewer columns.
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

impl<V: Vector> Operands<V> for Packed {
    const WHOLE_ROWS: bool = true;

    #[inline(always)]
    fn a(self, r: usize, p: usize) -> *const f32 {
        self.a.wrapping_add(p * V::LANES + r)
    }

    #[inline(always)]
    fn b(self, p: usize) -> *const f32 {
        self.b.wrapping_add(p * V::COLUMNS)
    }
}

/// A where it lies, and B where it lies with contiguous rows, or a panel of it.
#[derive(Clone, Copy)]
pub(super) struct Strided {
    pub(super) a: Matrix,
    pub(super) b: Matrix,
}

impl Strided {
    pub(super) fn with_panel<V: Vector>(a: Matrix, panel: *mut f32) -> Self {
        Self { a, b: Matrix::new(panel, [V::COLUMNS as isize, 1]) }
    }
}

impl<V: Vector> Operands<V> for Strided {
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

/// A part of C, of at most `V::ROWS` rows and `VECTORS` vectors, that `depth` columns of A and rows of B go into.
///
/// # Safety
///
/// Its methods need a CPU that has the vector, operands with all these elements, and a C that has `rows` and `columns`
/// and overlaps no operand.
pub(super) struct Tile {
    pub(super) depth: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// With contiguous rows.
    pub(super) c: Matrix,
    pub(super) accumulate: bool,
}

impl Tile {
    /// `C ← A B` or `C ← C + A B`, by the loop that was compiled for this number of rows and vectors.
    pub(super) unsafe fn update<V: Vector, O: Operands<V>>(&self, operands: O) {
        macro_rules! pick {
            ($($rows:literal)*) => {
                match (self.rows, self.columns > V::LANES) {
                    $(
                        // SAFETY: the caller's.
                        ($rows, false) if $rows <= V::ROWS => unsafe {
                            V::compiled(inlined!(|| self.run::<$rows, 1, V, O>(operands)))
                        },
                        // SAFETY: the caller's.
                        ($rows, true) if $rows <= V::ROWS => unsafe {
                            V::compiled(inlined!(|| self.run::<$rows, VECTORS, V, O>(operands)))
                        },
                    )*
                    _ => unreachable!("a tile has 1 to {} rows", V::ROWS),
                }
            };
        }
        pick!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    /// The micro-kernel, for `R` rows and `N` vectors.
    #[inline(always)]
    unsafe fn run<const R: usize, const N: usize, V: Vector, O: Operands<V>>(&self, operands: O) {
        for r in 0..R {
            for v in 0..N {
                prefetch(self.c.at(r, 0).wrapping_add(v * V::LANES));
            }
        }
        let last = self.columns - (N - 1) * V::LANES;
        // SAFETY: the caller has the vector, the elements of A and B, and those of C; the others are masked.
        unsafe {
            let mask = V::mask(last);
            let mut sums = [[V::zero(); N]; R];
            for p in 0..self.depth {
                let mut row = [V::zero(); N];
                for (v, row) in row.iter_mut().enumerate() {
                    let b = operands.b(p).wrapping_add(v * V::LANES);
                    *row = if O::WHOLE_ROWS || v + 1 < N { V::load(b) } else { V::load_part(b, mask) };
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let a = V::splat(*operands.a(r, p));
                    for (sum, &b) in sums.iter_mut().zip(&row) {
                        *sum = sum.plus_product(a, b);
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    let lanes = if v + 1 < N { V::LANES } else { last };
                    store(sum, lanes, self.c.at(r, 0).wrapping_add(v * V::LANES), self.accumulate);
                }
            }
        }
    }

    /// Asks for what [`move_to`](Self::move_to) will write.
    pub(super) fn prefetch(&self, c: Matrix) {
        (0..self.columns).for_each(|q| prefetch(c.at(0, q)));
    }

    /// Moves what was computed beside C to where it belongs, or adds it.
    pub(super) unsafe fn move_to<V: Vector>(&self, c: Matrix, accumulate: bool) {
        // SAFETY: the caller's.
        unsafe {
            if c.row_stride == 1 {
                V::compiled(inlined!(|| self.move_columns::<V>(c, accumulate)));
            } else {
                self.move_elements(c, accumulate);
            }
        }
    }

    /// To a C whose columns are contiguous.
    #[inline(always)]
    unsafe fn move_columns<V: Vector>(&self, c: Matrix, accumulate: bool) {
        for from in (0..self.columns).step_by(V::LANES) {
            // SAFETY: the caller has the vector, and whole vectors of this tile; C has these elements, and the others
            // are masked.
            unsafe {
                let square = array::from_fn(|r| V::load(self.c.at(r.min(V::ROWS - 1), from)));
                for (q, &column) in (from..self.columns).zip(&V::transpose(square)).take(V::LANES) {
                    store(column, self.rows, c.at(0, q), accumulate);
                }
            }
        }
    }

    unsafe fn move_elements(&self, c: Matrix, accumulate: bool) {
        for r in 0..self.rows {
            for q in 0..self.columns {
                // SAFETY: both have these elements.
                unsafe {
                    let (c, sum) = (c.at(r, q), *self.c.at(r, q));
                    *c = if accumulate { *c + sum } else { sum };
                }
            }
        }
    }
}

/// `C ← sum` or `C ← C + sum`, for the first lanes. Some CPUs take many times as long to store a part of a vector.
#[inline(always)]
unsafe fn store<V: Vector>(sum: V, lanes: usize, c: *mut f32, accumulate: bool) {
    // SAFETY: the caller has the vector, and a C with these elements; the others are masked.
    unsafe {
        if lanes == V::LANES {
            let sum = if accumulate { V::load(c).add(sum) } else { sum };
            sum.store(c);
        } else {
            let mask = V::mask(lanes);
            let sum = if accumulate { V::load_part(c, mask).add(sum) } else { sum };
            sum.store_part(c, mask);
        }
    }
}

/// Asks for the cache line of an address, whatever is there.
#[inline(always)]
#[allow(unused_unsafe)] // the intrinsic is unsafe in Rust 1.89 and safe in later ones
fn prefetch(at: *const f32) {
    // SAFETY: a hint; it reads nothing and faults nowhere.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
}
