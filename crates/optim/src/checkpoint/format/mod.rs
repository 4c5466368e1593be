//! The bytes of a file.

pub(super) mod container;
pub(super) mod records;
#[cfg(feature = "safetensors")]
pub(super) mod safetensors;
pub(super) mod tensor;
