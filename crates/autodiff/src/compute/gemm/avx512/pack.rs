//! Packing: elements that a tile needs one after the other are put beside each other.

use std::arch::x86_64::*;

use super::{LANES, Matrix, NR};

/// Copies the first `depth` rows and `width` columns of B into panels of `NR` columns, each `panel_len` elements from the
/// one before: row after row, `NR` elements each.
///
/// # Safety
///
/// As [`pack`], for each panel.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn pack_panels(b: Matrix, depth: usize, width: usize, to: *mut f32, panel_len: usize) {
    for j in (0..width).step_by(LANES) {
        // SAFETY: the caller's.
        unsafe {
            let to = to.add(j / NR * panel_len + j % NR);
            pack(b.from(0, j).transposed(), LANES.min(width - j), depth, to, NR);
        }
    }
}

/// Copies `lanes` rows of `from`, `depth` long, so that they lie beside each other: element `(lane, p)` goes to
/// `to[p * stride + lane]`. What is written besides the elements does not matter.
///
/// # Safety
///
/// The CPU has AVX-512F, the elements exist, and there is room for `depth` vectors, rounded up to a multiple of `LANES`.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) unsafe fn pack(from: Matrix, lanes: usize, depth: usize, to: *mut f32, stride: usize) {
    if from.row_stride == 1 {
        for p in 0..depth {
            // SAFETY: the lanes of a column are contiguous, and a masked load touches no others.
            unsafe {
                let column = _mm512_maskz_loadu_ps(lane_mask(lanes), from.at(0, p));
                _mm512_storeu_ps(to.add(p * stride), column);
            }
        }
    } else if from.column_stride == 1 {
        for p in (0..depth).step_by(LANES) {
            let mask = lane_mask(LANES.min(depth - p));
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
pub(super) fn lane_mask(lanes: usize) -> __mmask16 {
    u16::MAX >> (LANES - lanes)
}

/// Transposes a square of 16 rows: pairs of elements, then pairs of pairs, then the four quarters of the registers.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn transpose(rows: [__m512; LANES]) -> [__m512; LANES] {
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
