//! A model is a plain value: no type parameter to write, names as in PyTorch, clones that are independent.

use ndarray::{Array2, ArrayD};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{
    ConvOptions, Gradients, IntoTensor, Module, Padding, Param, Tape, Tensor, Var, module,
};
use wengert_layers::{
    Activation, BatchNorm, Conv1d, Conv2d, ConvTranspose2d, Dense, Dropout, Embedding, GroupNorm, Gru, Layer,
    LayerNorm, Lstm, MaxPool2d, MultiheadAttention, Nonlinearity, PRelu, Residual, RmsNorm, Rnn, Sequential,
    TransformerEncoderLayer,
};

#[derive(Clone)]
struct Mlp {
    blocks: Vec<Dense>,
    norm: BatchNorm,
    head: Sequential,
}

module!(Mlp { blocks, norm, head });

impl Mlp {
    fn new(rng: &mut StdRng) -> Self {
        Self {
            blocks: vec![Dense::new(2, 4, rng), Dense::new(4, 3, rng)],
            norm: BatchNorm::new(3),
            head: Sequential::new()
                .with(Activation::Relu)
                .with(Dropout::new(0.5))
                .with(Dense::new(3, 2, rng)),
        }
    }

    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let h = self.blocks.iter().fold(x, |x, block| block.forward(x).tanh());
        self.head.forward(self.norm.forward(h))
    }
}

fn batch() -> Tensor {
    Array2::from_shape_fn((4, 2), |(i, j)| (i as f32 - 1.5) * (j as f32 + 0.5)).into_tensor()
}

#[test]
fn names_are_pytorchs() {
    let names: Vec<_> = Mlp::new(&mut StdRng::seed_from_u64(0)).state_dict().into_keys().collect();
    assert_eq!(
        names,
        [
            "blocks.0.bias",
            "blocks.0.weight",
            "blocks.1.bias",
            "blocks.1.weight",
            "head.2.bias",
            "head.2.weight",
            "norm.bias",
            "norm.num_batches_tracked",
            "norm.running_mean",
            "norm.running_var",
            "norm.weight",
        ]
    );
}

#[test]
fn every_parameter_gets_a_gradient_and_only_the_originals() {
    let model = Mlp::new(&mut StdRng::seed_from_u64(0));
    let clone = model.clone();
    let tape = Tape::with_seed(0);
    let grads = model.forward(tape.constant(batch())).square().sum().backward();
    assert_eq!(
        grads.named(&model).into_keys().collect::<Vec<_>>(),
        model.params().into_keys().collect::<Vec<_>>()
    );
    assert!(grads.named(&clone).is_empty());
}

#[test]
fn a_clone_is_independent() {
    let model = Mlp::new(&mut StdRng::seed_from_u64(0));
    let before = model.state_dict();
    let mut clone = model.clone();
    clone.param_mut("head.2.weight").unwrap().value_mut().fill(7.0);
    assert_eq!(model.state_dict(), before);
    assert_ne!(clone.state_dict(), before);
}

#[test]
fn both_float_types_of_one_seed_start_alike() {
    let single: Dense = Dense::new(5, 3, &mut StdRng::seed_from_u64(1));
    let double: Dense<f64> = Dense::new(5, 3, &mut StdRng::seed_from_u64(1));
    let rounded: ArrayD<f32> = double.weight.value().mapv(|w| w as f32);
    assert_eq!(single.weight.value(), rounded);
}

#[test]
fn the_float_type_follows_from_the_input() {
    let rng = &mut StdRng::seed_from_u64(0);
    let (dense, norm) = (Dense::new(2, 2, rng), BatchNorm::new(2));
    let model = Sequential::new().with(dense).with(norm).with(Activation::Gelu);
    let tape = Tape::new();
    assert_eq!(model.forward(tape.constant(batch())).shape(), [4, 2]);
}

#[test]
fn models_can_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<Mlp>();
    check::<Gradients>();
    check::<Param>();
    check::<Box<dyn Layer>>();
}

