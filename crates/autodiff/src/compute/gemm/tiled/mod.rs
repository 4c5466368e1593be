//! The product for CPUs with vectors and fused multiply-add, in the blocking of Goto and van de Geijn ("Anatomy of
//! High-Performance Matrix Multiplication", ACM TOMS 34, 2008): a tile of C stays in registers while rows of B stream
//! past it, multiplied by elements of A. With few rows or columns an operand is read where it lies, if it can be;
//! otherwise both are packed. It is written once, over a [vector](vector), and compiled for AVX-512 and for AVX2.
//!
//! Sizes and loops bear the letters of BLIS (Van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating
//! BLAS Functionality", ACM TOMS 41, 2015): `mr` × `nr` is a tile, `kc` × `nc` the block of B that its caches hold;
//! `pc` and `jc` go over the blocks of `k` and `n`, `ir` and `jr` over the tiles of a block.
//!
//! Each element of C is summed over `k` in one order, in blocks that depend on `k` only. So its bits depend neither on
//! the vector nor on the caches, nor on how C is divided among threads, nor on how many other rows there are. The
//! exception is products [of few rows](is_small_m): they are summed in another order, also the same for each vector.

#![allow(unsafe_code)]

mod avx2;
mod avx512;
mod cache;
mod matrix;
mod pack;
mod plan;
mod tile;
mod vector;

use std::cell::Cell;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Gemm;
use crate::compute::{InstructionSet, inlined, instruction_set};
use avx2::Avx2;
use avx512::Avx512;
use matrix::Matrix;
use pack::{pack, pack_panels};
use plan::{Packing, Plan, SMALL_M, Shape, Sizes};
use tile::{Packed, Strided, Tile};
use vector::{MOST_LANES, Vector};

/// A line of the cache; vectors of packed operands do not cross from one to the next.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read through pointers")] [f32; Line::LEN]);

impl Line {
    const LEN: usize = 16;
    const ZERO: Self = Self([0.0; Self::LEN]);
}

