//! Layers that go through a sequence step by step.

mod gru;
mod lstm;
mod rnn;
mod stack;

pub use gru::{Gru, GruCell};
pub use lstm::{Lstm, LstmCell};
pub use rnn::{Nonlinearity, Rnn, RnnCell};
pub use stack::{Recurrent, RecurrentCell};
