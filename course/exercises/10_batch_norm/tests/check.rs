//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::BatchNorm;
use wengert::ndarray::{Array1, Array2, Axis, arr1, arr2};

fn batch() -> Array2<f64> {
    arr2(&[[1.0, 10.0], [2.0, -10.0], [3.0, 30.0], [6.0, 10.0]])
}

fn close(what: &str, found: &[f64], expected: &[f64], hint: &str) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0));
    assert!(found.len() == expected.len() && close, "{what} is {found:?}, expected {expected:?}: {hint}");
}

#[test]
fn normalizes_the_batch() {
    let y = BatchNorm { eps: 0.0, ..BatchNorm::new(2) }.train(&batch());
    let (mean, var) = (y.mean_axis(Axis(0)).unwrap(), y.var_axis(Axis(0), 0.0));
    close(
        "the mean of each feature",
        mean.as_slice().unwrap(),
        &[0.0, 0.0],
        "the mean of the batch is taken away",
    );
    let hint = "divide by the root of the variance over n, feature by feature";
    close("the variance of each feature", var.as_slice().unwrap(), &[1.0, 1.0], hint);
}

#[test]
fn gamma_and_beta() {
    let mut norm =
        BatchNorm { gamma: arr1(&[2.0, 3.0]), beta: arr1(&[10.0, 0.0]), eps: 0.0, ..BatchNorm::new(2) };
    let y = norm.train(&batch());
    // Mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5.
    let expected: Vec<_> =
        [1.0, 2.0, 3.0, 6.0].iter().map(|x| 2.0 * (x - 3.0) / 3.5_f64.sqrt() + 10.0).collect();
    close("the first feature", &y.column(0).to_vec(), &expected, "γ x̂ + β");
}

#[test]
fn epsilon_is_inside_the_root() {
    let mut norm = BatchNorm { eps: 0.5, ..BatchNorm::new(2) };
    let y = norm.train(&batch());
    let expected: Vec<_> = [1.0, 2.0, 3.0, 6.0].iter().map(|x| (x - 3.0) / 2.0).collect();
    close(
        "the first feature with ε = 1/2",
        &y.column(0).to_vec(),
        &expected,
        "√(3.5 + 0.5) = 2: ε is inside the root",
    );
}

#[test]
fn running_statistics() {
    let mut norm = BatchNorm { momentum: 0.25, ..BatchNorm::new(2) };
    norm.train(&batch());
    let hint = "(1 - momentum) old + momentum new";
    close("the running mean", norm.running_mean.as_slice().unwrap(), &[0.75, 2.5], hint);
    // Over n - 1: 14 / 3 and 800 / 3.
    let expected = [0.75 + 0.25 * 14.0 / 3.0, 0.75 + 0.25 * 800.0 / 3.0];
    let hint = "the running variance takes the unbiased one, over n - 1";
    close("the running variance", norm.running_var.as_slice().unwrap(), &expected, hint);
}

#[test]
fn evaluation() {
    let norm = BatchNorm {
        running_mean: arr1(&[1.0, 0.0]),
        running_var: arr1(&[4.0, 1.0]),
        eps: 0.0,
        ..BatchNorm::new(2)
    };
    let y = norm.evaluate(&arr2(&[[3.0, 5.0]]));
    close(
        "the row",
        &y.row(0).to_vec(),
        &[1.0, 5.0],
        "evaluation uses the running statistics, not the batch's",
    );
    let norm = BatchNorm { gamma: arr1(&[2.0, 1.0]), beta: arr1(&[0.0, 1.0]), ..norm };
    close(
        "the row",
        &norm.evaluate(&arr2(&[[3.0, 5.0]])).row(0).to_vec(),
        &[2.0, 6.0],
        "γ x̂ + β in evaluation too",
    );
}

fn norm() -> BatchNorm {
    BatchNorm { gamma: arr1(&[2.0, -0.5]), beta: arr1(&[0.3, 0.1]), ..BatchNorm::new(2) }
}

/// `Σ w y` as a function of the batch, and of γ and β.
fn loss(mut norm: BatchNorm, x: &Array2<f64>, w: &Array2<f64>) -> f64 {
    (norm.train(x) * w).sum()
}

#[test]
fn gradient_of_the_input() {
    let (x, w) = (batch(), arr2(&[[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0], [2.0, -1.0]]));
    let found = norm().backward(&x, &w).x;
    let slope = Array2::from_shape_fn((4, 2), |at| {
        let moved = |by: f64| {
            let mut x = x.clone();
            x[at] += by;
            loss(norm(), &x, &w)
        };
        (moved(1e-4) - moved(-1e-4)) / 2e-4
    });
    let off = (&found - &slope).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let hint = "mean and variance depend on every row, and share the gradient";
    assert!(off < 1e-6, "dx is\n{found}, the slopes of your train\n{slope}: {hint}");
    for sum in found.sum_axis(Axis(0)) {
        assert!(
            sum.abs() < 1e-9,
            "dx of a feature sums up to {sum}, not 0: a shift of the batch changes nothing"
        );
    }
}

#[test]
fn gradients_of_gamma_and_beta() {
    let (x, w) = (batch(), arr2(&[[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0], [2.0, -1.0]]));
    let found = norm().backward(&x, &w);
    let slope = |change: fn(&mut BatchNorm) -> &mut Array1<f64>| {
        let at = |i: usize, by: f64| {
            let mut norm = norm();
            change(&mut norm)[i] += by;
            loss(norm, &x, &w)
        };
        [0, 1].map(|i| (at(i, 0.5) - at(i, -0.5)))
    };
    let (gamma, beta) = (slope(|norm| &mut norm.gamma), slope(|norm| &mut norm.beta));
    close("dγ", found.gamma.as_slice().unwrap(), &gamma, "the sum over the rows of dy x̂");
    close("dβ", found.beta.as_slice().unwrap(), &beta, "the sum over the rows of dy");
}
