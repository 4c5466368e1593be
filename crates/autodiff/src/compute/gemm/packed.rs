//! The right operand of many products, packed once.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Gemm, sgemm};
#[cfg(target_arch = "x86_64")]
use super::{
    is_reproducible,
    tiled::{self, Panels},
};
#[cfg(target_arch = "x86_64")]
use crate::compute::instruction_set;

/// A matrix `B: [k, n]` that many others are multiplied by: laid out once as the kernel reads it, where the kernel is
/// [ours](Gemm). The instruction set, and whether products are [reproducible](super::set_reproducible), are those of
/// the time when it is made.
#[derive(Clone, Debug)]
pub struct PackedMatrix {
    dim: (usize, usize),
    elements: Elements,
}

#[derive(Clone, Debug)]
enum Elements {
    #[cfg(target_arch = "x86_64")]
    Panels(Panels),
    Plain(Array2<f32>),
}

impl PackedMatrix {
    /// Packs a copy of `b: [k, n]`.
    pub fn new(b: ArrayView2<'_, f32>) -> Self {
        #[cfg(target_arch = "x86_64")]
        if !is_reproducible()
            && let Some(panels) = tiled::panels(instruction_set(), b)
        {
            return Self { dim: b.dim(), elements: Elements::Panels(panels) };
        }
        Self { dim: b.dim(), elements: Elements::Plain(b.to_owned()) }
    }

    /// `(k, n)`.
    pub fn dim(&self) -> (usize, usize) {
        self.dim
    }

    /// `C ← C + A B` for `a: [m, k]` and `c: [m, n]`, with any strides. Panels are multiplied on the calling thread; a
    /// row of C depends neither on the number of rows nor on the others.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    pub fn add_product(&self, a: ArrayView2<'_, f32>, c: ArrayViewMut2<'_, f32>) {
        let (k, n) = self.dim;
        assert_eq!((a.ncols(), c.dim()), (k, (a.nrows(), n)), "add_product: the shapes do not fit");
        match &self.elements {
            #[cfg(target_arch = "x86_64")]
            Elements::Panels(panels) => panels.add_product(a, c),
            Elements::Plain(b) => sgemm(Gemm { alpha: 1.0, a, b: b.view(), beta: 1.0, c }),
        }
    }
}
