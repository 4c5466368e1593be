//! Layers for Wengert: dense, convolution, pooling, embedding, normalization, dropout, initialisation.
//!
//! The design decision: `forward` takes `&self`, and whether it trains or evaluates is written on the tape it runs on.
//! [`Tape::new`](wengert_autodiff::Tape::new) means batch statistics and dropout,
//! [`Tape::inference`](wengert_autodiff::Tape::inference) means running statistics and none; new running statistics
//! travel with the gradients and are written by the optimizer's step. The alternative, a `training` flag inside each
//! layer as in PyTorch, gives a model moods: a forgotten `eval()` gives wrong numbers without a
//! word, and `forward` must either change the model or hide a lock in it.
//!
//! All fields are public, because there is nothing to protect: shapes are checked where they meet, in `forward`. So a
//! layer's options are set with Rust's own syntax:
//!
//! ```
//! # use rand::{SeedableRng, rngs::StdRng};
//! use wengert_layers::{BatchNorm, Dense};
//!
//! # let rng = &mut StdRng::seed_from_u64(0);
//! let hidden: Dense = Dense { bias: None, ..Dense::new(2, 16, rng) };
//! let norm: BatchNorm = BatchNorm { momentum: None, ..BatchNorm::new(16) };
//! # assert!(hidden.bias.is_none() && norm.momentum.is_none());
//! ```
//!
//! To evaluate again and again, [`Prepared`] makes of a [`Sequential`] a value that needs no tape.
//!
//! Chapters of the guide: [layers and names], [what is called how elsewhere].
//!
//! [layers and names]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/layers.md
//! [what is called how elsewhere]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/names.md
//!
//! A layer can be cloned, printed, sent to another thread and, but for [`Sequential`], read and written with serde.
#![forbid(unsafe_code)]

mod activation;
mod attention;
mod dense;
mod dropout;
mod embedding;
pub mod init;
mod layer;
mod norm;
mod prelu;
mod prepared;
mod recurrent;
mod residual;
mod sequential;
mod window;

pub use activation::Activation;
pub use attention::{
    Masks, MultiheadAttention, TransformerEncoder, TransformerEncoderLayer, sinusoidal_positions,
};
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use layer::Layer;
pub use norm::{BatchNorm, GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
pub use prelu::PRelu;
pub use prepared::{PrepareError, Prepared};
pub use recurrent::{Gru, GruCell, Lstm, LstmCell, Nonlinearity, Recurrent, RecurrentCell, Rnn, RnnCell};
pub use residual::Residual;
pub use sequential::Sequential;
pub use window::{
    AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, Conv1d, Conv2d, ConvTranspose1d,
    ConvTranspose2d, Flatten, MaxPool1d, MaxPool2d,
};
