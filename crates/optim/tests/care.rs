//! What surrounds a step: the average of the weights, the guard against NaN, early stopping.

use ndarray::arr1;
use wengert_autodiff::{Buffer, Gradients, Module, Param, Tape, module};
use wengert_optim::{
    EarlyStopping, Goal, Margin, Optimizer, ReduceOnPlateau, RmsProp, WeightEma, check_finite,
};

struct Model {
    weight: Param<f64>,
    bias: Param<f64>,
    mean: Buffer<f64>,
}

module!(Model: f64 { weight, bias, mean });

fn model() -> Model {
    Model { weight: arr1(&[1.0, -2.0]).into(), bias: arr1(&[3.0]).into(), mean: arr1(&[0.5]).into() }
}

fn grads(model: &Model, weight: [f64; 2], bias: f64) -> Gradients<f64> {
    let mut grads = Gradients::default();
    grads.set(&model.weight, arr1(&weight));
    grads.set(&model.bias, arr1(&[bias]));
    grads
}

/// `aₜ = Σ d^(t-k) (1 - d) p_k`, plus the start's share, against weights `p_k = k²`.
#[test]
fn the_average_has_its_closed_form() {
    let d = 0.9_f64;
    let (mut plain, mut corrected) = (WeightEma::new(d), WeightEma::with_bias_correction(d));
    let mut model = model();
    for k in 1..=20_i32 {
        model.bias.value_mut()[0] = f64::from(k * k);
        plain.update(&model);
        corrected.update(&model);
        let weights = (1..=k).map(|j| (1.0 - d) * d.powi(k - j) * f64::from(j * j));
        let sum: f64 = weights.sum();
        let bias = |ema: &WeightEma<f64>| ema.values().find(|(name, _)| *name == "bias").unwrap().1[0];
        // The copy at the start stands for all the steps before it, and is 1.
        assert!((bias(&plain) - (sum + d.powi(k))).abs() < 1e-11);
        assert!((bias(&corrected) - sum / (1.0 - d.powi(k))).abs() < 1e-11);
    }
}

#[test]
fn equal_weights_average_to_themselves_to_the_last_bit() {
    let mut ema = WeightEma::<f64>::new(0.999);
    let model = Model { bias: arr1(&[0.1]).into(), ..model() };
    (0..1000).for_each(|_| ema.update(&model));
    assert_eq!(ema.values().next().unwrap().1[0], 0.1);
}

#[test]
fn the_average_is_lent_and_the_weights_come_back() {
    let (mut model, mut ema) = (model(), WeightEma::new(0.5));
    ema.update(&model);
    model.weight.value_mut()[0] = 5.0;
    model.mean.value_mut()[0] = 9.0;
    ema.update(&model);
    let place = model.weight.value().as_ptr();
    {
        let averaged = ema.swap_in(&mut model);
        assert_eq!(averaged.weight.value().as_slice().unwrap(), [3.0, -2.0]);
        assert_eq!(averaged.mean.value()[0], 9.0); // buffers are the model's
    }
    assert_eq!(model.weight.value()[0], 5.0);
    assert_eq!(model.weight.value().as_ptr(), place);

    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _averaged = ema.swap_in(&mut model);
        panic!("evaluation failed");
    }));
    assert!(panicked.is_err());
    assert_eq!(model.weight.value()[0], 5.0);
}

/// A second owner of the array would make the optimizer copy it in every step.
#[test]
fn averaging_does_not_share_the_arrays_that_steps_write_to() {
    let (mut model, mut ema) = (model(), WeightEma::new(0.5));
    let mut opt = Optimizer::new(RmsProp::default());
    let place = model.weight.value().as_ptr();
    for _ in 0..3 {
        ema.update(&model);
        let _lent = ema.swap_in(&mut model);
        drop(_lent);
        let grads = grads(&model, [1.0, 1.0], 1.0);
        opt.step(&mut model, &grads);
    }
    assert_eq!(model.weight.value().as_ptr(), place);
}

#[test]
fn an_average_can_be_saved() {
    let (mut model, mut ema) = (model(), WeightEma::with_bias_correction(0.9));
    ema.update(&model);
    let text = serde_json::to_string(&ema).unwrap();
    let mut restored: WeightEma<f64> = serde_json::from_str(&text).unwrap();
    model.bias.value_mut()[0] = -1.0;
    ema.update(&model);
    restored.update(&model);
    assert_eq!(restored, ema);
}

