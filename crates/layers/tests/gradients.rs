//! The gradient of every layer against central differences, in f64.

use ndarray::IxDyn;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::{Module, Tape, Tensor, Var};
use wengert_layers::{
    Activation, BatchNorm, Dense, Dropout, Embedding, GroupNorm, Layer, LayerNorm, Residual, RmsNorm,
    Sequential,
};

/// The distance ε of the difference quotient, whose error is about ε² f‴ + 1e-16 / ε.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-8;

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Tensor::from_shape_simple_fn(IxDyn(shape), || rng.random::<f64>() * 2.0 - 1.0)
}

/// A scalar that depends on every element of `y` in another way.
fn weigh<'t>(y: Var<'t, f64>) -> Var<'t, f64> {
    (y * y.tape().constant(random(&y.shape(), 99))).sum()
}

fn check(name: &str, mut layer: impl Layer<f64>, shape: &[usize]) {
    let forward = |layer: &dyn Layer<f64>, x: &Tensor<f64>| {
        let tape = Tape::with_seed(7);
        weigh(layer.forward(tape.variable(x.clone()))).item()
    };
    randomise(&mut layer);
    let mut input = random(shape, 1);
    let tape = Tape::with_seed(7);
    let x = tape.variable(input.clone());
    let grads = weigh(layer.forward(x)).backward();

    let expected = grads.wrt(x).unwrap_or_else(|| panic!("{name}: no gradient of the input")).clone();
    for (at, &expected) in expected.indexed_iter() {
        let here = input[&at];
        let mut shifted = |by: f64| {
            input[&at] = here + by;
            forward(&layer, &input)
        };
        let quotient = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
        shifted(0.0);
        assert!(
            (quotient - expected).abs() < TOLERANCE,
            "{name}, input {at:?}: {expected}, quotient {quotient}"
        );
    }
    let named = grads.named(&layer).into_iter().map(|(name, grad)| (name, grad.clone()));
    let named: Vec<_> = named.collect();
    assert_eq!(named.len(), layer.params().len(), "{name}: a parameter without a gradient");
    for (param, expected) in named {
        for (at, &expected) in expected.indexed_iter() {
            let mut shifted = |by: f64| {
                layer.param_mut(&param).unwrap().value_mut()[&at] += by;
                let y = forward(&layer, &input);
                layer.param_mut(&param).unwrap().value_mut()[&at] -= by;
                y
            };
            let quotient = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            assert!(
                (quotient - expected).abs() < TOLERANCE,
                "{name}, {param} {at:?}: {expected}, quotient {quotient}"
            );
        }
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
fn dense() {
    let rng = &mut StdRng::seed_from_u64(0);
    check("Dense", Dense::new(3, 2, rng), &[4, 3]);
    check("Dense", Dense::new(3, 2, rng), &[3]);
    check("Dense", Dense::new(3, 2, rng), &[2, 2, 3]);
    check("Dense without bias", Dense { bias: None, ..Dense::new(3, 2, rng) }, &[4, 3]);
}

#[test]
fn batch_norm() {
    check("BatchNorm", BatchNorm::new(3), &[5, 3]);
    check("BatchNorm", BatchNorm::new(3), &[2, 3, 4]);
    check("BatchNorm, no scale", BatchNorm { weight: None, ..BatchNorm::new(3) }, &[5, 3]);
    check("BatchNorm, no shift", BatchNorm { bias: None, ..BatchNorm::new(3) }, &[5, 3]);
}

#[test]
fn layer_norm() {
    check("LayerNorm", LayerNorm::new(4), &[3, 4]);
    check("LayerNorm", LayerNorm::new([3, 4]), &[2, 3, 4]);
    check("LayerNorm, no scale", LayerNorm { weight: None, ..LayerNorm::new(4) }, &[3, 4]);
}

#[test]
fn rms_norm() {
    check("RmsNorm", RmsNorm::new(4), &[3, 4]);
    check("RmsNorm", RmsNorm::new([3, 4]), &[2, 3, 4]);
}

#[test]
fn group_norm() {
    check("GroupNorm", GroupNorm::new(2, 4), &[3, 4]);
    check("GroupNorm", GroupNorm::new(2, 4), &[2, 4, 3]);
    check("GroupNorm", GroupNorm::new(2, 4), &[2, 4, 2, 2]);
}

#[test]
fn dropout_of_one_seed() {
    check("Dropout", Dropout::new(0.4), &[4, 3]);
}

#[test]
fn activations() {
    use Activation::*;
    for activation in [Relu, LeakyRelu(0.2), Elu(0.7), Gelu, GeluTanh, Silu, Softplus, Tanh, Sigmoid] {
        check(&format!("{activation:?}"), activation, &[4, 3]);
    }
}

#[test]
fn containers() {
    let rng = &mut StdRng::seed_from_u64(0);
    let block = Sequential::new().with(Dense::new(3, 3, rng)).with(Activation::Tanh).with(LayerNorm::new(3));
    check("Residual", Residual(block), &[4, 3]);
}

#[test]
fn embedding_adds_up_repeated_rows() {
    let embedding = Embedding::<f64>::new(3, 2, &mut StdRng::seed_from_u64(0));
    let tape = Tape::new();
    let y = embedding.forward(&tape, &[2, 0, 2]);
    let upstream = ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).into_dyn();
    let grads = (y * tape.constant(upstream)).sum().backward();
    let expected = ndarray::arr2(&[[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]]).into_dyn();
    assert_eq!(grads.get(&embedding.weight).unwrap(), expected);
}
