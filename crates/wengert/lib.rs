#![doc = include_str!("../../README.md")]
#![forbid(unsafe_code)]

pub use ndarray;
pub use wengert_autodiff as autodiff;
pub use wengert_data as data;
#[cfg(feature = "download")]
pub use wengert_download as download;
pub use wengert_layers as layers;
pub use wengert_optim as optim;

/// What nearly every program needs: `use wengert::prelude::*;`.
pub mod prelude {
    pub use wengert_autodiff::{Gradients, Module, Param, Real, Tape, Tensor, Var, module};
    pub use wengert_layers::{BatchNorm, Dense, Dropout, Layer, Sequential};
    pub use wengert_optim::{Optimizer, RmsProp, Rule, Sgd};
}
