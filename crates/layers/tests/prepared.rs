//! A model prepared for inference gives what the inference tape gives, or is refused.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::Tape;
use wengert_autodiff::ndarray::{Array2, ArrayView2, Axis, array, s};
use wengert_layers::{
    Activation, BatchNorm, Conv2d, Dense, Dropout, Flatten, Layer, LayerNorm, PRelu, Prepared, Residual,
    Sequential,
};

const ACTIVATIONS: [Activation; 14] = [
    Activation::Relu,
    Activation::LeakyRelu(0.1),
    Activation::Elu(0.7),
    Activation::Gelu,
    Activation::GeluTanh,
    Activation::Silu,
    Activation::Softplus,
    Activation::Selu,
    Activation::Mish,
    Activation::Hardsigmoid,
    Activation::Hardswish,
    Activation::Softsign,
    Activation::Tanh,
    Activation::Sigmoid,
];

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

/// A batch norm that has seen something.
fn norm(channels: usize, rng: &mut StdRng) -> BatchNorm {
    let mut norm = BatchNorm::new(channels);
    let mut number = |low: f32, high: f32| low + (high - low) * rng.random::<f32>();
    for_each_value(&mut norm, |name, value| match name {
        "running_mean" | "bias" => *value = number(-1.0, 1.0),
        "running_var" => *value = number(0.3, 2.0),
        "weight" => *value = number(-1.5, 1.5),
        _ => {}
    });
    norm
}

fn for_each_value(norm: &mut BatchNorm, mut change: impl FnMut(&str, &mut f32)) {
    for (name, values) in [
        ("weight", norm.weight.as_mut().unwrap().value_mut()),
        ("bias", norm.bias.as_mut().unwrap().value_mut()),
        ("running_mean", norm.running_mean.value_mut()),
        ("running_var", norm.running_var.value_mut()),
    ] {
        values.iter_mut().for_each(|value| change(name, value));
    }
}

/// Models by name: each kind of layer, in each place where it is treated in another way.
fn models() -> Vec<(String, Sequential)> {
    let r = &mut rng();
    let without_bias = Dense { bias: None, ..Dense::new(33, 17, r) };
    let plain = BatchNorm { weight: None, bias: None, ..norm(17, r) };
    let mut models: Vec<(String, Sequential)> = ACTIVATIONS
        .into_iter()
        .map(|activation| {
            let model =
                Sequential::new().with(Dense::new(5, 19, r)).with(activation).with(Dense::new(19, 3, r));
            (format!("{activation:?}"), model)
        })
        .collect();
    let mut add = |name: &str, model: Sequential| models.push((name.to_owned(), model));
    add("one layer", Sequential::new().with(Dense::new(1, 1, r)));
    add("an activation first", Sequential::new().with(Activation::Tanh).with(Dense::new(7, 2, r)));
    add("an activation last", Sequential::new().with(Dense::new(7, 2, r)).with(Activation::Sigmoid));
    add("no bias", Sequential::new().with(without_bias.clone()).with(Activation::Relu));
    add("no bias, batch norm", Sequential::new().with(without_bias).with(plain.clone()));
    add("batch norm first", Sequential::new().with(norm(9, r)).with(Dense::new(9, 4, r)));
    add("batch norm only", Sequential::new().with(plain).with(norm(17, r)));
    let folded = Sequential::new().with(Dense::new(784, 256, r)).with(norm(256, r)).with(Activation::Relu);
    let folded = folded.with(Dropout::new(0.2)).with(Dense::new(256, 128, r)).with(Dropout::new(0.5));
    add("of the example", folded.with(norm(128, r)).with(Activation::Relu).with(Dense::new(128, 10, r)));
    let behind = Sequential::new().with(Dense::new(6, 40, r)).with(Activation::Relu).with(norm(40, r));
    add("batch norm behind an activation", behind.with(Dense::new(40, 3, r)));
    let inner =
        Sequential::new().with(Dense::new(30, 41, r)).with(Activation::Silu).with(Dense::new(41, 30, r));
    let nested = Sequential::new().with(Flatten).with(Residual(inner.clone())).with(inner.clone());
    add("residual", nested.clone());
    let boxed: Box<dyn Layer> = Box::new(inner.clone().with(Residual(Dense::new(30, 30, r))));
    add("residuals", Sequential::new().with(Dense::new(11, 30, r)).with(nested).with(Residual(boxed)));
    let rest = Residual(Sequential::new().with(norm(30, r)).with(Activation::Relu));
    add("residual behind a dense layer", Sequential::new().with(Dense::new(4, 30, r)).with(rest));
    let constant = Dense { weight: Array2::zeros((3, 4)).into(), bias: None };
    add("zeros", Sequential::new().with(constant).with(norm(3, r)));
    add("no outputs", Sequential::new().with(Dense::new(4, 0, r)));
    models
}

