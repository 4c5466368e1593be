//! Loops compiled for several instruction sets, of which the CPU's best is chosen at run time.
#![allow(unsafe_code)]

/// Runs `f`, compiled for the widest vectors that this CPU has.
///
/// The compiler turns the loops that are inlined into `f` into vector instructions by itself. Nothing else changes: no sum
/// is reordered and no product fused with a sum, so that the result has the same bits on every CPU. Write
/// `#[inline(always)]` before a closure that is longer than a line or two.
///
/// ```
/// let (mut y, x) = (vec![1.0; 1000], vec![2.0; 1000]);
/// wengert_autodiff::vectorized(#[inline(always)] || y.iter_mut().zip(&x).for_each(|(y, &x)| *y += 0.5 * x));
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

/// A closure that the compiler must inline. Left to its own estimate, it leaves one that computes much out of the loop,
/// which then calls it for each element and is not vectorised.
macro_rules! inlined {
    ($closure:expr) => {{
        #[inline(always)]
        $closure
    }};
}
pub(crate) use inlined;

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// A loop of the kind that the rules have: products, sums, a root, a quotient, a choice.
    #[inline]
    fn update(p: &mut [f32], g: &[f32], v: &mut [f32]) {
        for ((p, &g), v) in p.iter_mut().zip(g).zip(v) {
            *v = 0.99 * *v + 0.01 * (g * g);
            let u = g / (v.sqrt() + 1e-8);
            *p -= if u > 0.5 { 0.5 } else { u };
        }
    }

    type Tensors<'a> = (&'a mut [f32], &'a [f32], &'a mut [f32]);

    fn run(with: impl Fn(Tensors<'_>)) -> Vec<u32> {
        let g: Vec<f32> = (0..1003).map(|i| (i * 7919 % 1009) as f32 / 100.0 - 5.0).collect();
        let (mut p, mut v) = (vec![0.5; g.len()], vec![0.0; g.len()]);
        for _ in 0..10 {
            with((&mut p, &g, &mut v));
        }
        p.iter().chain(&v).map(|x| x.to_bits()).collect()
    }

    #[test]
    fn all_instruction_sets_give_the_same_bits() {
        let plain = run(|(p, g, v)| update(p, g, v));
        assert_eq!(plain, run(|(p, g, v)| vectorized(inlined!(|| update(p, g, v)))));
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU was asked.
            assert_eq!(plain, run(|(p, g, v)| unsafe { avx2(|| update(p, g, v)) }));
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            // SAFETY: the CPU was asked.
            assert_eq!(plain, run(|(p, g, v)| unsafe { avx512(|| update(p, g, v)) }));
        }
    }
}
