//! A shape mistake panics at the line that made it, not inside a layer.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Mutex;

use ndarray::IxDyn;
use rand::{SeedableRng, rngs::StdRng};
use wengert_autodiff::{Tape, Tensor};
use wengert_layers::{
    BatchNorm, Conv1d, Conv2d, ConvTranspose2d, Dense, Dropout, Embedding, GroupNorm, Gru, InstanceNorm,
    Layer, LayerNorm, Lstm, MaxPool2d, MultiheadAttention, PRelu, Residual, RmsNorm, Rnn,
    TransformerEncoderLayer,
};

static FILE: Mutex<String> = Mutex::new(String::new());

fn panics_here(name: &str, layer: impl Layer) {
    let tape = Tape::new();
    let x = tape.constant(Tensor::zeros(IxDyn(&[4, 5])));
    let result = catch_unwind(AssertUnwindSafe(|| _ = layer.forward(x)));
    assert!(result.is_err(), "{name} accepts the shape");
    // Not within the assertion, whose own panic would wait for the lock forever.
    let found = FILE.lock().unwrap().clone();
    assert_eq!(found, file!(), "{name}");
}

#[test]
fn mistakes_are_reported_where_forward_was_called() {
    set_hook(Box::new(|info| info.location().unwrap().file().clone_into(&mut FILE.lock().unwrap())));
    let rng = &mut StdRng::seed_from_u64(0);
    panics_here("Dense", Dense::new(3, 5, rng));
    panics_here("Residual", Residual(Dense::new(5, 3, rng)));
    panics_here("BatchNorm", BatchNorm::new(3));
    panics_here("LayerNorm", LayerNorm::new(3));
    panics_here("RmsNorm", RmsNorm::new(3));
    panics_here("GroupNorm", GroupNorm::new(1, 3));
    panics_here("InstanceNorm", InstanceNorm::new(5));
    panics_here("Conv2d", Conv2d::new(5, 3, [2, 2], rng));
    panics_here("Conv1d", Conv1d::new(5, 3, 2, rng));
    panics_here("ConvTranspose2d", ConvTranspose2d::new(5, 3, [2, 2], rng));
    panics_here("MaxPool2d", MaxPool2d::new(2));
    panics_here("Rnn", Rnn::new(3, 5, rng));
    panics_here("Gru", Gru::new(3, 5, rng));
    panics_here("Lstm", Lstm::new(3, 5, rng));
    panics_here("MultiheadAttention", MultiheadAttention::new(4, 2, rng));
    panics_here("TransformerEncoderLayer", TransformerEncoderLayer::new(4, 2, 3, rng));
    panics_here("PRelu", PRelu::new(3));
    panics_here("Embedding", Embedding::new(0, 3, rng));
    panics_here("Dropout without random numbers", Dropout::new(0.5));
    _ = std::panic::take_hook();
}