#[derive(Serialize, Deserialize)]
struct OneOfEach {
    embedding: Embedding,
    dense: Dense,
    batch: BatchNorm,
    layer: LayerNorm,
    rms: RmsNorm,
    group: GroupNorm,
    residual: Residual<Dense>,
    prelu: PRelu,
    rnn: Rnn,
    gru: Gru,
    lstm: Lstm,
    attention: MultiheadAttention,
    encoder: TransformerEncoderLayer,
    activation: Activation,
    dropout: Dropout,
    signal: Conv1d,
    image: Conv2d,
    transposed: ConvTranspose2d,
    pool: MaxPool2d,
}

module!(OneOfEach {
    embedding,
    dense,
    batch,
    layer,
    rms,
    group,
    residual,
    prelu,
    rnn,
    gru,
    lstm,
    attention,
    encoder,
    signal,
    image,
    transposed,
});

#[test]
fn a_model_of_named_layers_can_be_serialized() {
    let rng = &mut StdRng::seed_from_u64(0);
    let halving =
        ConvOptions { stride: [2, 1], padding: Padding::Zeros([1, 0]), groups: 2, ..ConvOptions::default() };
    let model = OneOfEach {
        embedding: Embedding::new(3, 2, rng),
        dense: Dense { bias: None, ..Dense::new(2, 4, rng) },
        batch: BatchNorm { momentum: None, ..BatchNorm::new(4) },
        layer: LayerNorm::new([2, 2]),
        rms: RmsNorm { eps: 1e-3, ..RmsNorm::new(4) },
        group: GroupNorm::new(2, 4),
        residual: Residual(Dense::new(4, 4, rng)),
        prelu: PRelu::new(4),
        rnn: Rnn::new(2, 3, rng).with_nonlinearity(Nonlinearity::Relu),
        gru: Gru { dropout: Dropout::new(0.25), ..Gru::stacked(2, 3, 2, true, rng) },
        lstm: Lstm { batch_first: true, ..Lstm::new(2, 3, rng).without_bias() },
        attention: MultiheadAttention::with_widths(4, 2, 3, 5, rng),
        encoder: TransformerEncoderLayer::new(4, 2, 8, rng),
        activation: Activation::LeakyRelu(0.2),
        dropout: Dropout::new(0.25),
        signal: Conv1d::new(2, 3, 2, rng),
        image: Conv2d::with_options(2, 4, [2, 3], halving, rng),
        transposed: ConvTranspose2d::new(2, 3, [2, 2], rng),
        pool: MaxPool2d::new([2, 3]),
    };
    let text = serde_json::to_string(&model).unwrap();
    let read: OneOfEach = serde_json::from_str(&text).unwrap();
    assert_eq!(read.state_dict(), model.state_dict());
    assert_eq!((read.batch.momentum, read.rms.eps, read.group.groups), (None, 1e-3, 2));
    assert_eq!((read.image.options, read.signal.options), (halving, ConvOptions::default()));
    assert_eq!(read.pool, model.pool);
    assert_eq!(read.rnn.cells[0].nonlinearity, Nonlinearity::Relu);
    assert_eq!((read.gru.bidirectional, read.gru.dropout.p(), read.lstm.batch_first), (true, 0.25, true));
    assert_eq!((read.activation, read.dropout.p()), (Activation::LeakyRelu(0.2), 0.25));
}

