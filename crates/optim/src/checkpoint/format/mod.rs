//! The bytes of a file: two formats, and what they share.

pub(super) mod container;
pub(super) mod dtype;
pub(super) mod error;
#[cfg(feature = "safetensors")]
mod header;
pub(super) mod limits;
pub(super) mod records;
#[cfg(feature = "safetensors")]
pub(super) mod safetensors;
pub(super) mod tensor;
