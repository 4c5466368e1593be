//! Hessian-vector products of networks by their parameters, against PyTorch's double backward, to 1e-9; and what holds
//! for them at any number of threads.

#[path = "golden/mod.rs"]
mod golden;

use std::collections::BTreeMap;

use golden::{assert_close, integers, number, tensor};
use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert::autodiff::{ConvOptions, Leaf, ModulePath, Padding, Real};
use wengert::derivatives::{Dual, Hvp, hvp};
use wengert::layers::*;
use wengert::ndarray::Array1;
use wengert::prelude::*;

type Net<F> = Sequential<F>;

fn net<F: Real>(name: &str) -> Net<F> {
    let rng = &mut StdRng::seed_from_u64(0);
    let padded = ConvOptions { padding: Padding::Zeros([1, 1]), ..ConvOptions::default() };
    let empty = Net::new();
    match name {
        "dense_tanh" => empty.with(Dense::new(5, 7, rng)).with(Activation::Tanh).with(Dense::new(7, 3, rng)),
        "batch_norm" => empty
            .with(Dense::new(5, 7, rng))
            .with(BatchNorm::new(7))
            .with(Activation::Sigmoid)
            .with(Dense::new(7, 3, rng)),
        "layer_norm" => empty
            .with(Dense::new(5, 6, rng))
            .with(LayerNorm::new(6))
            .with(Activation::Gelu)
            .with(Dense::new(6, 3, rng)),
        "rms_norm" => empty
            .with(Dense::new(5, 6, rng))
            .with(RmsNorm::new(6))
            .with(Activation::Silu)
            .with(Dense::new(6, 3, rng)),
        "activations" => empty
            .with(Dense::new(5, 5, rng))
            .with(Activation::Elu(0.7))
            .with(Dense::new(5, 5, rng))
            .with(Activation::Softplus)
            .with(Dense::new(5, 5, rng))
            .with(Activation::GeluTanh)
            .with(PRelu::new(5))
            .with(Dense::new(5, 2, rng))
            .with(Activation::LeakyRelu(0.1)),
        "conv2d" => empty
            .with(Conv2d::with_options(2, 3, [3, 3], padded, rng))
            .with(GroupNorm::new(3, 3))
            .with(Activation::Softplus)
            .with(AvgPool2d::new(2))
            .with(Conv2d::new(3, 2, [2, 2], rng))
            .with(Flatten),
        "max_pool" => empty
            .with(Conv2d::new(2, 3, [3, 3], rng))
            .with(BatchNorm::new(3))
            .with(MaxPool2d::new(2))
            .with(Activation::Tanh)
            .with(Flatten)
            .with(Dense::new(12, 2, rng)),
        "transposed" => empty
            .with(ConvTranspose2d::with_options(2, 2, [2, 2], strided(), rng))
            .with(InstanceNorm::affine(2))
            .with(Activation::Tanh),
        "conv1d" => empty
            .with(Conv1d::with_options(2, 3, 3, strided(), rng))
            .with(Activation::Tanh)
            .with(ConvTranspose1d::new(3, 2, 2, rng)),
        "rnn" => empty.with(Rnn::new(3, 4, rng)),
        "gru" => empty.with(Gru::new(3, 4, rng)),
        "lstm" => empty.with(Lstm::stacked(3, 4, 2, true, rng)),
        "transformer" => empty.with(transformer(rng)),
        "dropout" => empty
            .with(Dense::new(40, 64, rng))
            .with(BatchNorm::new(64))
            .with(Activation::Tanh)
            .with(Dropout::new(0.4))
            .with(Dense::new(64, 10, rng)),
        _ => panic!("no network `{name}`"),
    }
}

fn strided<const D: usize>() -> ConvOptions<D> {
    ConvOptions { stride: [2; D], ..ConvOptions::default() }
}

fn transformer<F: Real>(rng: &mut StdRng) -> TransformerEncoderLayer<F> {
    let layer = TransformerEncoderLayer::new(4, 2, 6, rng).with_dropout(0.0);
    TransformerEncoderLayer { activation: Activation::Gelu, ..layer }
}

fn filled(count: usize, formula: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..count).map(|j| formula(j as f64)).collect()
}

