//! What the rules say of their rate and their memory, against their own updates; and Adam, SGD and RMSProp in each
//! other's place.

use ndarray::arr1;
use wengert_autodiff::{Gradients, Param, Tensor};
use wengert_optim::inspect::Explain;
use wengert_optim::{
    AdaGrad, Adam, Adamax, Epsilon, Lion, NAdam, Optimizer, RAdam, RmsProp, Rprop, Rule, Sgd,
};

fn vector(values: &[f64]) -> Tensor<f64> {
    arr1(values).into_dyn().into_shared()
}

fn assert_close(found: &Tensor<f64>, expected: &Tensor<f64>) {
    for (&found, &expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found:e}, expected {expected:e}");
    }
}

/// The effective rate after a step, times the direction, is the step that was taken.
fn assert_rate<R: Explain<f64>>(rule: R, direction: impl Fn(f64) -> f64) {
    let mut param = vector(&[0.0]);
    let mut state = rule.init(&param);
    for g in [0.5, 2.0, 0.01, 1.0, 3.0, 0.7, 0.2, 5.0, 1e-3, 0.1, 0.4, 0.9] {
        let before = param[0];
        rule.update(&mut param, &vector(&[g]), &mut state);
        let (step, rate) = (param[0] - before, rule.effective_lr(&param, &state)[0]);
        let expected = -rate * direction(g);
        assert!((step - expected).abs() <= 1e-10 * expected.abs(), "{rule:?}: {step:e}, not {expected:e}");
    }
}

/// The rules as they are where nothing but the gradient, or its sign, is the direction. Adadelta is not among them: its
/// rate is the ratio of two roots of different age.
#[test]
fn the_effective_rate_is_that_of_the_step_which_was_taken() {
    let gradient = |g: f64| g;
    assert_rate(Sgd::default(), gradient);
    assert_rate(RmsProp { centered: true, bias_correction: true, v0: 0.5, ..RmsProp::default() }, gradient);
    assert_rate(RmsProp { lr_in_momentum: true, ..RmsProp::default() }, gradient);
    assert_rate(AdaGrad { lr_decay: 0.3, r0: 0.1, ..AdaGrad::default() }, gradient);
    assert_rate(Adamax { beta1: 0.0, beta2: 0.5, ..Adamax::default() }, gradient);
    for eps in [Epsilon::Outside(0.1), Epsilon::Inside(0.1), Epsilon::Uncorrected(0.1)] {
        assert_rate(RmsProp { eps, bias_correction: true, ..RmsProp::default() }, gradient);
        assert_rate(AdaGrad { eps, ..AdaGrad::default() }, gradient);
        assert_rate(Adam { eps, beta1: 0.0, ..Adam::default() }, gradient);
        assert_rate(Adam { eps, beta1: 0.0, beta2: 0.5, amsgrad: true, ..Adam::default() }, gradient);
        assert_rate(Adamax { eps, beta1: 0.0, ..Adamax::default() }, gradient);
        assert_rate(NAdam { eps, beta1: 0.0, ..NAdam::default() }, gradient);
        assert_rate(RAdam { eps, beta1: 0.0, ..RAdam::default() }, gradient); // rectified from step 6 on
    }
    assert_rate(Lion { beta1: 0.0, ..Lion::default() }, f64::signum);
    assert_rate(Rprop::default(), f64::signum);
}

fn run<R: Rule<f64>>(rule: R) -> Optimizer<R, f64> {
    let mut opt = Optimizer::new(rule);
    let mut param = Param::new(vector(&[1.0, -2.0]));
    for k in 0..10 {
        let mut grads = Gradients::default();
        grads.set(&param, vector(&[f64::from(k % 4) - 1.3, f64::from(k * k) * 0.1 + 0.2]));
        opt.step(&mut param, &grads);
    }
    opt
}

#[test]
fn adam_momentum_and_rmsprop_take_each_others_place() {
    let momentum = Sgd { momentum: 0.9, ..Sgd::default() };
    let centered = RmsProp { rho: 0.9, centered: true, ..RmsProp::default() };
    let adam = Adam { beta1: 0.9, beta2: 0.9, ..Adam::default() };
    let (sgd, rmsprop, adam) = (run(momentum), run(centered), run(adam));

    let mut to_sgd = Optimizer::new(momentum);
    to_sgd.translate_from(&adam);
    let (found, expected) = (to_sgd.state("").unwrap(), sgd.state("").unwrap());
    assert_close(found.buffer.as_ref().unwrap(), expected.buffer.as_ref().unwrap());

    let mut to_adam = Optimizer::new(*adam.rule());
    println!("{}", to_adam.translate_from(&rmsprop));
    let (found, expected) = (to_adam.state("").unwrap(), adam.state("").unwrap());
    assert_close(&found.m, &expected.m);
    assert_close(&found.v, &expected.v);
    assert_eq!(found.steps, expected.steps);

    // The sum of squares that AdaGrad would have had.
    let rule = AdaGrad { r0: 0.1, ..AdaGrad::default() };
    let mut to_adagrad = Optimizer::new(rule);
    to_adagrad.translate_from(&adam);
    let mean = expected.v.mapv(|v| v / (1.0 - 0.9_f64.powi(10)));
    assert_close(&to_adagrad.state("").unwrap().r, &(mean * 10.0 + 0.1).into_shared());

    let mut to_nadam: Optimizer<NAdam, f64> = Optimizer::new(NAdam::default());
    let report = to_nadam.translate_from(&adam);
    assert!(report.params[0].carried.is_empty() && report.params[0].fresh.len() == 2);
    assert_eq!(to_nadam.state("").unwrap().steps, 0);
}

/// ε added before the correction is compared with the root before the correction.
#[test]
fn the_share_of_epsilon_knows_where_it_is_added() {
    // After one step v = 1e-3 g² and v̂ = g²: √v = 0.03 and √v̂ = 1.
    for (eps, below) in
        [(Epsilon::Outside(0.1), 0), (Epsilon::Uncorrected(0.1), 1), (Epsilon::Inside(0.1), 0)]
    {
        let mut opt = Optimizer::new(Adam { eps, ..Adam::default() });
        let mut param = Param::new(vector(&[1.0]));
        let mut grads = Gradients::default();
        grads.set(&param, vector(&[1.0]));
        opt.step(&mut param, &grads);
        assert_eq!(opt.explain("").unwrap().epsilon_share.unwrap().below, below, "{eps:?}");
    }
}
