//! The product for CPUs with AVX-512, in the blocking of Goto and van de Geijn ("Anatomy of High-Performance Matrix
//! Multiplication", ACM TOMS 34, 2008): a tile of C stays in registers while rows of B stream past it, multiplied by elements
//! of A. With few rows or columns an operand is read where it lies, if it can be; otherwise both are packed.
//!
//! Each element of C is summed over `k` in one order, in blocks that depend on `k` only, so that its bits do not depend on
//! how C is divided among threads; nor on how many other rows there are, but for products that [are thin](is_thin), which
//! are summed in another order.

#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::array;
use std::cell::Cell;
use std::ptr;

use ndarray::{ArrayView2, ArrayViewMut2};

/// Elements of a vector.
const LANES: usize = 16;
/// Vectors in a row of a tile.
const VECTORS: usize = 2;
/// Rows and columns of the tile: 24 of the 32 registers hold sums, two hold B, one an element of A.
const ROWS: usize = 12;
const COLUMNS: usize = VECTORS * LANES;
/// The most of `k` that is summed before C is written, a multiple of `LANES`: a packed strip of A is then half of a
/// first-level cache of 48 KB.
const DEPTH: usize = 400;
/// The columns of B that are packed at once: with `DEPTH` rows, 800 KB of a second-level cache of 1 MB.
const WIDTH: usize = 512;
/// Rows of A, or columns of B, up to which operands are read where they lie if they can be: packing would cost more than it
/// brings. With few rows of A, and B contiguous along `k`, `Cᵀ = Bᵀ Aᵀ` is computed instead, so that the smaller operand is
/// the one that must be packed.
const FEW: usize = 2 * COLUMNS;
/// Rows of A up to which any packing would cost more than the product itself.
const FEW_ROWS: usize = 8;
/// The elements that the rows of B may span to be read where they lie: those of rows that lie further apart compete for
/// the same lines of the second-level cache.
const NEAR: usize = 128 * 1024;

thread_local! {
    /// The packed strip of A and the packed part of B, kept from product to product. A vector has the size and the
    /// alignment of a cache line.
    static PACKED: Cell<Vec<__m512>> = const { Cell::new(Vec::new()) };
}

/// Whether this CPU and this kernel can do `C ← α A B + β C`.
pub(super) fn fits(alpha: f32, a: &ArrayView2<'_, f32>, beta: f32, c: &ArrayViewMut2<'_, f32>) -> bool {
    let simple = alpha == 1.0 && (beta == 0.0 || beta == 1.0) && a.ncols() > 0;
    simple && (c.strides()[1] == 1 || c.ncols() == 1) && is_x86_feature_detected!("avx512f")
}

/// Whether [`Product::dots`] is the better way, for A with few rows and both operands contiguous along `k`.
pub(super) fn is_thin(a: &ArrayView2<'_, f32>, b: &ArrayView2<'_, f32>) -> bool {
    a.nrows() <= FEW_ROWS && a.strides()[1] == 1 && b.strides()[0] == 1
}

/// `C ← A B`, or `C ← C + A B` where `accumulate`, on one thread, where it [`fits`]. Pieces of one product must agree on
/// `thin`, which needs operands that are: the bits depend on it.
pub(super) fn sgemm(
    thin: bool,
    a: ArrayView2<'_, f32>,
    b: ArrayView2<'_, f32>,
    mut c: ArrayViewMut2<'_, f32>,
    accumulate: bool,
) {
    assert!(fits(1.0, &a, 0.0, &c) && (!thin || is_thin(&a, &b)));
    let ((m, k), n) = (a.dim(), b.ncols());
    assert_eq!((k, c.dim()), (b.nrows(), (m, n)));
    let matrix = |x: &ArrayView2<'_, f32>| Matrix {
        start: x.as_ptr().cast_mut(),
        rows: x.strides()[0],
        columns: x.strides()[1],
    };
    let (a, b) = (matrix(&a), matrix(&b));
    let c = Matrix { rows: c.strides()[0], columns: 1, start: c.as_mut_ptr() };
    let product = Product { m, k, n, a, b, c, accumulate };
    // SAFETY: pointers, extents and strides come from live ndarray views, whose invariant is that every index within the
    // extents is in bounds; C is a unique borrow and cannot overlap A or B; `fits` asked the CPU.
    unsafe {
        if thin {
            product.dots();
        } else if m <= FEW && b.rows == 1 {
            product.transposed().tiles();
        } else {
            product.tiles();
        }
    }
}

