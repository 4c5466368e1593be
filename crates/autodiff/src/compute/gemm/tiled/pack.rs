//! Packing: elements that a tile needs one after the other are put beside each other.
#![allow(unsafe_code)]

use super::matrix::Matrix;
use super::vector::{MOST_LANES, Vector};
use crate::compute::inlined;

/// Copies the first `depth` rows and `width` columns of B into panels of `VECTORS` vectors, each `panel_len` elements
/// from the one before: row after row.
///
/// # Safety
///
/// As [`pack`], for each panel.
pub(super) unsafe fn pack_panels<V: Vector>(
    b: Matrix,
    depth: usize,
    width: usize,
    to: *mut f32,
    panel_len: usize,
) {
    let nr = V::COLUMNS;
    for j in (0..width).step_by(V::LANES) {
        let to = to.wrapping_add(j / nr * panel_len + j % nr);
        // SAFETY: the caller's.
        unsafe { pack::<V>(b.part(0, j).transposed(), V::LANES.min(width - j), depth, to, nr) };
    }
}

/// Copies `lanes` rows of `from`, `depth` long, so that they lie beside each other: element `(lane, p)` goes to
/// `to[p * stride + lane]`. What is written besides the elements does not matter.
///
/// # Safety
///
/// The CPU has the vector, the elements exist, and there is room for `depth` vectors, rounded up to a multiple of their
/// lanes.
pub(super) unsafe fn pack<V: Vector>(from: Matrix, lanes: usize, depth: usize, to: *mut f32, stride: usize) {
    // SAFETY: the caller's.
    unsafe {
        match from.strides() {
            [1, _] => V::compiled(inlined!(|| columns::<1, V>(from, lanes, depth, to, stride))),
            [_, 1] => V::compiled(inlined!(|| rows::<1, V>(from, lanes, depth, to, stride))),
            [2, _] => V::compiled(inlined!(|| columns::<2, V>(from, lanes, depth, to, stride))),
            [_, 2] => V::compiled(inlined!(|| rows::<2, V>(from, lanes, depth, to, stride))),
            _ => elements(from, lanes, depth, to, stride),
        }
    }
}

/// Where the lanes of a column are `STEP` elements apart.
#[inline(always)]
unsafe fn columns<const STEP: usize, V: Vector>(
    from: Matrix,
    lanes: usize,
    depth: usize,
    to: *mut f32,
    stride: usize,
) {
    for p in 0..depth {
        // SAFETY: the caller has the vector, the elements, and room for a vector.
        unsafe { load::<STEP, V>(from.at(0, p), lanes).store(to.add(p * stride)) };
    }
}

/// Where the elements of a row are `STEP` elements apart: squares are transposed.
#[inline(always)]
unsafe fn rows<const STEP: usize, V: Vector>(
    from: Matrix,
    lanes: usize,
    depth: usize,
    to: *mut f32,
    stride: usize,
) {
    for p in (0..depth).step_by(V::LANES) {
        let there = V::LANES.min(depth - p);
        // SAFETY: the caller has the vector, the elements, and room for whole squares.
        unsafe {
            let mut square = [V::zero(); MOST_LANES];
            for (lane, row) in square.iter_mut().enumerate().take(V::LANES) {
                *row = load::<STEP, V>(from.at(lane.min(lanes - 1), p), there);
            }
            for (q, column) in V::transpose(square).into_iter().enumerate().take(V::LANES) {
                column.store(to.add((p + q) * stride));
            }
        }
    }
}

/// The first elements of a vector, 1 or 2 apart in memory. (The parts of dual numbers are 2 apart.)
#[inline(always)]
unsafe fn load<const STEP: usize, V: Vector>(from: *const f32, lanes: usize) -> V {
    // SAFETY: the caller has the vector, and these elements; nothing behind the last is touched.
    unsafe {
        if STEP == 1 {
            return V::load_part(from, V::mask(lanes));
        }
        let span = 2 * lanes - 1;
        let first = span.min(V::LANES);
        let rest = V::load_part(from.wrapping_add(V::LANES), V::mask(span - first));
        V::load_part(from, V::mask(first)).every_other(rest)
    }
}

/// With any strides.
unsafe fn elements(from: Matrix, lanes: usize, depth: usize, to: *mut f32, stride: usize) {
    for p in 0..depth {
        for lane in 0..lanes {
            // SAFETY: the element exists, and the caller made room.
            unsafe { *to.add(p * stride + lane) = *from.at(lane, p) };
        }
    }
}
