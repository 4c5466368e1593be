#![doc = include_str!("../../README.md")]
#![forbid(unsafe_code)]

pub use ndarray;
pub use wengert_autodiff as autodiff;
pub use wengert_autodiff::compute::set_threads;
pub use wengert_autodiff::derivatives;
pub use wengert_data as data;
pub use wengert_data::metrics;
#[cfg(feature = "download")]
pub use wengert_download as download;
pub use wengert_layers as layers;
pub use wengert_optim as optim;

/// What nearly every program needs: `use wengert::prelude::*;`.
pub mod prelude {
    pub use wengert_autodiff::{
        Buffer, Gradients, IntoTensor, Module, Param, Real, Tape, Tensor, Var, module,
    };
    pub use wengert_layers::{Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Sequential};
    pub use wengert_optim::{Adam, Optimizer, RmsProp, Rule, Sgd};
}
