//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::Momentum;
use wengert::optim::Sgd;
use wengert::prelude::{IntoTensor, Rule, Tensor};
use wengert_lab::grade_port;

#[test]
fn it_is_momentum() {
    let port = |Sgd { lr, momentum, .. }| Momentum { lr, mu: momentum };
    let grade = grade_port(port, Sgd { lr: 0.1, momentum: 0.9, ..Sgd::default() });
    assert!(grade.passed(), "{grade:#}");
}

#[test]
fn without_momentum_it_is_descent() {
    let port = |Sgd { lr, momentum, .. }| Momentum { lr, mu: momentum };
    let grade = grade_port(port, Sgd { lr: 0.01, ..Sgd::default() });
    assert!(grade.passed(), "{grade:#}");
}

#[test]
fn three_steps_by_hand() {
    let rule = Momentum { lr: 1.0, mu: 0.5 };
    let (mut p, g): (Tensor<f64>, Tensor<f64>) = ([0.0].into_tensor(), [1.0].into_tensor());
    let mut state = rule.init(&p);
    for (step, expected) in [-1.0, -2.5, -4.25].into_iter().enumerate() {
        rule.update(&mut p, &g, &mut state);
        assert_eq!(
            p[0],
            expected,
            "step {} under g = 1 with η = 1, μ = 1/2: the buffer is 1, 3/2, 7/4",
            step + 1
        );
    }
}

#[test]
fn hyper_parameters_are_checked() {
    let valid = |lr, mu| Rule::<f64>::validate(&Momentum { lr, mu }).is_ok();
    assert!(valid(0.1, 0.9) && valid(0.0, 0.0), "these are fine");
    assert!(!valid(-0.1, 0.9), "a negative rate climbs");
    assert!(!valid(f64::NAN, 0.9), "NaN is not a rate");
    assert!(!valid(0.1, 1.0), "with μ = 1 the buffer never fades");
    assert!(!valid(0.1, -0.1), "a negative μ");
}
