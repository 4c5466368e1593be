//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{Dense, Gradients};
use wengert::ndarray::{Array, Array2, Dimension, arr1, arr2};

/// Square, so that a forgotten transpose shows in the numbers and not in a shape.
fn layer() -> Dense {
    Dense { weight: arr2(&[[1.0, 2.0], [-3.0, 0.5]]), bias: arr1(&[0.25, -1.0]) }
}

fn same<D: Dimension>(what: &str, found: &Array<f64, D>, expected: &Array<f64, D>, hint: &str) {
    assert!(found == expected, "{what} is\n{found}, expected\n{expected}: {hint}");
}

fn gradients() -> Gradients {
    layer().backward(
        &arr2(&[[1.0, -1.0], [2.0, 3.0], [0.0, 4.0]]),
        &arr2(&[[1.0, 0.0], [0.5, -2.0], [-1.0, 4.0]]),
    )
}

#[test]
fn forward() {
    let y = layer().forward(&arr2(&[[1.0, -1.0], [2.0, 3.0]]));
    let hint = "x Wᵀ + b: the weight is transposed, and every row gets the bias";
    same("y", &y, &arr2(&[[-0.75, -4.5], [8.25, -5.5]]), hint);
}

#[test]
fn other_shapes() {
    let layer = Dense { weight: arr2(&[[1.0, 2.0, 3.0]]), bias: arr1(&[1.0]) };
    let x = arr2(&[[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]);
    same("y", &layer.forward(&x), &arr2(&[[7.0], [3.0]]), "three inputs, one output");
    let gradients = layer.backward(&x, &arr2(&[[1.0], [10.0]]));
    assert_eq!(gradients.x.dim(), (2, 3), "dx has the shape of x");
    same("dW", &gradients.weight, &arr2(&[[1.0, 11.0, 1.0]]), "dW = dyᵀ x, in the shape of W");
    same("db", &gradients.bias, &arr1(&[11.0]), "the sum of dy over the rows, in the shape of b");
}

#[test]
fn gradient_of_the_input() {
    let hint = "dx = dy W: forward transposes the weight, so backward does not";
    same("dx", &gradients().x, &arr2(&[[1.0, 2.0], [6.5, 0.0], [-13.0, 0.0]]), hint);
}

#[test]
fn gradient_of_the_weight() {
    let hint = "dW = dyᵀ x, summed over the rows of the batch, not their mean: the loss decides on the mean";
    same("dW", &gradients().weight, &arr2(&[[2.0, -3.5], [-4.0, 10.0]]), hint);
}

#[test]
fn gradient_of_the_bias() {
    let hint = "the bias is used for every row, so db is the sum of dy over the rows";
    same("db", &gradients().bias, &arr1(&[0.5, 2.0]), hint);
}

#[test]
fn the_tape_agrees() {
    use wengert::prelude::{IntoTensor, Layer, Tape};

    let tape = Tape::new();
    let weight = Array2::from_shape_fn((4, 5), |(i, j)| (i as f64 - 1.3) * (j as f64 + 0.7));
    let x = Array2::from_shape_fn((3, 5), |(i, j)| (i as f64 + 1.0).sin() * (j as f64 - 2.0));
    let dy = Array2::from_shape_fn((3, 4), |(i, j)| (i * 4 + j) as f64 - 5.0);
    let layer = Dense { weight: weight.clone(), bias: arr1(&[1.0, 2.0, 3.0, 4.0]) };
    let model = wengert::layers::Dense { weight: weight.into(), bias: Some(layer.bias.clone().into()) };
    let y = model.forward(tape.constant(x.clone().into_tensor()));
    let off = (&y.value() - &layer.forward(&x)).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(off < 1e-12, "forward differs from the library's by {off}");
    let grads = (y * tape.constant(dy.clone().into_tensor())).sum().backward();
    let ours = layer.backward(&x, &dy);
    assert_eq!(ours.weight.dim(), (4, 5), "dW has the shape of W");
    let of_weight = grads.get(&model.weight).expect("a gradient");
    let off = (of_weight - &ours.weight).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(off < 1e-9, "dW differs from the library's by {off}");
}
