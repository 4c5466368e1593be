//! Loops compiled for several instruction sets, of which the CPU's best is used unless another one is chosen.
#![allow(unsafe_code)]

use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

/// What this crate is compiled for, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InstructionSet {
    /// What every CPU of the target has.
    Portable = 1,
    /// AVX2.
    Avx2 = 2,
    /// AVX-512, its parts F and DQ.
    Avx512 = 3,
}

/// 0 before the first use.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl InstructionSet {
    /// The best that this CPU has.
    pub fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// What `WENGERT_ISA` asks for: `avx512`, `avx2` or `portable`; else the best.
    fn from_environment() -> Self {
        let Ok(name) = env::var("WENGERT_ISA") else { return Self::best() };
        match &*name {
            "avx512" => Self::Avx512,
            "avx2" => Self::Avx2,
            "portable" => Self::Portable,
            _ => panic!("WENGERT_ISA is `{name}`: known are `avx512`, `avx2` and `portable`"),
        }
    }
}

/// The instruction set in use: the CPU's best, or what the environment variable `WENGERT_ISA` (`avx512`, `avx2`,
/// `portable`) or [`set_instruction_set`] has chosen.
///
/// # Panics
///
/// At the first use, if the variable says something else, or what this CPU lacks.
#[inline]
pub fn instruction_set() -> InstructionSet {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => InstructionSet::Portable,
        2 => InstructionSet::Avx2,
        3 => InstructionSet::Avx512,
        _ => first_choice(),
    }
}

#[cold]
fn first_choice() -> InstructionSet {
    let set = InstructionSet::from_environment();
    set_instruction_set(set);
    set
}

/// Has everything computed by this instruction set from now on: to test or to measure one path on a CPU that has
/// several. Sums and functions of elements have the same bits with each; matrix products have not, unless they are
/// [reproducible](crate::compute::set_reproducible).
///
/// # Panics
///
/// If this CPU lacks it.
#[track_caller]
pub fn set_instruction_set(set: InstructionSet) {
    let best = InstructionSet::best();
    assert!(set <= best, "this CPU has no more than {best:?}, not {set:?}");
    CHOSEN.store(set as u8, Ordering::Relaxed);
}

/// Runs `f`, compiled for the widest vectors of the [instruction set](instruction_set) in use.
///
/// The compiler turns the loops that are inlined into `f` into vector instructions by itself. Nothing else changes: no
/// sum is reordered and no product fused with a sum, so that the result has the same bits on every CPU. Write
/// `#[inline(always)]` before a closure that is longer than a line or two.
///
/// ```
/// let (mut y, x) = (vec![1.0; 1000], vec![2.0; 1000]);
/// wengert_autodiff::vectorized(#[inline(always)] || y.iter_mut().zip(&x).for_each(|(y, &x)| *y += 0.5 * x));
/// assert_eq!(y, [2.0; 1000]);
/// ```
#[inline]
pub fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    match instruction_set() {
        // SAFETY: the CPU was asked.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => unsafe { avx512(f) },
        // SAFETY: the same.
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => unsafe { avx2(f) },
        _ => f(),
    }
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