#[test]
fn a_file_cannot_hold_an_impossible_dropout() {
    let error = serde_json::from_str::<Dropout>(r#"{"p": 1.5}"#).unwrap_err().to_string();
    assert!(error.starts_with("`Dropout` needs a probability between 0 and 1, not 1.5"), "{error}");
}

#[test]
fn a_sequence_is_a_list_of_layers() {
    let rng = &mut StdRng::seed_from_u64(0);
    let layers: [Box<dyn Layer>; 2] = [Box::new(Dense::new(2, 3, rng)), Box::new(Activation::Tanh)];
    let boxed: Sequential = layers.iter().cloned().collect();
    assert_eq!((boxed.len(), boxed.iter().len()), (2, 2));
    let mut pushed = Sequential::new();
    layers.into_iter().for_each(|layer| pushed.push(layer));
    assert!(pushed.params().into_keys().eq(["0.bias", "0.weight"]));
    let tape = Tape::new();
    let x = tape.constant(batch());
    assert_eq!(boxed.forward(x).value(), pushed.forward(x).value());
    assert_eq!(boxed[0].forward(x).tanh().value(), pushed.forward(x).value());
}

#[test]
fn a_sequence_gives_its_layers_back_and_can_be_cut() {
    let rng = &mut StdRng::seed_from_u64(0);
    let inner: Sequential = Sequential::new().with(Activation::Tanh).with(Dense::new(3, 3, rng));
    let boxed: Box<dyn Layer> = Box::new(Dense::new(2, 3, rng));
    let mut model: Sequential = Sequential::new().with(boxed).with(Activation::Relu).with(inner);
    model.get_mut::<Dense>(0).unwrap().bias = None;
    assert!(model.params().into_keys().eq(["0.weight", "2.1.bias", "2.1.weight"]));
    assert_eq!(model.get::<Activation>(1), Some(&Activation::Relu));
    assert!(model.get::<Dense>(1).is_none() && model.get::<Dense>(3).is_none());
    assert_eq!(model.get::<Sequential>(2).unwrap().get::<Dense>(1).unwrap().weight.shape(), [3, 3]);
    let kind =
        |name| model.layer_of(name).map(|layer| format!("{layer:?}").split(' ').next().unwrap().to_owned());
    assert_eq!(kind("0.weight").as_deref(), Some("Dense"));
    assert_eq!(kind("1").as_deref(), Some("Relu"));
    assert_eq!(kind("2").as_deref(), Some("Sequential"));
    assert_eq!(kind("2.1.bias").as_deref(), Some("Dense"));
    assert_eq!((kind("3"), kind("weight"), kind("")), (None, None, None));

    for layer in &mut model {
        layer.visit_mut(&mut Default::default(), &mut |_, mut leaf| leaf.set_frozen(true));
    }
    assert_eq!(model.parameter_count(), 0);
    let tail = model.split_off(1);
    assert_eq!((model.len(), tail.len()), (1, 2));
    model.insert(0, Activation::Silu);
    model.extend(tail);
    assert_eq!(format!("{:?}", model.remove(2)), "Relu");
    model[1].visit_mut(&mut Default::default(), &mut |_, mut leaf| leaf.set_frozen(false));
    assert_eq!(model.parameter_count(), 6);
    assert!(model.pop().is_some_and(|layer| layer.params().len() == 2));
    model.truncate(1);
    assert_eq!(model.iter().len(), 1);
    assert_eq!(model.iter_mut().len(), 1);
    assert!(model.pop().is_some() && model.pop().is_none());
}

#[test]
fn an_index_that_is_not_one_is_named() {
    let embedding: Embedding = Embedding::new(3, 2, &mut StdRng::seed_from_u64(0));
    for index in [3.0, -1.0, 0.5, f32::NAN] {
        let run = std::panic::AssertUnwindSafe(|| {
            let tape = Tape::new();
            _ = Layer::forward(&embedding, tape.constant([0.0, index]));
        });
        let message = *std::panic::catch_unwind(run).unwrap_err().downcast::<String>().unwrap();
        assert_eq!(message, format!("`Embedding` of 3 rows: {index} is not one of the indices from 0 to 2"));
    }
}

/// Files hold it as an integer; a layer that was cloned, or read from JSON, must not forget that.
#[test]
fn the_number_of_batches_stays_a_count() {
    let norm: BatchNorm = BatchNorm::new(2);
    let read: BatchNorm = serde_json::from_str(&serde_json::to_string(&norm).unwrap()).unwrap();
    for norm in [norm.clone(), norm, read] {
        assert!(norm.num_batches_tracked.is_count() && !norm.running_mean.is_count());
        assert_eq!(norm.num_batches_tracked.value().sum(), 0.0);
    }
}
