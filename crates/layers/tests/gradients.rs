//! The gradients of every layer against numeric derivatives, in f64.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ndarray::IxDyn;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::{
    ConvOptions, IntoTensor, Module, Padding, Tape, Tensor, check_gradients, check_module_gradients,
};
use wengert_layers::{
    Activation, AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool1d, AvgPool2d, BatchNorm, Conv1d, Conv2d,
    ConvTranspose1d, ConvTranspose2d, Dense, Dropout, Embedding, Flatten, GroupNorm, Gru, InstanceNorm,
    Layer, LayerNorm, Lstm, MaxPool1d, MaxPool2d, MultiheadAttention, Nonlinearity, PRelu, Recurrent,
    Residual, RmsNorm, Rnn, Sequential, TransformerEncoder, TransformerEncoderLayer,
};

const TOLERANCE: f64 = 1e-7;

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Tensor::from_shape_simple_fn(IxDyn(shape), || rng.random::<f64>() * 2.0 - 1.0)
}

/// The gradients of the input and of every parameter.
fn check<L: Layer<f64> + Clone>(name: &str, mut layer: L, shape: &[usize]) {
    println!("{name}");
    randomise(&mut layer);
    let input = random(shape, 1);
    check_gradients(|_, x| layer.forward(x[0]), std::slice::from_ref(&input)).assert(TOLERANCE);

    let tape = Tape::with_seed(7);
    let x = tape.variable(input.clone());
    let grads = layer.forward(x).sum().backward();
    assert!(grads.wrt(x).is_some(), "{name}: no gradient of the input");
    let params = layer.params().len();
    assert_eq!(grads.named(&layer).len(), params, "{name}: a parameter without a gradient");
    if params > 0 {
        let report =
            check_module_gradients(&layer, |layer, tape| layer.forward(tape.constant(input.clone())));
        report.assert(TOLERANCE);
    }
}

/// Ones and zeros, with which normalizations start, would hide a forgotten factor.
fn randomise(layer: &mut impl Module<f64>) {
    let names: Vec<_> = layer.params().into_keys().collect();
    for (seed, name) in names.iter().enumerate() {
        let param = layer.param_mut(name).unwrap();
        *param.value_mut() = random(param.shape(), 50 + seed as u64);
    }
}

#[test]
fn dense_differentiates_over_any_leading_axes() {
    let rng = &mut StdRng::seed_from_u64(0);
    check("Dense", Dense::new(3, 2, rng), &[4, 3]);
    check("Dense", Dense::new(3, 2, rng), &[3]);
    check("Dense", Dense::new(3, 2, rng), &[2, 2, 3]);
    check("Dense without bias", Dense { bias: None, ..Dense::new(3, 2, rng) }, &[4, 3]);
}

#[test]
fn batch_norm_differentiates_through_its_statistics() {
    check("BatchNorm", BatchNorm::new(3), &[5, 3]);
    check("BatchNorm", BatchNorm::new(3), &[2, 3, 4]);
    check("BatchNorm", BatchNorm::new(3), &[2, 3, 2, 2]);
    check("BatchNorm, no scale", BatchNorm { weight: None, ..BatchNorm::new(3) }, &[5, 3]);
    check("BatchNorm, no shift", BatchNorm { bias: None, ..BatchNorm::new(3) }, &[5, 3]);
}

#[test]
fn layer_norm_differentiates_through_its_statistics() {
    check("LayerNorm", LayerNorm::new(4), &[3, 4]);
    check("LayerNorm", LayerNorm::new([3, 4]), &[2, 3, 4]);
    check("LayerNorm, no scale", LayerNorm { weight: None, ..LayerNorm::new(4) }, &[3, 4]);
}

#[test]
fn rms_norm_differentiates_through_its_root_mean_square() {
    check("RmsNorm", RmsNorm::new(4), &[3, 4]);
    check("RmsNorm", RmsNorm::new([3, 4]), &[2, 3, 4]);
}

