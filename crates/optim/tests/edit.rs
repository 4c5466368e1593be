//! Changes to the state by name, and what they do to the run.

use ndarray::arr1;
use rand::{SeedableRng, rngs::StdRng};
use wengert_autodiff::{Gradients, Module, Param, module};
use wengert_optim::inspect::SkipReason;
use wengert_optim::{Optimizer, RmsProp, RmsPropState, Sgd};

struct Model {
    weight: Param<f64>,
    bias: Param<f64>,
}

module!(Model: f64 { weight, bias });

const RULE: RmsProp = RmsProp { lr: 0.1, rho: 0.5, momentum: 0.5, ..RmsProp::torch() };

/// After `steps` steps with a gradient of `g` for every element.
fn run(weights: usize, g: f64, steps: usize) -> Optimizer<RmsProp, f64> {
    let mut model = Model { weight: ndarray::Array1::ones(weights).into(), bias: arr1(&[0.0]).into() };
    let mut grads = Gradients::default();
    for param in model.params().into_values() {
        grads.set(param, param.value().mapv(|_| g).into_shared());
    }
    let mut opt = Optimizer::new(RULE);
    (0..steps).for_each(|_| opt.step(&mut model, &grads));
    opt
}

fn state<'a>(opt: &'a Optimizer<RmsProp, f64>, name: &str) -> &'a RmsPropState<f64> {
    opt.state(name).expect("a state")
}

/// `v` and the buffer of the first element.
fn first(opt: &Optimizer<RmsProp, f64>, name: &str) -> (f64, f64) {
    let state = state(opt, name);
    (state.v[0], state.buffer.as_ref().expect("momentum is on")[0])
}

#[test]
fn zero_and_scale_take_names_and_fields() {
    let mut opt = run(2, 2.0, 1);
    let (v, b) = first(&opt, "weight");
    assert_eq!(v, 2.0); // 0.5 · 2²

    let report = opt.edit("weight").field("v").scale(0.25);
    assert_eq!(report.to_string(), "1 changed: weight");
    assert_eq!((first(&opt, "weight"), first(&opt, "bias")), ((0.5, b), (2.0, b)));

    opt.edit("*").field("buffer").scale(3.0);
    assert_eq!((first(&opt, "weight"), first(&opt, "bias")), ((0.5, 3.0 * b), (2.0, 3.0 * b)));

    opt.edit("b*").zero();
    assert_eq!((first(&opt, "weight"), first(&opt, "bias")), ((0.5, 3.0 * b), (0.0, 0.0)));
    assert_eq!(state(&opt, "bias").steps, 1);
    assert_eq!(opt.edit("*").forget().changed, ["bias", "weight"]);
    assert!(opt.state("bias").is_none());
}

#[test]
fn a_transplant_takes_what_fits_and_reports_the_rest() {
    let (mut opt, donor) = (run(2, 2.0, 1), run(3, 4.0, 5));
    let report = opt.edit("*").transplant(&donor);
    assert_eq!(report.to_string(), "1 changed: bias\nweight left as it was: shape [2] here, [3] there");
    assert_eq!(state(&opt, "bias"), state(&donor, "bias"));
    assert_eq!(first(&opt, "weight").0, 2.0);
}

#[test]
fn a_fresh_optimizer_goes_on_from_a_transplant_as_the_donor_would() {
    let mut donor = run(2, 2.0, 7);
    let mut opt: Optimizer<RmsProp, f64> = Optimizer::new(RULE);
    assert_eq!(opt.edit("*").transplant(&donor).changed, ["bias", "weight"]);

    let mut models = [0, 1].map(|_| Model { weight: arr1(&[1.0, 1.0]).into(), bias: arr1(&[0.0]).into() });
    for (opt, model) in [&mut donor, &mut opt].into_iter().zip(&mut models) {
        let mut grads = Gradients::default();
        grads.set(&model.weight, arr1(&[0.3, -7.0]));
        opt.step(model, &grads);
    }
    assert_eq!(models[0].state_dict(), models[1].state_dict());
}

