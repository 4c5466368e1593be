//! What computes: the number types, the loops over elements, the matrix product, threads and memory. For writers of ops
//! and rules; not covered by the promise of stable versions. All `unsafe` of the workspace is below this folder.

mod awake;
pub(crate) mod buffers;
mod chunks;
mod dual;
pub(crate) mod elementwise;
pub(crate) mod gemm;
pub(crate) mod layout;
mod math;
pub(crate) mod real;
pub(crate) mod reduce;
mod simd;
pub(crate) mod sum;
mod tensor;
mod threads;
pub(crate) mod window;

pub use chunks::{ZippedSlices, for_each_chunk};
pub use dual::Dual;
pub use gemm::{Gemm, PRODUCTS_TO_DIVIDE, PackedMatrix, is_reproducible, set_reproducible};
pub use layout::row_major;
pub use real::Real;
pub(crate) use simd::inlined;
pub use simd::{InstructionSet, instruction_set, set_instruction_set, vectorized};
pub use tensor::{IntoTensor, Tensor, first_non_finite};
pub use threads::{SetThreadsError, join, set_threads, threads};
