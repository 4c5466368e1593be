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
mod tensor;
pub(crate) mod threads;

pub use layout::row_major;
pub use real::Real;
pub use simd::vectorized;
pub use tensor::{IntoTensor, Tensor, first_non_finite};
pub use threads::{SetThreadsError, ZippedSlices, for_each_chunk, join, set_threads, threads};
