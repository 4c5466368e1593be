//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::AdaGrad;
use wengert::optim::{self, Epsilon};
use wengert::prelude::{IntoTensor, Rule, Tensor};
use wengert_lab::grade_port;

#[test]
fn it_is_adagrad() {
    let port = |optim::AdaGrad { lr, eps, .. }| AdaGrad { lr, eps: eps.value() };
    let meant = optim::AdaGrad { lr: 0.1, eps: Epsilon::Outside(1e-8), ..optim::AdaGrad::default() };
    let grade = grade_port(port, meant);
    assert!(grade.passed(), "{grade:#}");
}

#[test]
fn a_large_epsilon() {
    let port = |optim::AdaGrad { lr, eps, .. }| AdaGrad { lr, eps: eps.value() };
    let meant = optim::AdaGrad { lr: 0.1, eps: Epsilon::Outside(0.5), ..optim::AdaGrad::default() };
    let grade = grade_port(port, meant);
    assert!(grade.passed(), "with ε = 1/2: {grade:#}");
}

#[test]
fn steps_fall_as_the_root_of_t() {
    let rule = AdaGrad { lr: 1.0, eps: 1e-12 };
    let (mut p, g): (Tensor<f64>, Tensor<f64>) = ([0.0].into_tensor(), [2.0].into_tensor());
    let mut state = rule.init(&p);
    for t in 1..=9 {
        let before = p[0];
        rule.update(&mut p, &g, &mut state);
        let (step, expected) = (before - p[0], 1.0 / f64::from(t).sqrt());
        assert!(
            (step - expected).abs() < 1e-9,
            "step {t} under g = 2 is {step}, expected η / √t = {expected}"
        );
    }
}
