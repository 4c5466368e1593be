//! How a product is computed, as a value: which loop, in which blocks, what is packed. It follows from the extents, the
//! strides, the vector and the cache, and looks at no element.

use super::vector::Vector;

/// The most of `k` that is summed before C is written: a panel of A, `KC` vectors of 16 lanes, is then half of a
/// first-level cache of 48 KB.
///
/// The bits of a product depend on it, so it does not follow the cache: a training can be resumed on a CPU that has the
/// same vectors and other caches. (Some CPUs even have cores of two kinds.)
pub(super) const KC: usize = 400;
/// Rows of A up to which any packing would cost more than the product itself.
pub(super) const SMALL_M: usize = 8;

/// The extents and strides of a product `[m, k] × [k, n]`, strides of rows first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) a: [isize; 2],
    pub(super) b: [isize; 2],
    pub(super) c: [isize; 2],
}

impl Shape {
    /// Of `Cᵀ = Bᵀ Aᵀ`.
    fn transposed(self) -> Self {
        let turned = |[rows, columns]: [isize; 2]| [columns, rows];
        Self { m: self.n, k: self.k, n: self.m, a: turned(self.b), b: turned(self.a), c: turned(self.c) }
    }
}

/// Sizes that follow from the vector and from the second-level cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Rows and columns of a tile.
    pub(super) mr: usize,
    pub(super) nr: usize,
    /// The columns of B that are packed at once: with `KC` rows, at most half of the cache, through which C and the
    /// next rows of A pass, too.
    pub(super) nc: usize,
    /// The elements that the rows of B may span to be read where they lie: those of rows that lie further apart compete
    /// for the same lines of the cache. Half of it.
    near: usize,
}

impl Sizes {
    /// With `cache` bytes.
    pub(super) fn new<V: Vector>(cache: usize) -> Self {
        let half = cache / size_of::<f32>() / 2;
        let (mr, nr) = (V::ROWS, V::COLUMNS);
        Self { mr, nr, nc: (half / KC / nr).max(1) * nr, near: half }
    }

    /// Rows of A, or columns of B, up to which packing would cost more than it brings, so that operands are read where
    /// they lie if they can be.
    pub(super) fn few(self) -> usize {
        2 * self.nr
    }
}

/// Which loop computes a product, and what it packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Dots,
    Tiles {
        /// Whether `Cᵀ = Bᵀ Aᵀ` is computed instead, and the rest is about that product: so that rows of C are
        /// contiguous, if it is the columns that were; and, with few rows of A and B contiguous along `k`, so that the
        /// smaller operand is the one that must be packed.
        transposed: bool,
        /// How much of `k` is summed before C is written: all, or blocks of one size.
        kc: usize,
        packing: Packing,
    },
}

/// Which operands are copied before they are used; A is never copied alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Neither,
    B,
    Both,
}

/// How much of `k` is summed at once: blocks as few and as equal as can be.
pub(super) fn block_of(k: usize) -> usize {
    k.div_ceil(k.div_ceil(KC))
}

