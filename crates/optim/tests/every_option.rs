//! What must hold for RMSProp and SGD whichever options are on: a table of all combinations.

use wengert_autodiff::{Real, Tensor};
use wengert_optim::{Epsilon, RmsProp, Rule, Sgd, WeightDecay};

const DECAYS: [WeightDecay; 4] = [
    WeightDecay::None,
    WeightDecay::L2(0.1),
    WeightDecay::Decoupled(0.1),
    WeightDecay::Corrected { lambda: 0.1, max_lr: 0.02 },
];

/// (momentum, nesterov)
const MOMENTA: [(f64, bool); 3] = [(0.0, false), (0.9, false), (0.9, true)];

fn every_rmsprop() -> Vec<RmsProp> {
    let mut rules = Vec::new();
    for eps in [Epsilon::Outside(1e-3), Epsilon::Inside(1e-3)] {
        for (momentum, nesterov) in MOMENTA {
            for weight_decay in DECAYS {
                for bits in 0..32 {
                    let bit = |n: u32| bits >> n & 1 == 1;
                    rules.push(RmsProp {
                        lr: 0.01,
                        rho: 0.9,
                        eps,
                        centered: bit(0),
                        momentum,
                        nesterov,
                        lr_in_momentum: bit(1),
                        bias_correction: bit(2),
                        v0: if bit(3) { 1.0 } else { 0.0 },
                        weight_decay,
                        maximize: bit(4),
                    });
                }
            }
        }
    }
    assert_eq!(rules.len(), 768);
    rules
}

fn every_sgd() -> Vec<Sgd> {
    let mut rules = Vec::new();
    for (momentum, nesterov) in MOMENTA {
        for weight_decay in DECAYS {
            for maximize in [false, true] {
                for dampening in [0.0, 0.5] {
                    if !(nesterov && dampening > 0.0) {
                        rules.push(Sgd { lr: 0.01, momentum, dampening, nesterov, weight_decay, maximize });
                    }
                }
            }
        }
    }
    rules
}

/// Gradients of all sizes and signs, with zeros.
fn gradient(step: usize, element: usize) -> f64 {
    let x = (12.9898 * step as f64 + 78.233 * element as f64).sin() * 43_758.547;
    if (step + element).is_multiple_of(5) {
        0.0
    } else {
        (x - x.floor() - 0.5) * 10f64.powi(element as i32 - 3)
    }
}

fn tensor(f: impl Fn(usize) -> f64) -> Tensor<f64> {
    Tensor::from_shape_fn(vec![2, 3], |at| f(3 * at[0] + at[1]))
}

fn start() -> Tensor<f64> {
    tensor(|i| 1.5 - 0.7 * i as f64)
}

/// The parameter after each of eight steps.
fn run<R: Rule<f64>>(
    rule: &R,
    mut param: Tensor<f64>,
    grad: impl Fn(usize) -> Tensor<f64>,
) -> Vec<Tensor<f64>> {
    rule.check().unwrap_or_else(|error| panic!("{error}"));
    let mut state = rule.init(&param);
    let steps = (0..8).map(|step| {
        rule.update(&mut param, &grad(step), &mut state);
        param.clone()
    });
    steps.collect()
}

fn plain<R: Rule<f64>>(rule: &R) -> Vec<Tensor<f64>> {
    run(rule, start(), |step| tensor(|i| gradient(step, i)))
}

fn scaled(x: &Tensor<f64>, c: f64) -> Tensor<f64> {
    x.mapv(|x| c * x).into_shared()
}

fn stays_after_zero_gradients<F: Real, R: Rule<F>>(rule: &R) {
    let mut param = Tensor::<F>::from_elem(vec![3], F::of(1.5));
    let zero = Tensor::<F>::zeros(vec![3]);
    let mut state = rule.init(&param);
    for _ in 0..1200 {
        rule.update(&mut param, &zero, &mut state);
        assert!(param.iter().all(|&p| p == F::of(1.5)), "{rule:?}");
    }
}

/// From any `v₀`, for longer than it takes the average to underflow in `f32`.
#[test]
fn a_zero_gradient_is_a_zero_update() {
    for rule in every_rmsprop() {
        if rule.weight_decay != WeightDecay::None {
            continue;
        }
        for eps in [rule.eps, Epsilon::Outside(1e-30), Epsilon::Inside(1e-30)] {
            let rule = RmsProp { eps, ..rule };
            stays_after_zero_gradients::<f32, _>(&rule);
            stays_after_zero_gradients::<f64, _>(&rule);
        }
    }
    for rule in every_sgd() {
        stays_after_zero_gradients::<f32, _>(&Sgd { weight_decay: WeightDecay::None, ..rule });
    }
}

/// A gradient of zero still lets weight decay act: it shrinks the parameter, and never makes it NaN.
#[test]
fn weight_decay_acts_on_a_zero_gradient() {
    let zero = |_| tensor(|_| 0.0);
    for rule in every_rmsprop() {
        let last = run(&rule, tensor(|_| 1.5), zero).pop().unwrap();
        let decays = rule.weight_decay != WeightDecay::None;
        // To maximize leaves the decay a decay; a momentum of 0.9 can carry an element past zero.
        assert!(last.iter().all(|&p| if decays { p < 1.5 && p.is_finite() } else { p == 1.5 }), "{rule:?}");
    }
}