/// A matrix by its first element and the distances between neighbouring rows and neighbouring columns. Only C is written.
#[derive(Clone, Copy)]
struct Matrix {
    start: *mut f32,
    rows: isize,
    columns: isize,
}

/// A packed strip of A and a packed panel of B, but for where they start.
const STRIP: Matrix = Matrix { start: ptr::null_mut(), rows: 1, columns: LANES as isize };
const PANEL: Matrix = Matrix { start: ptr::null_mut(), rows: COLUMNS as isize, columns: 1 };

impl Matrix {
    fn at(self, row: usize, column: usize) -> *mut f32 {
        self.start.wrapping_offset(row as isize * self.rows + column as isize * self.columns)
    }

    /// The matrix from this element on.
    fn from(self, row: usize, column: usize) -> Self {
        Self { start: self.at(row, column), ..self }
    }

    /// How far the first and the last element of so many rows and columns are apart.
    fn span(self, rows: usize, columns: usize) -> usize {
        rows * self.rows.unsigned_abs() + columns * self.columns.unsigned_abs()
    }

    fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, ..self }
    }
}

/// [`sgemm`] for `A: [m, k]`, `B: [k, n]` with `k > 0` and a C whose rows or columns are contiguous.
///
/// # Safety
///
/// Its methods need a CPU that has AVX-512F; every element of the three matrices may be read and those of C written, and C
/// overlaps no other.
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
    unsafe fn tiles(self) {
        let Self { m, k, n, a, b, c, accumulate } = self;
        let depth = k.div_ceil(k.div_ceil(DEPTH));
        let room = depth.next_multiple_of(LANES);
        let pack_a = m.min(n) > FEW;
        let pack_b = pack_a || b.columns != 1 || m > ROWS && b.span(depth, COLUMNS) > NEAR;
        let mut buffer = PACKED.take();
        buffer.resize(DEPTH + DEPTH * WIDTH / LANES, _mm512_setzero_ps());
        let a_packed = buffer.as_mut_ptr().cast::<f32>();
        let b_packed = a_packed.wrapping_add(DEPTH * LANES);
        for p in (0..k).step_by(depth) {
            let depth = depth.min(k - p);
            for j in (0..n).step_by(WIDTH) {
                let width = WIDTH.min(n - j);
                for s in (0..width).step_by(LANES).filter(|_| pack_b) {
                    let lanes = LANES.min(width - s);
                    // SAFETY: the buffer has room for `WIDTH / COLUMNS` panels of `DEPTH` rows; the source lies in B.
                    unsafe {
                        let to = b_packed.add((s - s % COLUMNS) * room + s % COLUMNS);
                        pack(b.from(p, j + s).transposed(), lanes, depth, to, COLUMNS);
                    }
                }
                for i in (0..m).step_by(ROWS) {
                    let rows = ROWS.min(m - i);
                    let mut a = a.from(i, p);
                    if pack_a {
                        // SAFETY: the buffer has room for `DEPTH` vectors of A; the source lies in A.
                        unsafe { pack(a, rows, depth, a_packed, LANES) };
                        a = Matrix { start: a_packed, ..STRIP };
                    }
                    for s in (0..width).step_by(COLUMNS) {
                        let mut b = b.from(p, j + s);
                        if pack_b {
                            b = Matrix { start: b_packed.wrapping_add(s * room), ..PANEL };
                        }
                        let (c, columns) = (c.from(i, j + s), COLUMNS.min(width - s));
                        let tile = Tile { depth, packed: pack_a, a, b, c, accumulate: accumulate || p > 0 };
                        // SAFETY: the tile lies in C, and the rows of B are contiguous, packed or not.
                        unsafe {
                            if c.columns == 1 {
                                tile.add(rows, columns);
                            } else {
                                tile.add_transposed(rows, columns);
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
                    let mask = first(LANES.min(k - p));
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

/// Copies `lanes` rows of `from`, `depth` long, so that they lie beside each other: element `(lane, p)` goes to
/// `to[p * stride + lane]`. There must be room for `depth` vectors, rounded up to a multiple of `LANES`; what is written
/// besides the elements is of no account.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn pack(from: Matrix, lanes: usize, depth: usize, to: *mut f32, stride: usize) {
    if from.rows == 1 {
        for p in 0..depth {
            // SAFETY: the lanes of a column are contiguous, and a masked load touches no others.
            unsafe {
                let column = _mm512_maskz_loadu_ps(first(lanes), from.at(0, p));
                _mm512_storeu_ps(to.add(p * stride), column);
            }
        }
    } else if from.columns == 1 {
        for p in (0..depth).step_by(LANES) {
            let mask = first(LANES.min(depth - p));
            let mut square = [_mm512_setzero_ps(); LANES];
            for (lane, row) in square.iter_mut().enumerate() {
                // SAFETY: the elements of a row are contiguous, and a masked load touches no others.
                *row = unsafe { _mm512_maskz_loadu_ps(mask, from.at(lane.min(lanes - 1), p)) };
            }
            for (q, column) in transpose(square).into_iter().enumerate() {
                // SAFETY: the caller made room for whole squares.
                unsafe { _mm512_storeu_ps(to.add((p + q) * stride), column) };
            }
        }
    } else {
        for p in 0..depth {
            for lane in 0..lanes {
                // SAFETY: the element exists, and the caller made room.
                unsafe { *to.add(p * stride + lane) = *from.at(lane, p) };
            }
        }
    }
}

/// The mask of the first lanes.
fn first(lanes: usize) -> __mmask16 {
    u16::MAX >> (LANES - lanes)
}

/// Transposes a square of 16 rows: pairs of elements, then pairs of pairs, then the four quarters of the registers.
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(rows: [__m512; LANES]) -> [__m512; LANES] {
    let mut pairs = rows;
    for i in (0..LANES).step_by(2) {
        pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    let mut fours = pairs;
    for i in (0..LANES).step_by(4) {
        for half in 0..2 {
            let (x, y) = (_mm512_castps_pd(pairs[i + half]), _mm512_castps_pd(pairs[i + half + 2]));
            fours[i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(x, y));
            fours[i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(x, y));
        }
    }
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let mut columns = fours;
    for i in 0..4 {
        let [a, b, c, d] = [fours[i], fours[4 + i], fours[8 + i], fours[12 + i]];
        let even = (_mm512_shuffle_f32x4::<EVEN>(a, b), _mm512_shuffle_f32x4::<EVEN>(c, d));
        let odd = (_mm512_shuffle_f32x4::<ODD>(a, b), _mm512_shuffle_f32x4::<ODD>(c, d));
        columns[i] = _mm512_shuffle_f32x4::<EVEN>(even.0, even.1);
        columns[8 + i] = _mm512_shuffle_f32x4::<ODD>(even.0, even.1);
        columns[4 + i] = _mm512_shuffle_f32x4::<EVEN>(odd.0, odd.1);
        columns[12 + i] = _mm512_shuffle_f32x4::<ODD>(odd.0, odd.1);
    }
    columns
}

/// A part of C that fits the registers, and the operands that belong to it.
#[derive(Clone, Copy)]
struct Tile {
    depth: usize,
    /// Whether A and B are a packed strip and a packed panel: the loop takes fewer instructions where it knows.
    packed: bool,
    a: Matrix,
    /// With contiguous rows.
    b: Matrix,
    c: Matrix,
    accumulate: bool,
}

impl Tile {
    /// Picks the loop that was compiled for this number of rows and vectors.
    #[target_feature(enable = "avx512f")]
    unsafe fn add(self, rows: usize, columns: usize) {
        macro_rules! pick {
            ($($rows:literal)*) => {
                match (rows, columns > LANES, self.packed) {
                    $(
                        // SAFETY: the caller's.
                        ($rows, false, false) => unsafe { self.run::<$rows, 1, false>(first(columns)) },
                        // SAFETY: the caller's.
                        ($rows, false, true) => unsafe { self.run::<$rows, 1, true>(first(columns)) },
                        // SAFETY: the caller's.
                        ($rows, true, false) => unsafe { self.run::<$rows, 2, false>(first(columns - LANES)) },
                        // SAFETY: the caller's.
                        ($rows, true, true) => unsafe { self.run::<$rows, 2, true>(first(columns - LANES)) },
                    )*
                    _ => unreachable!("a tile has 1 to {ROWS} rows"),
                }
            };
        }
        pick!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    /// `C ← A B` or `C ← C + A B`; `mask` tells the columns of the last vector that exist.
    #[target_feature(enable = "avx512f")]
    unsafe fn run<const R: usize, const V: usize, const PACKED: bool>(self, mask: __mmask16) {
        let (a, b) = if PACKED {
            (Matrix { start: self.a.start, ..STRIP }, Matrix { start: self.b.start, ..PANEL })
        } else {
            (self.a, self.b)
        };
        let mask = |v: usize| if v + 1 == V { mask } else { __mmask16::MAX };
        for r in 0..R {
            _mm_prefetch::<_MM_HINT_T0>(self.c.at(r, 0).cast());
            _mm_prefetch::<_MM_HINT_T0>(self.c.at(r, 0).wrapping_add(LANES).cast());
        }
        let mut sums = [[_mm512_setzero_ps(); V]; R];
        for p in 0..self.depth {
            let mut row = [_mm512_setzero_ps(); V];
            for (v, row) in row.iter_mut().enumerate() {
                let mask = if PACKED { __mmask16::MAX } else { mask(v) };
                // SAFETY: B has these elements; the others are masked.
                *row = unsafe { _mm512_maskz_loadu_ps(mask, b.at(p, 0).add(v * LANES)) };
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: A has this element.
                let a = _mm512_set1_ps(unsafe { *a.at(r, p) });
                for (sum, &b) in sums.iter_mut().zip(&row) {
                    *sum = _mm512_fmadd_ps(a, b, *sum);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, &sum) in sums.iter().enumerate() {
                // SAFETY: C has these elements; the others are masked.
                unsafe { add(sum, mask(v), self.c.at(r, 0).add(v * LANES), self.accumulate) };
            }
        }
    }

    /// [`Tile::add`] where it is the columns of C that are contiguous: the tile is computed beside it, then transposed.
    #[target_feature(enable = "avx512f")]
    unsafe fn add_transposed(self, rows: usize, columns: usize) {
        for q in 0..columns {
            _mm_prefetch::<_MM_HINT_T0>(self.c.at(0, q).cast());
        }
        let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
        let beside = Matrix { start: sums.as_mut_ptr().cast(), rows: COLUMNS as isize, columns: 1 };
        // SAFETY: the caller's; there is room for a whole tile.
        unsafe { Self { c: beside, accumulate: false, ..self }.add(rows, columns) };
        for (v, from) in (0..columns).step_by(LANES).enumerate() {
            let square = array::from_fn(|r| sums[r.min(ROWS - 1)][v]);
            for (q, &column) in (from..columns).zip(&transpose(square)) {
                // SAFETY: C has these elements; the others are masked.
                unsafe { add(column, first(rows), self.c.at(0, q), self.accumulate) };
            }
        }
    }
}

/// `C ← sum` or `C ← C + sum`, for the elements of a vector that `mask` tells.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn add(sum: __m512, mask: __mmask16, c: *mut f32, accumulate: bool) {
    // SAFETY: the caller's C has these elements; the others are masked.
    unsafe {
        let old = if accumulate { _mm512_maskz_loadu_ps(mask, c) } else { _mm512_setzero_ps() };
        _mm512_mask_storeu_ps(c, mask, _mm512_add_ps(old, sum));
    }
}
