//! What the kernel asks of a vector.

/// The most lanes that a vector has: a square is this many vectors, whatever the vector.
pub(super) const MOST_LANES: usize = 16;
/// Vectors in a row of a tile.
pub(super) const VECTORS: usize = 2;

/// Some `f32` side by side in a register. The kernel is written once over this trait, and compiled for each vector.
///
/// # Safety
///
/// Everything but [`exists`](Self::exists) needs a CPU on which that is true. The loops that use a vector are inlined
/// into a closure for [`compiled`](Self::compiled): elsewhere they would be right, but a call for each instruction.
pub(super) trait Vector: Copy {
    /// Elements of the vector: a power of two, up to [`MOST_LANES`].
    const LANES: usize;
    /// Rows of a tile, no more than there are lanes. With [`VECTORS`] vectors in a row its sums fill the registers, up
    /// to those for a row of B and for an element of A.
    const ROWS: usize;
    /// Columns of a tile.
    const COLUMNS: usize = VECTORS * Self::LANES;
    /// Which lanes there are: the first ones.
    type Mask: Copy;

    /// Whether this CPU has it.
    fn exists() -> bool;

    /// Runs `f`, compiled for the instructions of this vector.
    unsafe fn compiled<R>(f: impl FnOnce() -> R) -> R;

    /// The mask of the first lanes.
    unsafe fn mask(lanes: usize) -> Self::Mask;

    unsafe fn zero() -> Self;

    /// This number in every lane.
    unsafe fn splat(x: f32) -> Self;

    unsafe fn load(from: *const f32) -> Self;

    /// Zero in the lanes that there are not; nothing is read for them, not even where that would be a fault.
    unsafe fn load_part(from: *const f32, mask: Self::Mask) -> Self;

    unsafe fn store(self, to: *mut f32);

    /// Writes nothing for the lanes that there are not, not even where that would be a fault.
    unsafe fn store_part(self, to: *mut f32, mask: Self::Mask);

    unsafe fn add(self, other: Self) -> Self;

    /// `self + a b`, rounded once.
    unsafe fn plus_product(self, a: Self, b: Self) -> Self;

    /// The lanes 0, 2, 4 … of `self`, then those of `other`.
    unsafe fn every_other(self, other: Self) -> Self;

    /// The sum of the lanes, in pairs.
    unsafe fn sum(self) -> f32;

    /// The first [`LANES`](Self::LANES) vectors, transposed; the others do not matter.
    unsafe fn transpose(square: [Self; MOST_LANES]) -> [Self; MOST_LANES];
}
