//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::RmsProp;
use wengert::optim::{self, Epsilon};
use wengert::prelude::{IntoTensor, Rule, Tensor};
use wengert_lab::{Grade, grade_port};

fn port(meant: optim::RmsProp) -> RmsProp {
    let optim::RmsProp { lr, rho, eps, v0, bias_correction, .. } = meant;
    RmsProp { lr, rho, eps: eps.value(), eps_inside: matches!(eps, Epsilon::Inside(_)), v0, bias_correction }
}

fn grade(meant: optim::RmsProp) -> Grade {
    grade_port(port, meant)
}

#[test]
fn torch() {
    let grade = grade(optim::RmsProp::torch());
    assert!(grade.passed(), "as PyTorch has it, ε outside: {grade:#}");
}

#[test]
fn epsilon_inside() {
    let grade = grade(optim::RmsProp { eps: Epsilon::Inside(1e-7), rho: 0.9, ..optim::RmsProp::torch() });
    assert!(grade.passed(), "as Keras has it, ε inside: {grade:#}");
}

#[test]
fn a_start_at_one() {
    let meant = optim::RmsProp { eps: Epsilon::Inside(1e-10), rho: 0.9, v0: 1.0, ..optim::RmsProp::torch() };
    let grade = grade(meant);
    assert!(grade.passed(), "as TensorFlow 1 had it, v₀ = 1: {grade:#}");
}

#[test]
fn bias_correction() {
    let grade = grade(optim::RmsProp { bias_correction: true, ..optim::RmsProp::torch() });
    assert!(grade.passed(), "with bias correction, ε outside: {grade:#}");
}

#[test]
fn bias_correction_and_epsilon_inside() {
    let meant =
        optim::RmsProp { bias_correction: true, eps: Epsilon::Inside(1e-3), ..optim::RmsProp::torch() };
    let grade = grade(meant);
    assert!(grade.passed(), "with bias correction, ε inside: v is corrected before ε is added: {grade:#}");
}

#[test]
fn first_step_by_hand() {
    let rule =
        port(optim::RmsProp { lr: 0.1, rho: 0.75, eps: Epsilon::Outside(1.0), ..optim::RmsProp::torch() });
    let (mut p, g): (Tensor<f64>, Tensor<f64>) = ([0.0].into_tensor(), [2.0].into_tensor());
    let mut state = rule.init(&p);
    rule.update(&mut p, &g, &mut state);
    assert_eq!((state.v[0], state.steps), (1.0, 1), "v and steps after g = 2 with ρ = 3/4: v = 1/4 · 2²");
    assert!((p[0] + 0.1).abs() < 1e-12, "p is {}, expected 0 - 0.1 · 2 / (√1 + 1) = -0.1", p[0]);
}