/// The parameters by the recording's formula, and the direction in the order of the walk.
fn fill(net: &mut Net<Dual<f64>>) -> Array1<f64> {
    let mut directions = BTreeMap::new();
    for (k, (name, shape)) in shapes(net).into_iter().enumerate() {
        let (k, count) = (k as f64, shape.iter().product());
        let values = filled(count, |j| 0.6 * (1.7 * j + 0.9 * k + 0.4).sin());
        let param = net.param_mut(&name).unwrap();
        param.value_mut().iter_mut().zip(values).for_each(|(to, value)| *to = value.into());
        directions.insert(name, filled(count, |j| (0.8 * j + 0.5 * k).cos()));
    }
    let mut direction = Vec::new();
    net.visit(&mut ModulePath::default(), &mut |name, leaf| {
        if let Leaf::Param(_) = leaf {
            direction.extend(&directions[name]);
        }
    });
    direction.into()
}

fn shapes(net: &Net<Dual<f64>>) -> BTreeMap<String, Vec<usize>> {
    net.params().into_iter().map(|(name, param)| (name, param.shape().to_vec())).collect()
}

fn product(net: &mut Net<Dual<f64>>, direction: &Array1<f64>, input: &[usize]) -> Hvp<f64> {
    let x = filled(input.iter().product(), |j| 1.5 * (0.37 * j + 0.2).sin());
    let x = Tensor::from_shape_vec(input, x.into_iter().map(Dual::from).collect()).unwrap();
    hvp(net, direction, |net, tape| {
        let y = net.forward(tape.constant(x));
        let w = filled(y.shape().iter().product(), |j| (0.7 * (j + 1.0)).sin() + 0.2);
        let w = Tensor::from_shape_vec(y.shape(), w.into_iter().map(Dual::from).collect()).unwrap();
        ((y + y * y * 0.3) * tape.constant(w)).sum()
    })
}

#[test]
fn networks_have_pytorchs_hessian_vector_products() {
    let recorded = golden::read("second.json");
    for case in recorded["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut net = net(name);
        let direction = fill(&mut net);
        let found = product(&mut net, &direction, &integers(&case["input"]));
        let loss = number(&case["loss"]);
        assert!(
            (found.loss - loss).abs() <= 1e-12 * loss.abs().max(1.0),
            "{name}: {} for {loss}",
            found.loss
        );
        let mut rest = found.product.to_vec();
        let products: BTreeMap<String, _> = case["products"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, x)| (of_sequential(&net, name), tensor(x)))
            .collect();
        net.visit(&mut ModulePath::default(), &mut |at, leaf| {
            if let Leaf::Param(param) = leaf {
                let later = rest.split_off(param.value().len());
                let own = Tensor::from_shape_vec(param.shape(), std::mem::replace(&mut rest, later)).unwrap();
                assert_close(&format!("{name}: {at}"), &own, &products[at], 1e-12);
            }
        });
    }
}

/// A layer that is the whole network in PyTorch is the first of a `Sequential` here.
fn of_sequential(net: &Net<Dual<f64>>, name: &str) -> String {
    if net.params().contains_key(name) { name.to_owned() } else { format!("0.{name}") }
}

/// `⟨u, H v⟩ = ⟨v, H u⟩` with batch norm and dropout, whose mask stays.
#[test]
fn the_hessian_of_a_network_with_dropout_is_symmetric() {
    let mut net = net("dropout");
    let v = fill(&mut net);
    let u = v.mapv(|v| (5.0 * v + 1.0).sin());
    let (hv, hu) = (product(&mut net, &v, &[32, 40]).product, product(&mut net, &u, &[32, 40]).product);
    let (a, b) = (u.dot(&hv), v.dot(&hu));
    assert!((a - b).abs() <= 1e-10 * a.abs(), "{a} and {b}");
    assert!(a.abs() > 1.0, "nothing to see: {a}");
}

/// The products are large enough to be divided among the threads.
#[test]
fn hessian_vector_products_have_the_same_bits_at_any_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut net = net("dropout");
            let direction = fill(&mut net);
            product(&mut net, &direction, &[1024, 40])
        })
    };
    let bits = |found: &Hvp<f64>| found.product.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let one = on(1);
    for threads in [2, 3, 4] {
        assert_eq!(bits(&on(threads)), bits(&one), "{threads} threads");
    }
}