#[test]
fn group_norm_differentiates_through_its_statistics() {
    check("GroupNorm", GroupNorm::new(2, 4), &[3, 4]);
    check("GroupNorm", GroupNorm::new(2, 4), &[2, 4, 3]);
    check("GroupNorm", GroupNorm::new(2, 4), &[2, 4, 2, 2]);
}

#[test]
fn instance_norm_differentiates_through_its_statistics() {
    check("InstanceNorm", InstanceNorm::new(2), &[3, 2, 4]);
    check("InstanceNorm", InstanceNorm::affine(2), &[2, 2, 3, 2]);
}

#[test]
fn convolutions_differentiate() {
    let rng = &mut StdRng::seed_from_u64(0);
    let halving = ConvOptions { stride: [2, 2], padding: Padding::Same, groups: 2, ..ConvOptions::default() };
    check("Conv2d", Conv2d::new(2, 3, [3, 2], rng), &[2, 2, 5, 4]);
    check("Conv2d", Conv2d { bias: None, ..Conv2d::with_options(2, 4, [3, 3], halving, rng) }, &[2, 2, 5, 4]);
    check("Conv1d", Conv1d::new(2, 3, 3, rng), &[2, 2, 5]);
    let doubling = ConvOptions { stride: [2, 2], groups: 2, ..ConvOptions::default() };
    check("ConvTranspose2d", ConvTranspose2d::with_options(2, 4, [3, 3], doubling, rng), &[2, 2, 3, 2]);
    check("ConvTranspose1d", ConvTranspose1d::new(2, 3, 3, rng), &[2, 2, 4]);
}

#[test]
fn pooling_differentiates() {
    check("MaxPool2d", MaxPool2d::new(2), &[2, 2, 4, 5]);
    check("AvgPool2d", AvgPool2d::new([2, 3]), &[2, 2, 4, 5]);
    check("MaxPool1d", MaxPool1d::new(2), &[2, 2, 5]);
    check("AvgPool1d", AvgPool1d::new(2), &[2, 2, 5]);
    check("AdaptiveMaxPool2d", AdaptiveMaxPool2d([2, 3]), &[2, 2, 4, 5]);
    check("AdaptiveAvgPool2d", AdaptiveAvgPool2d([1, 1]), &[2, 2, 4, 5]);
    check("Flatten", Flatten, &[2, 2, 4, 5]);
}

#[test]
fn recurrent_layers_differentiate_through_all_steps() {
    let rng = &mut StdRng::seed_from_u64(0);
    check("Rnn", Rnn::new(3, 2, rng), &[4, 2, 3]);
    let relu = Rnn::stacked(3, 2, 2, true, rng).with_nonlinearity(Nonlinearity::Relu);
    check("Rnn, relu", relu, &[3, 2, 3]);
    check("Gru", Gru::new(3, 2, rng), &[4, 3]);
    check("Gru without bias", Gru::new(3, 2, rng).without_bias(), &[4, 2, 3]);
    check("Gru, both directions", Gru::stacked(3, 2, 2, true, rng), &[3, 2, 3]);
    check(
        "Lstm, batch first",
        Recurrent { batch_first: true, ..Lstm::stacked(3, 2, 2, true, rng) },
        &[2, 3, 3],
    );
    let dropout = Dropout::new(0.4);
    check("Lstm with dropout", Lstm { dropout, ..Lstm::stacked(3, 4, 2, false, rng) }, &[3, 2, 3]);
}

#[test]
fn attention_differentiates_through_its_weights() {
    let rng = &mut StdRng::seed_from_u64(0);
    let attention = MultiheadAttention { batch_first: true, ..MultiheadAttention::new(4, 2, rng) };
    check("MultiheadAttention", attention.clone().without_bias(), &[2, 3, 4]);
    let layer = TransformerEncoderLayer { norm_first: true, ..TransformerEncoderLayer::new(4, 2, 3, rng) };
    let layer = TransformerEncoderLayer { activation: Activation::Gelu, ..layer };
    check("TransformerEncoderLayer", layer.clone(), &[3, 2, 4]);
    let layers = vec![layer.with_dropout(0.0)];
    check("TransformerEncoder", TransformerEncoder { layers, norm: Some(LayerNorm::new(4)) }, &[3, 4]);
}