#[test]
fn elements_do_not_know_their_place() {
    fn check<R: Rule<f64>>(rule: &R) {
        let expected = plain(rule);
        let reversed = run(rule, tensor(|i| start()[[(5 - i) / 3, (5 - i) % 3]]), |step| {
            tensor(|i| gradient(step, 5 - i))
        });
        let turned = |x: Tensor<f64>| x.reversed_axes().as_standard_layout().into_owned().into_shared();
        // The same numbers in the other memory order, and gradients in an order unlike the parameter's.
        let columns = run(rule, turned(start()).reversed_axes(), |step| tensor(|i| gradient(step, i)));
        for step in 0..8 {
            let back = tensor(|i| reversed[step][[(5 - i) / 3, (5 - i) % 3]]);
            assert_eq!(back, expected[step], "{rule:?}");
            assert_eq!(columns[step], expected[step], "{rule:?}");
        }
    }
    every_rmsprop().iter().for_each(check);
    every_sgd().iter().for_each(check);
}

/// To climb along `g` is to descend along `-g`.
#[test]
fn maximizing_is_minimizing_the_negative() {
    let negative = |step| tensor(|i| -gradient(step, i));
    for rule in every_rmsprop() {
        assert_eq!(
            run(&RmsProp { maximize: !rule.maximize, ..rule }, start(), negative),
            plain(&rule),
            "{rule:?}"
        );
    }
    for rule in every_sgd() {
        assert_eq!(
            run(&Sgd { maximize: !rule.maximize, ..rule }, start(), negative),
            plain(&rule),
            "{rule:?}"
        );
    }
}

/// ε with the unit of a gradient outside the root, of a squared gradient inside.
fn in_unit(eps: Epsilon, c: f64) -> Epsilon {
    match eps {
        Epsilon::Outside(eps) => Epsilon::Outside(c * eps),
        Epsilon::Inside(eps) => Epsilon::Inside(c * c * eps),
    }
}

/// `L → c L` with ε, `v₀` and the L2 strength in the new unit leaves the trajectory as it is: to the last bit, since `c`
/// is a power of two.
#[test]
fn the_unit_of_the_loss_does_not_matter() {
    for c in [1024.0, 1.0 / 4096.0] {
        for rule in every_rmsprop() {
            let weight_decay = match rule.weight_decay {
                WeightDecay::L2(lambda) => WeightDecay::L2(c * lambda),
                other => other,
            };
            let (eps, v0) = (in_unit(rule.eps, c), c * c * rule.v0);
            let other = RmsProp { eps, v0, weight_decay, ..rule };
            let found = run(&other, start(), |step| tensor(|i| c * gradient(step, i)));
            assert_eq!(found, plain(&rule), "{rule:?}");
        }
    }
}

/// `w → k w` makes the gradient `g / k`; with the rate, ε, `v₀` and the decay in the new unit the trajectory is `k` times
/// the old one.
#[test]
fn the_unit_of_the_parameters_does_not_matter() {
    let k = 256.0;
    for rule in every_rmsprop() {
        let weight_decay = match rule.weight_decay {
            WeightDecay::None => WeightDecay::None,
            WeightDecay::L2(lambda) => WeightDecay::L2(lambda / (k * k)),
            WeightDecay::Decoupled(lambda) => WeightDecay::Decoupled(lambda / k),
            WeightDecay::Corrected { lambda, max_lr } => {
                WeightDecay::Corrected { lambda: lambda / k, max_lr: k * max_lr }
            }
        };
        let (eps, v0) = (in_unit(rule.eps, 1.0 / k), rule.v0 / (k * k));
        let other = RmsProp { lr: k * rule.lr, eps, v0, weight_decay, ..rule };
        let found = run(&other, scaled(&start(), k), |step| tensor(|i| gradient(step, i) / k));
        let expected: Vec<_> = plain(&rule).iter().map(|x| scaled(x, k)).collect();
        assert_eq!(found, expected, "{rule:?}");
    }
}

/// Without a visible ε, `v₀` and L2 decay, the size of the gradient does not matter at all.
#[test]
fn rmsprop_is_invariant_to_the_scale_of_the_loss() {
    for rule in every_rmsprop() {
        // Centered with bias correction, the variance after one gradient is zero, and ε alone sets the step.
        let bare = rule.centered && rule.bias_correction;
        if bare || rule.v0 > 0.0 || matches!(rule.weight_decay, WeightDecay::L2(_)) {
            continue;
        }
        let rule = RmsProp { eps: Epsilon::Outside(1e-200), ..rule };
        let found = run(&rule, start(), |step| tensor(|i| 1024.0 * gradient(step, i)));
        assert_eq!(found, plain(&rule), "{rule:?}");
    }
}

/// Each option changes something: none of the combinations above is another one in disguise.
#[test]
fn every_option_has_an_effect() {
    let trajectories: Vec<_> = every_rmsprop().iter().map(|rule| (*rule, plain(rule))).collect();
    for (i, (rule, a)) in trajectories.iter().enumerate() {
        for (other, b) in &trajectories[i + 1..] {
            // At a constant rate the place of the rate does not show.
            let place = RmsProp { lr_in_momentum: rule.lr_in_momentum, ..*other };
            assert!(a != b || place == *rule, "{rule:?} acts like {other:?}");
        }
    }
}

#[test]
fn rules_survive_serialization() {
    for rule in every_rmsprop() {
        let text = serde_json::to_string(&rule).unwrap();
        assert!(text.contains("side\":"), "the place of ε is in the file: {text}");
        assert_eq!(serde_json::from_str::<RmsProp>(&text).unwrap(), rule);
    }
    for rule in every_sgd() {
        assert_eq!(serde_json::from_str::<Sgd>(&serde_json::to_string(&rule).unwrap()).unwrap(), rule);
    }
}
