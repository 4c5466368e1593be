//! Loops compiled for several instruction sets, of which the CPU's best is chosen at run time.
#![allow(unsafe_code)]

/// Runs `f`, compiled for the widest vectors that this CPU has.
///
/// The compiler turns the loops that are inlined into `f` into vector instructions by itself; nothing else changes: no sum is
/// reordered and no product fused with a sum, so that the result has the same bits on every CPU.
///
/// ```
/// let (mut y, x) = (vec![1.0; 1000], vec![2.0; 1000]);
/// wengert_autodiff::vectorized(|| y.iter_mut().zip(&x).for_each(|(y, &x)| *y += 0.5 * x));
/// assert_eq!(y, [2.0; 1000]);
/// ```
#[inline]
pub fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            // SAFETY: the CPU was asked.
            return unsafe { avx512(f) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU was asked.
            return unsafe { avx2(f) };
        }
    }
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn avx512<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<R>(f: impl FnOnce() -> R) -> R {
    f()
}
