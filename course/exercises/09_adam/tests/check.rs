//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::Adam;
use wengert::optim::{self, WeightDecay};
use wengert::prelude::{IntoTensor, Rule, Tensor};
use wengert_lab::grade_port;

fn port(optim::Adam { lr, beta1, beta2, eps, weight_decay, .. }: optim::Adam) -> Adam {
    let decay = if let WeightDecay::Decoupled(lambda) = weight_decay { lambda } else { 0.0 };
    Adam { lr, beta1, beta2, eps: eps.value(), decay }
}

#[test]
fn adam() {
    let grade = grade_port(port, optim::Adam::default());
    assert!(grade.passed(), "Adam: {grade:#}");
}

#[test]
fn adamw() {
    let grade =
        grade_port(port, optim::Adam { weight_decay: WeightDecay::Decoupled(0.1), ..optim::Adam::default() });
    assert!(grade.passed(), "AdamW: {grade:#}");
}

#[test]
fn other_betas() {
    let grade = grade_port(port, optim::Adam { lr: 0.1, beta1: 0.5, beta2: 0.9, ..optim::Adam::default() });
    assert!(grade.passed(), "with β₁ = 0.5, β₂ = 0.9: {grade:#}");
}

#[test]
fn the_first_step_is_the_rate() {
    for g in [1e-3, 1.0, -1e3] {
        let rule = Adam { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-12, decay: 0.0 };
        let (mut p, grad): (Tensor<f64>, Tensor<f64>) = ([0.0].into_tensor(), [g].into_tensor());
        let mut state = rule.init(&p);
        rule.update(&mut p, &grad, &mut state);
        let expected = -0.01 * g.signum();
        let close = (p[0] - expected).abs() < 1e-9;
        assert!(
            close,
            "the first step under g = {g} leads to {}, expected {expected}: m̂ is g and √v̂ is |g|",
            p[0]
        );
    }
}