#[test]
fn dropout_differentiates_through_the_mask_that_it_drew() {
    check("Dropout", Dropout::new(0.4), &[4, 3]);
}

#[test]
fn every_activation_has_its_derivative() {
    use Activation::*;
    for activation in [
        Relu,
        LeakyRelu(0.2),
        Elu(0.7),
        Gelu,
        GeluTanh,
        Silu,
        Softplus,
        Selu,
        Mish,
        Hardsigmoid,
        Hardswish,
        Softsign,
        Tanh,
        Sigmoid,
    ] {
        check(&format!("{activation:?}"), activation, &[4, 3]);
    }
}

#[test]
fn containers_differentiate_through_what_they_hold() {
    let rng = &mut StdRng::seed_from_u64(0);
    let block = Sequential::new().with(Dense::new(3, 3, rng)).with(Activation::Tanh).with(LayerNorm::new(3));
    check("Residual", Residual(block), &[4, 3]);
}

#[test]
fn embedding_adds_up_repeated_rows() {
    let embedding = Embedding::<f64>::new(3, 2, &mut StdRng::seed_from_u64(0));
    let tape = Tape::new();
    let y = embedding.forward(&tape, &[2, 0, 2]);
    let upstream = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let grads = (y * tape.constant(upstream)).sum().backward();
    let expected = [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]].into_tensor();
    assert_eq!(grads.get(&embedding.weight).unwrap(), expected);
}

/// The second row is padding: its gradient is 0, whatever the row is.
#[test]
fn padding_has_no_gradient() {
    let mut embedding = Embedding::<f64>::new(3, 2, &mut StdRng::seed_from_u64(0)).with_padding(1);
    assert_eq!(
        embedding.weight.value().index_axis(ndarray::Axis(0), 1),
        ndarray::arr1(&[0.0, 0.0]).into_dyn()
    );
    let loaded = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].into_tensor();
    *embedding.weight.value_mut() = loaded;
    let tape = Tape::new();
    let y = Layer::forward(&embedding, tape.constant([[0.0, 1.0], [1.0, 2.0]]));
    let rows = [[[1.0, 2.0], [3.0, 4.0]], [[3.0, 4.0], [5.0, 6.0]]];
    assert_eq!(y.value(), rows.into_tensor());
    let grads = y.sum().backward();
    let expected = [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]].into_tensor();
    assert_eq!(grads.get(&embedding.weight).unwrap(), expected);
}

#[test]
fn a_learnt_slope_has_its_derivative() {
    check("PRelu", PRelu::new(1), &[4, 3]);
    check("PRelu", PRelu::new(1), &[5]);
    check("PRelu by channel", PRelu::new(3), &[2, 3]);
    check("PRelu by channel", PRelu::new(3), &[2, 3, 2, 2]);
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        if path.is_dir() { sources(&path) } else { vec![std::fs::read_to_string(path).unwrap()] }
    };
    entries.flat_map(read).collect()
}

/// Reads the sources, so that a layer or an activation without a test above is found whoever forgot it.
#[test]
fn no_layer_is_left_out() {
    let word = |rest: &str| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
    let mut known = BTreeSet::new();
    for source in sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src").as_ref()) {
        known.extend(source.split("> Layer<F> for ").skip(1).map(word));
        if source.contains("pub enum Activation") {
            known.extend(source.split(" Self::").skip(1).map(word));
        }
    }
    assert!(known.contains("Dense") && known.contains("Relu"), "the search itself: {known:?}");
    let tests = include_str!("gradients.rs").split("fn no_layer_is_left_out").next().unwrap();
    let tested: BTreeSet<_> = tests.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    let missing: Vec<_> = known.difference(&tested).filter(|&name| name != "Box").collect();
    assert!(missing.is_empty(), "call `check` in tests/gradients.rs for {missing:?}");
}
