//! Tape-based reverse-mode automatic differentiation on ndarray tensors.
#![forbid(unsafe_code)]