#[test]
#[should_panic(expected = "there is no average of `bias`")]
fn half_an_average_is_refused() {
    let mut ema = WeightEma::<f64>::new(0.9);
    struct Half {
        weight: Param<f64>,
    }
    module!(Half: f64 { weight });
    ema.update(&Half { weight: arr1(&[0.0, 0.0]).into() });
    let _ = ema.swap_in(&mut model());
}

#[test]
fn a_step_that_is_not_finite_names_its_culprit_and_changes_nothing() {
    let mut model = model();
    let mut opt = Optimizer::new(RmsProp::default());
    let good = grads(&model, [1.0, 2.0], 3.0);
    opt.step_if_finite(&mut model, &good).unwrap();
    let (weights, state) = (model.state_dict(), opt.state("weight").cloned());

    let bad = grads(&model, [1.0, f64::INFINITY], f64::NAN);
    let culprit = opt.step_if_finite(&mut model, &bad).unwrap_err();
    assert_eq!(culprit.to_string(), "the gradient of `weight` is inf at [1] of shape [2]");
    assert_eq!((model.state_dict(), opt.state("weight").cloned(), opt.steps()), (weights, state, 1));
}

#[test]
fn a_new_value_of_a_buffer_that_is_not_finite_is_found() {
    let model = model();
    let tape = Tape::new();
    tape.update_buffer(&model.mean, arr1(&[f64::NAN]).into_dyn().into());
    let grads = tape.param(&model.weight).sum().backward();
    let culprit = check_finite(&model, &grads).unwrap_err();
    assert_eq!(culprit.to_string(), "the new value of `mean` is NaN at [0] of shape [1]");
}

#[test]
fn early_stopping_waits_for_an_improvement_by_the_margin() {
    let fresh = EarlyStopping {
        patience: 2,
        goal: Goal::Max,
        margin: Margin::Absolute(0.1),
        ..EarlyStopping::default()
    };
    // 0.55 is better than 0.5, but not by 0.1; 0.7 is; NaN never is.
    let metrics = [0.5, 0.55, 0.7, f64::NAN, 0.75, 0.9];
    let mut stopping = fresh.clone();
    let stopped = metrics.iter().position(|&metric| stopping.should_stop(metric));
    assert_eq!((stopped, stopping.best), (Some(4), Some(0.7)));

    let mut first = fresh;
    assert!(!metrics[..4].iter().any(|&metric| first.should_stop(metric)));
    let saved = serde_json::to_string(&first).unwrap();
    assert!(serde_json::from_str::<EarlyStopping>(&saved).unwrap().should_stop(metrics[4]));
}

#[test]
fn a_plateau_that_is_saved_goes_on() {
    let mut plateau = ReduceOnPlateau { patience: 1, factor: 0.5, ..ReduceOnPlateau::default() };
    assert_eq!([1.0, 1.0].map(|metric| plateau.next(0.1, metric)), [0.1, 0.1]);
    let saved = serde_json::to_string(&plateau).unwrap();
    assert_eq!(serde_json::from_str::<ReduceOnPlateau>(&saved).unwrap().next(0.1, 1.0), 0.05);
}

/// Counts as a file may have them: the largest, and none of them overflows.
#[test]
fn the_largest_counts_of_a_file_do_not_overflow() {
    let mut stopping = EarlyStopping { waited: u64::MAX, best: Some(0.0), ..EarlyStopping::default() };
    assert!(stopping.should_stop(1.0) && stopping.should_stop(1.0));
    let mut plateau =
        ReduceOnPlateau { waited: u64::MAX, factor: 0.5, best: Some(0.0), ..ReduceOnPlateau::default() };
    assert_eq!(plateau.next(0.1, 1.0), 0.05);
    let mut forever = ReduceOnPlateau { waited: u64::MAX, patience: u64::MAX, best: Some(0.0), ..plateau };
    assert_eq!(forever.next(0.1, 1.0), 0.1);

    let model: Param = ndarray::arr1(&[2.0]).into();
    let mut average = WeightEma::with_bias_correction(0.5);
    average.update(&model);
    let mut saved = serde_json::to_value(&average).unwrap();
    saved["entries"][""]["updates"] = u64::MAX.into();
    let mut average: WeightEma = serde_json::from_value(saved).unwrap();
    average.update(&model);
    assert!(average.values().all(|(_, value)| value[0].is_finite()));

    let mut tape: Tape = Tape::new();
    tape.set_steps(u64::MAX);
    tape.reset();
}