impl Plan {
    pub(super) fn new(small_m: bool, shape: Shape, sizes: Sizes) -> Self {
        if small_m {
            return Self::Dots;
        }
        let columns_first = shape.c[0] == 1 && shape.c[1] != 1;
        let shape = if columns_first { shape.transposed() } else { shape };
        let small = shape.m <= sizes.few() && shape.b[0] == 1;
        let Shape { m, k, n, b, .. } = if small { shape.transposed() } else { shape };
        let transposed = columns_first != small;
        let kc = block_of(k);
        let span = kc * b[0].unsigned_abs() + sizes.nr * b[1].unsigned_abs();
        let packing = if m.min(n) > sizes.few() {
            Packing::Both
        } else if b[1] != 1 || m > sizes.mr && span > sizes.near {
            Packing::B
        } else {
            Packing::Neither
        };
        Self::Tiles { transposed, kc, packing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::gemm::tiled::{Avx2, Avx512, cache::USUAL};

    /// Matrices whose rows are contiguous.
    fn rows([m, k, n]: [usize; 3]) -> Shape {
        let lying = |columns: usize| [columns as isize, 1];
        Shape { m, k, n, a: lying(k), b: lying(n), c: lying(n) }
    }

    /// For each vector: its sizes, and how many rows are few.
    fn vectors() -> [(Sizes, usize); 2] {
        [(Sizes::new::<Avx512>(USUAL), 64), (Sizes::new::<Avx2>(USUAL), 32)]
    }

    fn tiles(transposed: bool, kc: usize, packing: Packing) -> Plan {
        Plan::Tiles { transposed, kc, packing }
    }

    #[test]
    fn tiles_fill_the_registers_and_blocks_half_of_the_cache() {
        for (cache, nc) in [(256 << 10, 64), (512 << 10, 160), (1 << 20, 320), (2 << 20, 640)] {
            let sizes = [Sizes::new::<Avx512>(cache), Sizes::new::<Avx2>(cache)];
            for (sizes, mr, nr) in [(sizes[0], 12, 32), (sizes[1], 6, 16)] {
                assert_eq!((sizes.mr, sizes.nr), (mr, nr));
                assert!((nc..nc + 32).contains(&sizes.nc) && sizes.nc % nr == 0, "{} for {cache}", sizes.nc);
                assert!(4 * KC * sizes.nc <= cache / 2);
            }
        }
    }

    #[test]
    fn a_cache_that_is_too_small_still_holds_a_tile() {
        assert_eq!(Sizes::new::<Avx512>(0).nc, 32);
    }

    #[test]
    fn large_products_pack_both_operands() {
        for (sizes, few) in vectors() {
            let shape = rows([few + 1, 256, few + 1]);
            assert_eq!(Plan::new(false, shape, sizes), tiles(false, 256, Packing::Both));
            let turned = Shape { a: [1, few as isize + 1], b: [1, 256], ..shape };
            assert_eq!(Plan::new(false, turned, sizes), tiles(false, 256, Packing::Both));
        }
    }

    #[test]
    fn few_rows_or_columns_are_read_where_they_lie() {
        for (sizes, few) in vectors() {
            for extents in [[few, 256, 256], [512, 256, few]] {
                assert_eq!(Plan::new(false, rows(extents), sizes), tiles(false, 256, Packing::Neither));
            }
        }
    }

    #[test]
    fn rows_far_apart_are_packed_unless_they_are_read_once() {
        for (sizes, few) in vectors() {
            let plan =
                |m| Plan::new(false, Shape { b: [USUAL as isize / 8, 1], ..rows([m, 256, few]) }, sizes);
            assert_eq!(plan(sizes.mr), tiles(false, 256, Packing::Neither));
            assert_eq!(plan(sizes.mr + 1), tiles(false, 256, Packing::B));
        }
    }

    /// `X Wᵀ` for a small batch: it is the batch that is packed, not the weight.
    #[test]
    fn a_small_batch_times_a_transposed_weight_is_turned_round() {
        for (sizes, few) in vectors() {
            let shape = Shape { b: [1, 784], ..rows([few, 784, 512]) };
            assert_eq!(Plan::new(false, shape, sizes), tiles(true, 392, Packing::B));
        }
    }

    /// Where the columns of C are contiguous, it is as if the other product had been asked for.
    #[test]
    fn c_is_written_along_its_rows() {
        for (sizes, few) in vectors() {
            for extents in [[few + 1, 256, few + 1], [few, 256, 300], [few, 784, few]] {
                for b in [[300, 1], [1, 784]] {
                    let shape = Shape { b, ..rows(extents) };
                    let Plan::Tiles { transposed, kc, packing } = Plan::new(false, shape, sizes) else {
                        panic!()
                    };
                    let turned = Plan::new(false, shape.transposed(), sizes);
                    assert_eq!(turned, tiles(!transposed, kc, packing), "{shape:?}");
                }
            }
        }
    }

    #[test]
    fn blocks_of_k_are_as_few_and_as_equal_as_can_be_whatever_the_cache() {
        for k in 1..=5 * KC {
            for sizes in [Sizes::new::<Avx512>(256 << 10), Sizes::new::<Avx2>(2 << 20)] {
                let plan = Plan::new(false, rows([100, k, 100]), sizes);
                let Plan::Tiles { kc, .. } = plan else { panic!("not by dot products") };
                let blocks = k.div_ceil(KC);
                assert!(
                    kc <= KC && kc * blocks >= k && (kc - 1) * blocks < k,
                    "{blocks} blocks of {kc} for {k}"
                );
            }
        }
    }

    #[test]
    fn products_of_few_rows_are_dot_products() {
        let shape = Shape { b: [1, 784], ..rows([SMALL_M, 784, 512]) };
        assert_eq!(Plan::new(true, shape, vectors()[0].0), Plan::Dots);
    }
}
