//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{cross_entropy, cross_entropy_gradient, log_softmax, softmax};
use wengert::ndarray::{Array2, Axis, arr2};

fn same(what: &str, found: &Array2<f64>, expected: &Array2<f64>, hint: &str) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1e-3));
    assert!(found.dim() == expected.dim() && close, "{what} is\n{found}, expected\n{expected}: {hint}");
}

fn close(what: &str, found: f64, expected: f64, hint: &str) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{what} is {found}, expected {expected}: {hint}"
    );
}

#[test]
fn probabilities() {
    let p = softmax(&arr2(&[[0.0, 0.0], [3.0_f64.ln(), 0.0], [0.0, -(4.0_f64.ln())]]));
    same("softmax", &p, &arr2(&[[0.5, 0.5], [0.75, 0.25], [0.8, 0.2]]), "eˣ over the sum of its row");
}

#[test]
fn rows_sum_to_one() {
    let logits = Array2::from_shape_fn((3, 5), |(i, j)| (i * j) as f64 * 0.3 - 1.0);
    for sum in softmax(&logits).sum_axis(Axis(1)) {
        close(
            "the sum of a row of probabilities",
            sum,
            1.0,
            "each row is normalised by itself, not each column",
        );
    }
}

#[test]
fn large_logits() {
    let p = softmax(&arr2(&[[1000.0, 1000.0], [1e5, 0.0], [-1000.0, -1000.0]]));
    let expected = arr2(&[[0.5, 0.5], [1.0, 0.0], [0.5, 0.5]]);
    same("softmax of large logits", &p, &expected, "e¹⁰⁰⁰ overflows: take the largest of the row away first");
}

#[test]
fn rows_of_different_size() {
    let p = softmax(&arr2(&[[1000.0, 999.0], [0.0, -1.0]]));
    let expected = 1.0 / (1.0 + (-1.0_f64).exp());
    let row = [expected, 1.0 - expected];
    let hint =
        "take the largest of the row away, not the largest of all: beside 1000 the second row underflows";
    same("softmax", &p, &arr2(&[row, row]), hint);
}

#[test]
fn small_probabilities() {
    let logs = log_softmax(&arr2(&[[0.0, 2000.0]]));
    let hint = "e⁻²⁰⁰⁰ is 0 and its logarithm -∞: do not form the probability";
    same("log_softmax", &logs, &arr2(&[[-2000.0, 0.0]]), hint);
    close("cross_entropy of a hopeless row", cross_entropy(&arr2(&[[0.0, 2000.0]]), &[0]), 2000.0, hint);
}

#[test]
fn losses() {
    close(
        "the loss of ten equal logits",
        cross_entropy(&Array2::zeros((4, 10)), &[0, 3, 9, 3]),
        10.0_f64.ln(),
        "it is ln 10, the mean over the rows",
    );
    let logits = arr2(&[[3.0_f64.ln(), 0.0], [0.0, 0.0]]);
    let expected = (4.0_f64.ln() + 2.0_f64.ln()) / 2.0;
    close(
        "the loss of (1/4, 1/2)",
        cross_entropy(&logits, &[1, 0]),
        expected,
        "-ln p of the right class, mean over the rows",
    );
}

#[test]
fn gradients() {
    let logits = arr2(&[[3.0_f64.ln(), 0.0], [0.0, 0.0]]);
    let expected = arr2(&[[0.375, -0.375], [-0.25, 0.25]]);
    let hint = "(softmax - one) / rows";
    same("the gradient", &cross_entropy_gradient(&logits, &[1, 0]), &expected, hint);
}

#[test]
fn gradients_are_slopes() {
    let logits = Array2::from_shape_fn((3, 4), |(i, j)| (i as f64 - 1.0) * j as f64);
    let labels = [0, 2, 3];
    let slope = Array2::from_shape_fn((3, 4), |at| {
        let moved = |by: f64| {
            let mut logits = logits.clone();
            logits[at] += by;
            cross_entropy(&logits, &labels)
        };
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    });
    let found = cross_entropy_gradient(&logits, &labels);
    let off = (&found - &slope).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(off < 1e-7, "the gradient is\n{found}, the slope of your cross_entropy\n{slope}");
}
