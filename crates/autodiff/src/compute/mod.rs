//! What computes: the number types, the loops over elements, the matrix product, threads and memory. For writers of ops and
//! rules; not covered by the promise of stable versions. All `unsafe` of the workspace is below this folder.

pub(crate) mod buffers;
pub(crate) mod elementwise;
pub(crate) mod gemm;
pub(crate) mod layout;
mod math;
mod real;
pub(crate) mod reduce;
mod simd;
pub(crate) mod threads;

pub use real::Real;
pub use simd::vectorized;
pub use threads::{ZippedSlices, for_each_chunk, join, threads};

/// The arrays Wengert computes with: any number of dimensions, reference-counted, copy-on-write. It is an ordinary
/// [`ndarray::ArcArray`], so that all of ndarray applies.
pub type Tensor<F = f32> = ndarray::ArcArray<F, ndarray::IxDyn>;