#[test]
fn a_field_is_transplanted_alone() {
    let (mut opt, donor) = (run(2, 2.0, 1), run(2, 4.0, 1));
    let buffer = first(&opt, "weight").1;
    opt.edit("weight").field("v").transplant(&donor);
    assert_eq!(first(&opt, "weight"), (8.0, buffer));
    assert_eq!(first(&opt, "bias").0, 2.0);
    let report = opt.edit("bias").field("m").transplant(&donor);
    assert_eq!(report.skipped, [("bias".to_owned(), SkipReason::NoTensorInDonor("m".to_owned()))]);
    let expected = "0 changed\nbias left as it was: the donor's state has no tensor `m`";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn an_average_is_the_mean_of_states_of_one_age() {
    let (mut a, b, c) = (run(2, 1.0, 1), run(2, 2.0, 1), run(2, 3.0, 1));
    a.edit("*").average(&[&b, &c]);
    let v = first(&a, "weight").0;
    assert!((v - 0.5 * (1.0 + 4.0 + 9.0) / 3.0).abs() < 1e-15, "{v}");

    let older = run(2, 2.0, 3);
    let report = a.edit("weight").average(&[&older]);
    assert_eq!(report.to_string(), "0 changed\nweight left as it was: 1 gradients seen here, 3 there");
    assert_eq!(first(&a, "weight").0, v);
}

/// The momentum of one group, and a rule whose state is a count alone: the report says which states had nothing to
/// change.
#[test]
fn a_state_without_the_tensor_is_left_and_named() {
    let plain = RmsProp { momentum: 0.0, ..RULE };
    let opt = || {
        let mut model = Model { weight: arr1(&[1.0]).into(), bias: arr1(&[0.0]).into() };
        let mut grads = Gradients::default();
        for param in model.params().into_values() {
            grads.set(param, arr1(&[2.0]));
        }
        let mut opt: Optimizer<RmsProp, f64> = Optimizer::new(RULE).with_group("bias", plain);
        opt.step(&mut model, &grads);
        let mut sgd: Optimizer<Sgd, f64> = Optimizer::new(Sgd::default());
        sgd.step(&mut model, &grads);
        (opt, sgd)
    };
    let ((mut first, mut sgd), (second, _)) = (opt(), opt());
    let expected = "1 changed: weight\nbias left as it was: its state has no tensor `buffer`";
    assert_eq!(first.edit("*").field("buffer").scale(0.5).to_string(), expected);
    assert_eq!(first.edit("*").field("buffer").average(&[&second]).to_string(), expected);
    let report = sgd.edit("weight").zero();
    assert_eq!(report.skipped, [("weight".to_owned(), SkipReason::NoTensor(None))]);
    assert_eq!(report.to_string(), "0 changed\nweight left as it was: its state has no tensors");
}

/// The logarithm of the factor is normal: its mean is 0 and its standard deviation σ, within four standard errors.
#[test]
fn a_perturbation_has_the_spread_it_says() {
    let (n, sigma) = (10_000, 0.2);
    let mut opt = run(n, 2.0, 1);
    opt.edit("weight").field("v").perturb(sigma, &mut StdRng::seed_from_u64(0));
    let logs: Vec<f64> = state(&opt, "weight").v.iter().map(|v| (v / 2.0).ln()).collect();
    let mean = logs.iter().sum::<f64>() / n as f64;
    let spread = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
    assert!(mean.abs() < 4.0 * sigma / (n as f64).sqrt(), "mean {mean}");
    assert!((spread - sigma).abs() < 4.0 * sigma / (2.0 * n as f64).sqrt(), "spread {spread}");

    let mut again = run(n, 2.0, 1);
    again.edit("weight").field("v").perturb(sigma, &mut StdRng::seed_from_u64(0));
    assert_eq!(state(&again, "weight"), state(&opt, "weight"));
}

#[test]
#[should_panic(expected = "`zero`: no parameter with a state matches `wieght`")]
fn a_name_that_is_wrong_is_refused() {
    run(2, 1.0, 1).edit("wieght").zero();
}

#[test]
#[should_panic(expected = "has a tensor `m`")]
fn a_field_that_is_wrong_is_refused() {
    run(2, 1.0, 1).edit("*").field("m").zero();
}

#[test]
#[should_panic(expected = "must be at least 0")]
fn a_scale_below_zero_is_refused() {
    run(2, 1.0, 1).edit("*").scale(-1.0);
}
