//! Optimizers for Wengert whose per-tensor state has names: SGD, RMSProp.
#![forbid(unsafe_code)]
