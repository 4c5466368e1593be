//! Attention, and what transformers are made of.

mod encoder;
mod multihead;
mod positions;

pub use encoder::{TransformerEncoder, TransformerEncoderLayer};
pub use multihead::{Masks, MultiheadAttention};
pub use positions::sinusoidal_positions;
