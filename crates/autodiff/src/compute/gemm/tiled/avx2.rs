//! The vector of AVX2 with FMA: 16 registers of 8 lanes.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::vector::{MOST_LANES, Vector};

pub(super) type Avx2 = __m256;

impl Vector for Avx2 {
    const LANES: usize = 8;
    /// 12 of the 16 registers hold sums.
    const ROWS: usize = 6;
    type Mask = __m256i;

    fn exists() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn compiled<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn mask(lanes: usize) -> __m256i {
        _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn zero() -> Self {
        _mm256_setzero_ps()
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn splat(x: f32) -> Self {
        _mm256_set1_ps(x)
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller has 8 elements there.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn load_part(from: *const f32, mask: __m256i) -> Self {
        // SAFETY: the caller has the elements of the mask there, and no others are touched.
        unsafe { _mm256_maskload_ps(from, mask) }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller has room for 8 elements there.
        unsafe { _mm256_storeu_ps(to, self) }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn store_part(self, to: *mut f32, mask: __m256i) {
        // SAFETY: the caller has room for the elements of the mask there, and no others are touched.
        unsafe { _mm256_maskstore_ps(to, mask, self) }
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn add(self, other: Self) -> Self {
        _mm256_add_ps(self, other)
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn plus_product(self, a: Self, b: Self) -> Self {
        _mm256_fmadd_ps(a, b, self)
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn every_other(self, other: Self) -> Self {
        const EVEN: i32 = 0b10_00_10_00;
        const MIDDLE_SWAPPED: i32 = 0b11_01_10_00;
        let pairs = _mm256_castps_pd(_mm256_shuffle_ps::<EVEN>(self, other));
        _mm256_castpd_ps(_mm256_permute4x64_pd::<MIDDLE_SWAPPED>(pairs))
    }

    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn sum(self) -> f32 {
        let fours = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
        let twos = _mm_add_ps(fours, _mm_movehl_ps(fours, fours));
        _mm_cvtss_f32(_mm_add_ss(twos, _mm_movehdup_ps(twos)))
    }

    /// Pairs of elements, then pairs of pairs, then the halves of the registers.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    unsafe fn transpose(rows: [Self; MOST_LANES]) -> [Self; MOST_LANES] {
        let mut pairs = rows;
        for i in (0..Self::LANES).step_by(2) {
            pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        }
        const LOW: i32 = 0b01_00_01_00;
        const HIGH: i32 = 0b11_10_11_10;
        let mut fours = pairs;
        for i in (0..Self::LANES).step_by(4) {
            for half in 0..2 {
                let (x, y) = (pairs[i + half], pairs[i + half + 2]);
                fours[i + 2 * half] = _mm256_shuffle_ps::<LOW>(x, y);
                fours[i + 2 * half + 1] = _mm256_shuffle_ps::<HIGH>(x, y);
            }
        }
        let mut columns = fours;
        for i in 0..4 {
            columns[i] = _mm256_permute2f128_ps::<0x20>(fours[i], fours[4 + i]);
            columns[4 + i] = _mm256_permute2f128_ps::<0x31>(fours[i], fours[4 + i]);
        }
        columns
    }
}