fn input(n: usize, width: usize) -> Array2<f32> {
    let rng = &mut rng();
    Array2::from_shape_simple_fn((n, width), || 4.0 * rng.random::<f32>() - 2.0)
}

fn on_the_tape(model: &Sequential, x: ArrayView2<'_, f32>) -> Array2<f32> {
    let tape = Tape::inference();
    let y = model.forward(tape.constant(x.to_owned().into_dyn())).value();
    y.to_owned().into_dimensionality().unwrap()
}

fn assert_close(what: &str, found: &Array2<f32>, expected: &Array2<f32>) {
    assert_eq!(found.dim(), expected.dim(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        assert!(
            same || (found - expected).abs() <= 1e-5 * (1.0 + expected.abs()),
            "{what}: {found}, {expected}"
        );
    }
}

#[test]
fn every_model_gives_what_the_tape_gives() {
    for (name, model) in models() {
        let prepared = Prepared::new(&model).unwrap();
        for n in [0, 1, 2, 7, 16, 47, 48, 49, 256] {
            let x = input(n, prepared.inputs());
            let y = prepared.predict(x.view());
            assert_eq!(y.dim(), (n, prepared.outputs()));
            assert_close(&format!("{name}, {n} rows"), &y, &on_the_tape(&model, x.view()));
        }
    }
}

/// `y = max(((x W ᵀ + b - μ) / √(σ² + ε)) γ + β, 0)`, by hand.
#[test]
fn a_folded_batch_norm_is_the_formula() {
    let dense = Dense { weight: array![[1.0, 2.0], [3.0, -4.0]].into(), bias: Some(array![0.5, 1.0].into()) };
    let norm = BatchNorm {
        weight: Some(array![2.0, 3.0].into()),
        bias: Some(array![0.25, -1.0].into()),
        running_mean: array![1.5, -2.0].into(),
        running_var: array![3.0, 15.0].into(),
        eps: 1.0,
        ..BatchNorm::new(2)
    };
    let model = Sequential::new().with(dense).with(norm).with(Activation::Relu);
    let y = Prepared::new(&model).unwrap().predict(array![[1.0, 1.0], [-2.0, 3.0]].view());
    assert_eq!(y, array![[2.25, 0.5], [3.25, 0.0]]);
}

#[test]
fn not_a_number_and_infinity_pass_through_as_on_the_tape() {
    for (name, model) in models() {
        let prepared = Prepared::new(&model).unwrap();
        for hostile in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE / 8.0, 1e30] {
            let mut x = input(3, prepared.inputs());
            x[[1, 0]] = hostile;
            let y = prepared.predict(x.view());
            assert_close(&format!("{name} with {hostile}"), &y, &on_the_tape(&model, x.view()));
        }
    }
}

/// Statistics and weights with which a folded layer would not be the same: it is not folded then.
#[test]
fn hostile_parameters_are_as_on_the_tape() {
    for hostile in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, 1e-44] {
        for field in ["weight", "bias", "running_mean", "running_var"] {
            for eps in [0.0, 1e-5] {
                let r = &mut rng();
                let mut norm = BatchNorm { eps, ..norm(3, r) };
                let mut first = true;
                for_each_value(&mut norm, |name, value| {
                    if name == field && std::mem::take(&mut first) {
                        *value = hostile;
                    }
                });
                let model = Sequential::new().with(Dense::new(4, 3, r)).with(norm);
                let prepared = Prepared::new(&model).unwrap();
                let mut x = input(5, 4);
                x[[1, 2]] = f32::INFINITY;
                let y = prepared.predict(x.view());
                let what = format!("{field} {hostile}, ε {eps}");
                assert_close(&what, &y, &on_the_tape(&model, x.view()));
            }
        }
    }
}

#[test]
fn a_row_does_not_depend_on_the_others_nor_on_the_threads() {
    let (_, model) = models().into_iter().find(|(name, _)| name == "of the example").unwrap();
    let prepared = Prepared::new(&model).unwrap();
    let x = input(300, 784);
    let all = prepared.predict(x.view());
    for n in [1, 2, 7, 50, 100] {
        assert_eq!(prepared.predict(x.slice(s![40..40 + n, ..])), all.slice(s![40..40 + n, ..]));
    }
    // Strides of any kind.
    let turned = x.t().as_standard_layout().into_owned();
    assert_eq!(prepared.predict(turned.t()), all);
    let mut upside_down = x.view();
    upside_down.invert_axis(Axis(0));
    assert_eq!(prepared.predict(upside_down), all.slice(s![..;-1, ..]));
    let clients = std::thread::scope(|scope| {
        let clients = [(); 3].map(|()| scope.spawn(|| prepared.predict(x.view())));
        clients.map(|client| client.join().unwrap())
    });
    assert!(clients.iter().all(|y| y == all));
}

