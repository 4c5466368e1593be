//! What every rule says of its own memory, against its own update; and Adam, SGD and RMSProp in each other's place.

use ndarray::arr1;
use wengert_autodiff::{Gradients, Param, Tensor};
use wengert_optim::{
    Accumulator, AdaGrad, Adadelta, Adam, Adamax, Epsilon, Field, Lion, NAdam, Optimizer, RAdam, RmsProp,
    Rprop, Rule, Sgd, State, Statistic,
};

fn vector(values: &[f64]) -> Tensor<f64> {
    arr1(values).into_dyn().into_shared()
}

fn assert_close(found: &Tensor<f64>, expected: &Tensor<f64>) {
    for (&found, &expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found:e}, expected {expected:e}");
    }
}

/// `a ← decay a + weight x` for two steps, from the start that the rule states.
fn assert_memories<R: Rule<f64>>(rule: R, fields: &[&str]) {
    let accumulators = rule.accumulators();
    let known: Vec<_> = accumulators.iter().filter(|memory| memory.statistic != Statistic::Update).collect();
    assert_eq!(known.iter().map(|memory| memory.field).collect::<Vec<_>>(), fields, "{rule:?}");
    let mut param = vector(&[1.0, -1.0]);
    let mut state = rule.init(&param);
    let grads = [vector(&[3.0, -0.5]), vector(&[0.25, 2.0])];
    grads.iter().for_each(|grad| rule.update(&mut param, grad, &mut state));
    for &&Accumulator { field, statistic, decay, weight, start } in &known {
        let expected = grads.iter().fold(vector(&[start; 2]), |a, g| {
            let x = if statistic == Statistic::SquaredGradient { g * g } else { g.to_owned() };
            (a * decay + x * weight).into_shared()
        });
        let found = state.fields().into_iter().find_map(|(name, value)| match value {
            Field::Tensor(tensor) if name == field => Some(tensor.clone()),
            _ => None,
        });
        assert_close(&found.expect("the field is a tensor"), &expected);
    }
}

#[test]
fn every_rule_remembers_what_it_says() {
    assert_memories(Sgd { momentum: 0.9, ..Sgd::default() }, &["buffer"]);
    assert_memories(RmsProp { centered: true, v0: 1.0, ..RmsProp::default() }, &["v", "m"]);
    assert_memories(AdaGrad { r0: 0.1, ..AdaGrad::default() }, &["r"]);
    assert_memories(Adadelta::default(), &["v"]);
    assert_memories(Adam::default(), &["m", "v"]);
    assert_memories(Adamax::default(), &["m"]);
    assert_memories(NAdam::default(), &["m", "v"]);
    assert_memories(RAdam::default(), &["m", "v"]);
    assert_memories(Lion::default(), &["m"]);
    assert_memories(Rprop::default(), &[]);
}

/// The effective rate after a step, times the direction, is the step that was taken.
fn assert_rate<R: Rule<f64>>(rule: R, direction: impl Fn(f64) -> f64) {
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
fn the_floor_knows_where_eps_is_added() {
    // After one step v = 1e-3 g² and v̂ = g²: √v = 0.03 and √v̂ = 1.
    for (eps, below) in
        [(Epsilon::Outside(0.1), 0), (Epsilon::Uncorrected(0.1), 1), (Epsilon::Inside(0.1), 0)]
    {
        let mut opt = Optimizer::new(Adam { eps, ..Adam::default() });
        let mut param = Param::new(vector(&[1.0]));
        let mut grads = Gradients::default();
        grads.set(&param, vector(&[1.0]));
        opt.step(&mut param, &grads);
        assert_eq!(opt.explain("").unwrap().floor.unwrap().below, below, "{eps:?}");
    }
}