thread_local! {
    /// A tile, the packed panel of A and the packed block of B, kept from product to product.
    static PACKED: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// What lies where in the buffer.
#[derive(Clone, Copy)]
struct Places {
    /// A tile, for a C whose rows are not contiguous.
    beside: Matrix,
    a_panel: *mut f32,
    b_panels: *mut f32,
    /// The elements from one panel of B to the next.
    panel_len: usize,
}

impl Places {
    /// Makes room in `buffer`: for panels `kc` deep of A and of so many columns of B, unless nothing is packed.
    fn within<V: Vector>(buffer: &mut Vec<Line>, kc: usize, columns: Option<usize>) -> Self {
        let nr = V::COLUMNS;
        let whole = kc.next_multiple_of(V::LANES);
        let (tile_len, a_len, panel_len) = (V::ROWS * nr, whole * V::LANES, whole * nr);
        let packed_len = columns.map_or(0, |columns| a_len + columns.div_ceil(nr) * panel_len);
        let lines = (tile_len + packed_len).div_ceil(Line::LEN);
        if buffer.len() < lines {
            buffer.resize(lines, Line::ZERO);
        }
        let start = buffer.as_mut_ptr().cast::<f32>();
        let a_panel = start.wrapping_add(tile_len);
        Self {
            beside: Matrix::new(start, [nr as isize, 1]),
            a_panel,
            b_panels: a_panel.wrapping_add(a_len),
            panel_len,
        }
    }
}

/// The product on one thread. Whether A [has few rows](is_small_m) is for the whole product to say: its pieces must
/// agree, because the bits depend on it.
pub(super) type Kernel = fn(small_m: bool, piece: Gemm<'_, f32>);

/// The kernel of the instruction set in use, if there is one for this product.
pub(super) fn kernel(product: &Gemm<'_, f32>) -> Option<Kernel> {
    let Gemm { alpha, a, beta, .. } = product;
    let simple = *alpha == 1.0 && (*beta == 0.0 || *beta == 1.0) && a.ncols() > 0;
    if simple { of(instruction_set()) } else { None }
}

/// The kernel of an instruction set. (There may be CPUs that have AVX2 without FMA.)
pub(super) fn of(set: InstructionSet) -> Option<Kernel> {
    match set {
        InstructionSet::Avx512 if Avx512::exists() => Some(sgemm::<Avx512>),
        InstructionSet::Avx2 if Avx2::exists() => Some(sgemm::<Avx2>),
        _ => None,
    }
}

/// Whether dot products are the better way: A has few rows and both operands are contiguous along `k`.
pub(super) fn is_small_m(product: &Gemm<'_, f32>) -> bool {
    let Gemm { a, b, .. } = product;
    a.nrows() <= SMALL_M && a.strides()[1] == 1 && b.strides()[0] == 1
}

/// The panels of `b` for an instruction set, if there is a kernel for it and `b` has elements.
pub(super) fn panels(set: InstructionSet, b: ArrayView2<'_, f32>) -> Option<Panels> {
    match set {
        _ if b.is_empty() => None,
        InstructionSet::Avx512 if Avx512::exists() => Some(Panels::new::<Avx512>(b)),
        InstructionSet::Avx2 if Avx2::exists() => Some(Panels::new::<Avx2>(b)),
        _ => None,
    }
}

/// A matrix B of which every block is packed. Block follows block as the loops of a product take them.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    lines: Vec<Line>,
    dim: (usize, usize),
    kc: usize,
    columns: usize,
    multiply: fn(&Self, ArrayView2<'_, f32>, ArrayViewMut2<'_, f32>),
}

impl Panels {
    fn new<V: Vector>(b: ArrayView2<'_, f32>) -> Self {
        assert!(V::exists());
        let (k, n) = b.dim();
        let kc = plan::block_of(k);
        let panel_len = kc.next_multiple_of(V::LANES) * V::COLUMNS;
        let len = k.div_ceil(kc) * n.div_ceil(V::COLUMNS) * panel_len;
        let lines = vec![Line::ZERO; len.div_ceil(Line::LEN)];
        let mut panels =
            Self { lines, dim: (k, n), kc, columns: V::COLUMNS, multiply: Self::add_product_by::<V> };
        let start = panels.lines.as_mut_ptr().cast::<f32>();
        let from = Matrix::from_view(&b);
        for pc in (0..k).step_by(kc) {
            let to = start.wrapping_add(panels.offset(pc, 0, panel_len));
            // SAFETY: the source lies in B, and there is room for its panels; the CPU was asked.
            unsafe { pack_panels::<V>(from.part(pc, 0), kc.min(k - pc), n, to, panel_len) };
        }
        panels
    }

    /// Where the panels start that hold B from this row and column on, which are the first of a block.
    fn block(&self, pc: usize, jc: usize, panel_len: usize) -> *mut f32 {
        let start = self.lines.as_ptr().cast::<f32>();
        start.wrapping_add(self.offset(pc, jc, panel_len)).cast_mut()
    }

    fn offset(&self, pc: usize, jc: usize, panel_len: usize) -> usize {
        (pc / self.kc * self.dim.1.div_ceil(self.columns) + jc / self.columns) * panel_len
    }

    /// `C ← C + A B`.
    pub(super) fn add_product(&self, a: ArrayView2<'_, f32>, c: ArrayViewMut2<'_, f32>) {
        (self.multiply)(self, a, c);
    }

    fn add_product_by<V: Vector>(&self, a: ArrayView2<'_, f32>, mut c: ArrayViewMut2<'_, f32>) {
        let (m, (k, n)) = (a.nrows(), self.dim);
        assert!(V::exists() && (a.ncols(), c.dim()) == (k, (m, n)));
        let (a, c) = (Matrix::from_view(&a), Matrix::from_view_mut(&mut c));
        let sizes = Sizes::new::<V>(cache::second_level());
        let packing = if m > sizes.few() { Packing::Both } else { Packing::B };
        // B is read as panels only.
        let product = Product { m, k, n, a, b: a, c, accumulate: true };
        // SAFETY: as in `sgemm`; the panels hold all of B for this vector.
        unsafe { product.tiles::<V>(sizes, self.kc, packing, Some(self)) };
    }
}

fn sgemm<V: Vector>(small_m: bool, mut piece: Gemm<'_, f32>) {
    assert!(V::exists() && (!small_m || is_small_m(&piece)));
    let ((m, k), n) = (piece.a.dim(), piece.b.ncols());
    assert_eq!((k, piece.c.dim()), (piece.b.nrows(), (m, n)));
    let product = Product {
        m,
        k,
        n,
        a: Matrix::from_view(&piece.a),
        b: Matrix::from_view(&piece.b),
        c: Matrix::from_view_mut(&mut piece.c),
        accumulate: piece.beta == 1.0,
    };
    let [a, b, c] = [product.a, product.b, product.c].map(Matrix::strides);
    let shape = Shape { m, k, n, a, b, c };
    let sizes = Sizes::new::<V>(cache::second_level());
    // SAFETY: pointers, extents and strides come from live ndarray views, whose invariant is that every index within
    // the extents is in bounds; C is a unique borrow and cannot overlap A or B; the CPU was asked.
    unsafe {
        match Plan::new(small_m, shape, sizes) {
            Plan::Dots => V::compiled(inlined!(|| product.dots::<V>())),
            Plan::Tiles { transposed: false, kc, packing } => product.tiles::<V>(sizes, kc, packing, None),
            Plan::Tiles { transposed: true, kc, packing } => {
                product.transposed().tiles::<V>(sizes, kc, packing, None)
            }
        }
    }
}

/// `C ← A B`, or `C ← C + A B` where `accumulate`, for `A: [m, k]`, `B: [k, n]` with `k > 0`.
///
/// # Safety
///
/// Its loops need a CPU that has the vector; every element of the three matrices may be read and those of C written,
/// and C overlaps no other.
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

    /// Block by block of B, which may have been [packed](Panels) before.
    unsafe fn tiles<V: Vector>(self, sizes: Sizes, kc: usize, packing: Packing, panels: Option<&Panels>) {
        let Self { k, n, b, .. } = self;
        let mut buffer = PACKED.take();
        let packed_columns = match packing {
            Packing::Neither => None,
            _ if panels.is_some() => Some(0),
            _ => Some(sizes.nc.min(n)),
        };
        let places = Places::within::<V>(&mut buffer, kc, packed_columns);
        for pc in (0..k).step_by(kc) {
            let depth = kc.min(k - pc);
            for jc in (0..n).step_by(sizes.nc) {
                let width = sizes.nc.min(n - jc);
                let mut places = places;
                if let Some(panels) = panels {
                    places.b_panels = panels.block(pc, jc, places.panel_len);
                } else if packing != Packing::Neither {
                    // SAFETY: the buffer has room for the panels of a block; the source lies in B.
                    unsafe {
                        pack_panels::<V>(b.part(pc, jc), depth, width, places.b_panels, places.panel_len)
                    };
                }
                // SAFETY: the block lies in the product, and its part of B has been packed.
                unsafe { self.block::<V>([pc, jc], [depth, width], packing, places) };
            }
        }
        PACKED.set(buffer);
    }

    /// Tile by tile of what a block of B goes into.
    unsafe fn block<V: Vector>(
        self,
        [pc, jc]: [usize; 2],
        [depth, width]: [usize; 2],
        packing: Packing,
        Places { beside, a_panel, b_panels, panel_len }: Places,
    ) {
        let Self { m, a, b, c, .. } = self;
        let (direct, accumulate) = (c.column_stride == 1, self.accumulate || pc > 0);
        for ir in (0..m).step_by(V::ROWS) {
            let (a, rows) = (a.part(ir, pc), V::ROWS.min(m - ir));
            if packing == Packing::Both {
                // SAFETY: the buffer has room for a panel of A; the source lies in A.
                unsafe { pack::<V>(a, rows, depth, a_panel, V::LANES) };
            }
            for jr in (0..width).step_by(V::COLUMNS) {
                let b_panel = b_panels.wrapping_add(jr / V::COLUMNS * panel_len);
                let (c, columns) = (c.part(ir, jc + jr), V::COLUMNS.min(width - jr));
                let tile = if direct {
                    Tile { depth, rows, columns, c, accumulate }
                } else {
                    Tile { depth, rows, columns, c: beside, accumulate: false }
                };
                // SAFETY: the tile lies in C, or there is room for it beside; the rows of B are contiguous, packed or
                // not.
                unsafe {
                    if !direct {
                        tile.prefetch(c);
                    }
                    match packing {
                        Packing::Neither => tile.update::<V, _>(Strided { a, b: b.part(pc, jc + jr) }),
                        Packing::B => tile.update::<V, _>(Strided::with_panel::<V>(a, b_panel)),
                        Packing::Both => tile.update::<V, _>(Packed { a: a_panel, b: b_panel }),
                    }
                    if !direct {
                        tile.move_to::<V>(c, accumulate);
                    }
                }
            }
        }
    }

    /// Element by element, without packing: each is a dot product, summed in `MOST_LANES` lanes, whatever the vector,
    /// that are added up in the end.
    #[inline(always)]
    unsafe fn dots<V: Vector>(self) {
        let Self { m, k, n, a, b, c, accumulate } = self;
        // Columns are taken side by side, so that their sums need not wait for each other.
        let (parts, side) = (MOST_LANES / V::LANES, V::LANES / 2);
        let whole = k - k % MOST_LANES;
        for j in (0..n).step_by(side) {
            // A column that does not exist repeats the last.
            let column = |q: usize| (j + q).min(n - 1);
            for i in 0..m {
                // SAFETY: the elements exist, and are contiguous along `k`; the others are masked.
                unsafe {
                    let mut sums = [[V::zero(); 2]; MOST_LANES / 2];
                    for p in (0..whole).step_by(MOST_LANES) {
                        for part in 0..parts {
                            let p = p + part * V::LANES;
                            let x = V::load(a.at(i, p));
                            for (q, sums) in sums.iter_mut().enumerate().take(side) {
                                sums[part] = sums[part].plus_product(x, V::load(b.at(p, column(q))));
                            }
                        }
                    }
                    for part in 0..parts {
                        let p = whole + part * V::LANES;
                        let mask = V::mask(k.saturating_sub(p).min(V::LANES));
                        let x = V::load_part(a.at(i, p), mask);
                        for (q, sums) in sums.iter_mut().enumerate().take(side) {
                            sums[part] = sums[part].plus_product(x, V::load_part(b.at(p, column(q)), mask));
                        }
                    }
                    for (q, &[sum, other]) in sums.iter().enumerate().take(side.min(n - j)) {
                        let c = c.at(i, j + q);
                        *c = sum.add(other).sum() + if accumulate { *c } else { 0.0 };
                    }
                }
            }
        }
    }
}
