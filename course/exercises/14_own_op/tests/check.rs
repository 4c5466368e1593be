//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{huber, softsign, worst};
use wengert::autodiff::check_gradients;
use wengert::prelude::{IntoTensor, Tape, Tensor, Var};

const X: [f64; 7] = [-30.0, -2.0, -0.5, 0.0, 0.25, 1.0, 3.0];

/// The value and the gradient of the sum, weighted with 1, 2, 3 and so on.
fn run(op: impl for<'t> Fn(Var<'t, f64>) -> Var<'t, f64>) -> (Tensor<f64>, Tensor<f64>) {
    let tape = Tape::new();
    let x = tape.variable(X.into_tensor());
    let y = op(x);
    let weights: Tensor<f64> = Tensor::from_shape_fn(vec![7], |i| i[0] as f64 + 1.0);
    let grads = (y * tape.constant(weights)).sum().backward();
    (y.value(), grads.wrt(x).expect("an edge to x").clone())
}

fn same(what: &str, found: &Tensor<f64>, expected: impl Fn(usize, f64) -> f64, hint: &str) {
    for (i, (&found, x)) in found.iter().zip(X).enumerate() {
        let expected = expected(i, x);
        assert!((found - expected).abs() < 1e-12, "{what} at {x} is {found}, expected {expected}: {hint}");
    }
}

#[test]
fn softsign_values() {
    same("softsign", &run(softsign).0, |_, x| x / (1.0 + x.abs()), "x / (1 + |x|)");
}

#[test]
fn softsign_gradients() {
    let hint = "dy / (1 + |x|)², where dy is what comes from above: 1, 2, 3 and so on";
    same("dx of softsign", &run(softsign).1, |i, x| (i as f64 + 1.0) / (1.0 + x.abs()).powi(2), hint);
}

#[test]
fn huber_values() {
    let expected = |_, x: f64| if x.abs() <= 0.5 { x * x / 2.0 } else { 0.5 * (x.abs() - 0.25) };
    same("huber with δ = 1/2", &run(|x| huber(x, 0.5)).0, expected, "x² / 2 up to δ, δ (|x| - δ / 2) beyond");
}

#[test]
fn huber_gradients() {
    let hint = "x dy up to δ, ± δ dy beyond, with the sign of x";
    same(
        "dx of huber with δ = 1/2",
        &run(|x| huber(x, 0.5)).1,
        |i, x| (i as f64 + 1.0) * x.clamp(-0.5, 0.5),
        hint,
    );
}

#[test]
fn the_check_agrees() {
    let x: Tensor<f64> = [[-3.0, -0.4, 0.2], [0.3, 1.5, 20.0]].into_tensor();
    let report = check_gradients(|_, x| softsign(x[0]) * huber(x[0], 1.0), &[x]);
    assert!(report.relative_error < 1e-6, "check_gradients of a matrix: {report}");
}

#[test]
fn used_twice() {
    let expected = |i: usize, x: f64| 2.0 * (i as f64 + 1.0) / (1.0 + x.abs()).powi(2) * x / (1.0 + x.abs());
    same("dx of softsign²", &run(|x| softsign(x) * softsign(x)).1, expected, "each use is a node of its own");
}

#[test]
fn worst_is_the_reports() {
    let found = worst(&[-2.0, 0.5, 3.0]);
    let x: Tensor<f64> = [-2.0, 0.5, 3.0].into_tensor();
    let expected = check_gradients(|_, x| softsign(x[0]), &[x]).relative_error;
    assert!(found < 1e-6, "the worst relative error of softsign is {found:e}, expected below 1e-6");
    assert_eq!(found, expected, "it is the worst of the report");
}
