//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{Centered, Memory};
use wengert::optim::{self, Epsilon};
use wengert::prelude::{IntoTensor, Rule, Tensor};
use wengert_lab::grade_port;

fn after(steps: usize, gradients: &Tensor<f64>) -> (Tensor<f64>, Memory<f64>) {
    let rule = Centered { lr: 1e-3, rho: 0.9, eps: 1e-2 };
    let mut p: Tensor<f64> = Tensor::zeros(gradients.raw_dim());
    let mut state = rule.init(&p);
    (0..steps).for_each(|_| rule.update(&mut p, gradients, &mut state));
    (p, state)
}

#[test]
fn it_is_centered_rmsprop() {
    let port = |optim::RmsProp { lr, rho, eps, .. }| Centered { lr, rho, eps: eps.value() };
    let meant = optim::RmsProp { centered: true, eps: Epsilon::Outside(1e-3), ..optim::RmsProp::torch() };
    let grade = grade_port(port, meant);
    assert!(grade.passed(), "{grade:#}");
}

#[test]
fn no_nan_under_steady_gradients() {
    let gradients: Tensor<f64> = Tensor::from_shape_fn(vec![200], |i| 0.01 * (i[0] + 1) as f64);
    let (p, _) = after(2000, &gradients);
    let lost = p.iter().filter(|p| !p.is_finite()).count();
    assert_eq!(
        lost, 0,
        "parameters that are NaN after 2000 steps under steady gradients: v - m² came out negative"
    );
}

#[test]
fn negative_variances_are_counted() {
    let gradients: Tensor<f64> = Tensor::from_shape_fn(vec![200], |i| 0.01 * (i[0] + 1) as f64);
    let (_, state) = after(2000, &gradients);
    assert!(
        state.clamped > 0,
        "of 200 elements under steady gradients some variances come out negative: count them"
    );
    let (_, state) = after(1, &[1.0].into_tensor());
    assert_eq!(state.clamped, 0, "v - m² = 0.1 - 0.01 is not negative: do not count it");
}

#[test]
fn first_step_by_hand() {
    let (p, state) = after(1, &[2.0].into_tensor());
    let variance = 0.1 * 4.0 - 0.04;
    assert!(
        (state.v[0] - 0.4).abs() < 1e-12 && (state.m[0] - 0.2).abs() < 1e-12,
        "v = 0.1 · 2², m = 0.1 · 2: {state:?}"
    );
    let expected = -1e-3 * 2.0 / (f64::sqrt(variance) + 1e-2);
    assert!((p[0] - expected).abs() < 1e-12, "p is {}, expected {expected}: v - m² = {variance}", p[0]);
}
