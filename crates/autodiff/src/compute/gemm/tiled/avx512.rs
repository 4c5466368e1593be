//! The vector of AVX-512: 32 registers of 16 lanes.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::vector::{MOST_LANES, Vector};

pub(super) type Avx512 = __m512;

impl Vector for Avx512 {
    const LANES: usize = 16;
    /// 24 of the 32 registers hold sums.
    const ROWS: usize = 12;
    type Mask = __mmask16;

    fn exists() -> bool {
        is_x86_feature_detected!("avx512f")
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn compiled<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn mask(lanes: usize) -> __mmask16 {
        ((1u32 << lanes) - 1) as u16
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn zero() -> Self {
        _mm512_setzero_ps()
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn splat(x: f32) -> Self {
        _mm512_set1_ps(x)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has 16 elements there.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn load_part(from: *const f32, mask: __mmask16) -> Self {
        // SAFETY: the caller has the elements of the mask there, and no others are touched.
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has room for 16 elements there.
        unsafe { _mm512_storeu_ps(to, self) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn store_part(self, to: *mut f32, mask: __mmask16) {
        // SAFETY: the caller has room for the elements of the mask there, and no others are touched.
        unsafe { _mm512_mask_storeu_ps(to, mask, self) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn add(self, other: Self) -> Self {
        _mm512_add_ps(self, other)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn plus_product(self, a: Self, b: Self) -> Self {
        _mm512_fmadd_ps(a, b, self)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn every_other(self, other: Self) -> Self {
        let lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        _mm512_permutex2var_ps(self, lanes, other)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn sum(self) -> f32 {
        _mm512_reduce_add_ps(self)
    }

    /// Pairs of elements, then pairs of pairs, then the four quarters of the registers.
    #[target_feature(enable = "avx512f")]
    #[inline]
    unsafe fn transpose(rows: [Self; MOST_LANES]) -> [Self; MOST_LANES] {
        let mut pairs = rows;
        for i in (0..Self::LANES).step_by(2) {
            pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
        }
        let mut fours = pairs;
        for i in (0..Self::LANES).step_by(4) {
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
}