#[test]
fn the_place_may_hold_anything() {
    let (_, model) = models().pop().unwrap();
    for model in [model, Sequential::new().with(Dense::new(4, 3, &mut rng()))] {
        let prepared = Prepared::new(&model).unwrap();
        let x = input(5, 4);
        let mut frame = Array2::from_elem((7, prepared.outputs() + 2), f32::NAN);
        prepared.predict_into(x.view(), frame.slice_mut(s![1..6, 1..=prepared.outputs()]));
        assert_eq!(frame.slice(s![1..6, 1..=prepared.outputs()]), prepared.predict(x.view()));
        assert!(frame.row(0).iter().chain(frame.column(0)).all(|x| x.is_nan()));
    }
}

#[test]
fn it_is_a_copy() {
    let r = &mut rng();
    let mut model = Sequential::new().with(Dense::new(4, 3, r));
    let prepared = Prepared::new(&model).unwrap();
    let x = input(2, 4);
    let before = on_the_tape(&model, x.view());
    model.get_mut::<Dense>(0).unwrap().weight.value_mut().fill(0.0);
    assert_close("after the weights were cleared", &prepared.predict(x.view()), &before);
}

#[test]
fn what_cannot_be_prepared_is_refused_by_name() {
    let r = &mut rng();
    let dense = |inputs, outputs| Dense::new(inputs, outputs, &mut rng());
    let of = |layers: Vec<Box<dyn Layer>>| layers.into_iter().collect::<Sequential>();
    let odd = |weight: Array2<f32>, bias: Option<wengert_autodiff::ndarray::Array1<f32>>| Dense {
        weight: weight.into(),
        bias: bias.map(Into::into),
    };
    let cases: Vec<(Sequential, &str)> = vec![
        (Sequential::new(), "no layer tells how many inputs there are"),
        (of(vec![Box::new(Activation::Relu), Box::new(Flatten)]), "no layer tells how many inputs there are"),
        (
            of(vec![Box::new(dense(4, 3)), Box::new(LayerNorm::new(3))]),
            "layer 1 (`LayerNorm`) is of a kind that is not supported",
        ),
        (
            of(vec![Box::new(Conv2d::new(1, 6, [5, 5], r))]),
            "layer 0 (`Conv2d`) is of a kind that is not supported",
        ),
        (
            of(vec![
                Box::new(dense(4, 3)),
                Box::new(of(vec![Box::new(Activation::Relu), Box::new(PRelu::new(1))])),
            ]),
            "layer 1.1 (`PRelu`) is of a kind that is not supported",
        ),
        (
            of(vec![Box::new(Residual(PRelu::new(1)))]),
            "layer 0 (`Residual`) is of a kind that is not supported",
        ),
        (
            of(vec![Box::new(dense(4, 3)), Box::new(Activation::Relu), Box::new(dense(4, 2))]),
            "layer 2 (`Dense`) takes 4 numbers, and gets 3",
        ),
        (
            of(vec![Box::new(dense(4, 3)), Box::new(BatchNorm::new(4))]),
            "layer 1 (`BatchNorm`) takes 4 numbers, and gets 3",
        ),
        (
            of(vec![Box::new(Residual(of(vec![Box::new(dense(4, 3))])))]),
            "layer 0 (`Residual`) takes 4 numbers and adds 3 to them",
        ),
        (
            of(vec![
                Box::new(dense(4, 3)),
                Box::new(Residual(of(vec![Box::new(dense(3, 5)), Box::new(dense(4, 3))]))),
            ]),
            "layer 1.1 (`Dense`) takes 4 numbers, and gets 5",
        ),
        (
            of(vec![Box::new(odd(Array2::zeros((3, 4)), Some(array![0.0, 0.0])))]),
            "layer 0 (`Dense`) has a bias of shape [2]",
        ),
        (
            of(vec![Box::new(BatchNorm { running_var: array![1.0].into(), ..BatchNorm::new(2) })]),
            "layer 0 (`BatchNorm`) has parameters of several lengths",
        ),
    ];
    for (model, expected) in cases {
        let error = Prepared::new(&model).unwrap_err().to_string();
        assert_eq!(error, format!("cannot prepare the model: {expected}"));
    }
    let weight = wengert_autodiff::ndarray::Array3::<f32>::zeros((1, 2, 3));
    let model = Sequential::new().with(Dense { weight: weight.into(), bias: None });
    let error = Prepared::new(&model).unwrap_err().to_string();
    assert_eq!(error, "cannot prepare the model: layer 0 (`Dense`) has a weight of shape [1, 2, 3]");
}

#[test]
#[should_panic(expected = "`predict` needs an input [n, 4] and a place [n, 3], not [2, 5] and [2, 3]")]
fn rows_of_another_length_are_refused() {
    let model = Sequential::new().with(Dense::new(4, 3, &mut rng()));
    Prepared::new(&model).unwrap().predict(input(2, 5).view());
}
