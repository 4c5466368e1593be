//! The size of the second-level cache.
#![allow(unsafe_code)]

use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

/// What a CPU that does not say is taken to have, in bytes.
pub(super) const USUAL: usize = 1 << 20;

/// Bytes of the second-level cache of a core, as the CPU reports them.
pub(super) fn second_level() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| reported().filter(|size| PLAUSIBLE.contains(size)).unwrap_or(USUAL))
}

/// A virtual machine may report anything.
const PLAUSIBLE: std::ops::RangeInclusive<usize> = (128 << 10)..=(8 << 20);

/// Intel's and AMD's lists of caches have the same form and different numbers; an unknown list is empty.
fn reported() -> Option<usize> {
    const INTEL: u32 = 4;
    const AMD: u32 = 0x8000_001D;
    let known = |leaf: u32| leaf <= cpuid(leaf & 0x8000_0000, 0)[0];
    let mut lists = [INTEL, AMD].into_iter().filter(|&leaf| known(leaf));
    lists.find_map(|leaf| {
        (0..16).map(|i| cpuid(leaf, i)).take_while(|cache| kind(cache) != 0).find_map(second)
    })
}

/// 0 where the list ends, 1 for data, 2 for instructions, 3 for both.
fn kind([eax, ..]: &[u32; 4]) -> u32 {
    eax & 0x1F
}

/// The size of a cache for data, if it is of the second level.
fn second(cache: [u32; 4]) -> Option<usize> {
    let [eax, ebx, ecx, _] = cache;
    let level = eax >> 5 & 0x7;
    let [line, partitions, ways] =
        [ebx & 0xFFF, ebx >> 12 & 0x3FF, ebx >> 22].map(|less_one| less_one as usize + 1);
    (level == 2 && kind(&cache) != 2).then(|| line * partitions * ways * (ecx as usize + 1))
}

#[allow(unused_unsafe)] // the intrinsic is unsafe in Rust 1.89 and safe in later ones
fn cpuid(leaf: u32, index: u32) -> [u32; 4] {
    // SAFETY: every CPU of x86-64 has the instruction, and it changes nothing.
    let answer = unsafe { __cpuid_count(leaf, index) };
    [answer.eax, answer.ebx, answer.ecx, answer.edx]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ways and sets of lines of 64 bytes, and the sizes, as the makers state them.
    #[test]
    fn sizes_are_those_of_the_data_sheets() {
        let line_63 = |ways: u32| (ways - 1) << 22 | 63;
        for (name, eax, ways, sets, size) in [
            ("Sapphire Rapids", 0x0400_4143, 16, 2048, Some(2 << 20)),
            ("Skylake", 0x1C00_4143, 4, 1024, Some(256 << 10)),
            ("Zen 3", 0x0000_4143, 8, 1024, Some(512 << 10)),
            ("a first level", 0x0400_4121, 12, 64, None),
            ("second, instructions", 0x0400_4142, 8, 1024, None),
        ] {
            assert_eq!(second([eax, line_63(ways), sets - 1, 0]), size, "{name}");
        }
    }

    #[test]
    fn this_cpu_has_one() {
        assert!(PLAUSIBLE.contains(&second_level()), "{}", second_level());
    }
}
