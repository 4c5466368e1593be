//! Explanations and logs: their numbers against closed forms, and the recorded step against the plain one.

use std::io::{self, Write};

use ndarray::arr1;
use wengert_autodiff::{Gradients, Module, Param, module};
use wengert_optim::inspect::{Csv, Explain, JsonLines, Quantiles, StepSummary};
use wengert_optim::{Adam, Epsilon, Optimizer, RmsProp, Rule, Sgd};

struct Model {
    weight: Param<f64>,
    bias: Param<f64>,
}

module!(Model: f64 { weight, bias });

fn model() -> Model {
    Model { weight: arr1(&[3.0, 4.0, 0.0, 0.0]).into(), bias: arr1(&[1.0]).into() }
}

/// The bias has no gradient.
fn grads(model: &Model, weight: [f64; 4]) -> Gradients<f64> {
    let mut grads = Gradients::default();
    grads.set(&model.weight, arr1(&weight));
    grads
}

fn assert_close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found:e}, expected {expected:e}");
}

#[test]
fn quantiles_lie_between_elements() {
    let tensor = arr1(&[f64::NAN, 4.0, 1.0, 3.0, f64::INFINITY, 2.0, 5.0]).into_dyn().into_shared();
    let Quantiles { min, p5, median, p95, max, not_finite } = Quantiles::new(&tensor);
    assert_eq!((min, median, max, not_finite), (1.0, 3.0, 5.0, 2));
    assert_close(p5, 1.2); // a fifth of the way from the first to the second of four gaps
    assert_close(p95, 4.8);
    assert!(Quantiles::new(&arr1(&[f64::NAN]).into_dyn().into_shared()).median.is_nan());
}

/// One step from zero leaves `v = (1 - ρ) g²`.
#[test]
fn an_explanation_has_its_closed_forms() {
    let rule =
        RmsProp { lr: 0.5, rho: 0.75, eps: Epsilon::Outside(1e-3), momentum: 0.9, ..RmsProp::default() };
    let mut opt = Optimizer::new(rule);
    let mut model = model();
    let grads = grads(&model, [2.0, -2.0, 1e-4, 0.0]); // √v = 1, 1, 5e-5, 0
    opt.step_with(&mut model, &grads, |_| ());
    opt.step(&mut model, &Gradients::default());

    let explanation = opt.explain("weight").unwrap();
    let v = explanation.tensors[0];
    assert_eq!((v.0, v.1.min, v.1.max, explanation.idle), ("v", 0.0, 1.0, Some(1)));
    assert_close(v.1.median, (2.5e-9 + 1.0) / 2.0);
    assert_close(explanation.rate.max, 0.5 / 1e-3);
    assert_close(explanation.rate.min, 0.5 / 1.001);
    let accumulators: Vec<_> = explanation.accumulators.iter().map(|a| (a.field, a.length())).collect();
    assert_eq!(accumulators[0], ("v", 4.0));
    assert_eq!(accumulators[1].0, "buffer");
    assert_close(accumulators[1].1, 10.0);
    let share = explanation.epsilon_share.unwrap();
    assert_eq!((share.eps, share.below, share.share()), (rule.eps, 2, 0.5));
    // The first two move by 0.5 · 2 / 1.001, the third by 0.5 · 1e-4 / (5e-5 + 1e-3).
    let change = (2.0 * (1.0 / 1.001_f64).powi(2) + (5e-5 / 1.05e-3_f64).powi(2)).sqrt();
    assert_close(explanation.update_ratio.unwrap(), change / 5.0);
    assert_eq!((explanation.steps, &explanation.numbers[..]), (Some(1), &[("clamped", 0.0)][..]));
    assert!(opt.explain("bias").is_none() && opt.effective_lr("bias").is_none());
    assert_close(opt.effective_lr("weight").unwrap()[3], 500.0);
}

/// The same ε, placed inside, exceeds `v` where it does not exceed `√v`.
#[test]
fn the_place_of_eps_decides_what_it_exceeds() {
    for (eps, below) in [(Epsilon::Outside(1e-3), 2), (Epsilon::Inside(1e-3), 3)] {
        let mut opt = Optimizer::new(RmsProp { rho: 0.0, eps, ..RmsProp::default() });
        let mut model = model();
        let grads = grads(&model, [2.0, 1e-2, 1e-4, 0.0]); // v = 4, 1e-4, 1e-8, 0
        opt.step(&mut model, &grads);
        assert_eq!(opt.explain("weight").unwrap().epsilon_share.unwrap().below, below, "{eps:?}");
    }
}

/// Without correction `v` is `ρᵗ` short: after one step ε = 0.2 exceeds √v = 0.1, but not √v̂ = 1.
#[test]
fn eps_is_compared_with_what_stands_under_the_root() {
    for (bias_correction, below) in [(false, 1), (true, 0)] {
        let eps = Epsilon::Outside(0.2);
        let mut opt = Optimizer::new(RmsProp { eps, bias_correction, ..RmsProp::default() });
        let mut param: Param<f64> = arr1(&[1.0]).into();
        let mut grads = Gradients::default();
        grads.set(&param, arr1(&[1.0]));
        opt.step(&mut param, &grads);
        assert_eq!(opt.explain("").unwrap().epsilon_share.unwrap().below, below);
    }
}

#[test]
fn a_plain_step_makes_the_last_ratio_unknown() {
    let (mut opt, mut model) = (Optimizer::new(Sgd { lr: 0.1, ..Sgd::default() }), model());
    let grads = grads(&model, [5.0, 0.0, 0.0, 0.0]);
    opt.step_with(&mut model, &grads, |_| ());
    let explanation = opt.explain("weight").unwrap();
    assert_close(explanation.update_ratio.unwrap(), 0.1);
    assert!(
        explanation.epsilon_share.is_none()
            && explanation.accumulators.is_empty()
            && explanation.tensors.is_empty()
    );
    assert_eq!((explanation.rate.min, explanation.rate.max), (0.1, 0.1));
    opt.step(&mut model, &grads);
    assert_eq!(opt.explain("weight").unwrap().update_ratio, None);
}

#[test]
fn a_step_that_is_recorded_is_the_plain_step_and_writes_in_place() {
    let rule = RmsProp { centered: true, momentum: 0.9, ..RmsProp::default() };
    let (mut plain, mut recorded) = ((Optimizer::new(rule), model()), (Optimizer::new(rule), model()));
    let place = recorded.1.weight.value().as_ptr();
    let mut seen = Vec::new();
    for k in 1..=3 {
        let g = [1.0, -0.5, 0.1, f64::from(k)];
        let plain_grads = grads(&plain.1, g);
        plain.0.step(&mut plain.1, &plain_grads);
        let before = recorded.1.weight.value().to_owned();
        let grads = grads(&recorded.1, g);
        recorded.0.step_with(&mut recorded.1, &grads, |part| {
            assert_eq!((part.before, part.grad[3]), (&before.clone().into_shared(), f64::from(k)));
            assert_eq!(part.update()[0], part.after[0] - part.before[0]);
            seen.push((part.step, part.name.to_owned(), part.state.steps));
        });
    }
    assert_eq!(plain.1.state_dict(), recorded.1.state_dict());
    assert_eq!(plain.0.state("weight"), recorded.0.state("weight"));
    assert_eq!(recorded.1.weight.value().as_ptr(), place);
    assert_eq!(seen, [1, 2, 3].map(|k| (k, "weight".to_owned(), k)));
}

/// The rule is centered and every gradient constant: rounding turns some variances negative, and the log counts them.
#[test]
fn the_log_shows_the_clamped_variances() {
    let mut opt: Optimizer<RmsProp> = Optimizer::new(RmsProp { centered: true, ..RmsProp::default() });
    let g = ndarray::Array1::linspace(0.01, 1.0, 100).into_dyn().into_shared();
    let mut param = Param::new(g.clone());
    let mut grads = Gradients::default();
    grads.set(&param, g);
    let mut clamped = 0.0;
    for _ in 0..3000 {
        opt.step_with(&mut param, &grads, |seen| clamped = seen.summary().state["clamped"]);
    }
    assert!(clamped > 0.0);
    assert_eq!(clamped, opt.state("").unwrap().clamped as f64);
}

fn summaries() -> Vec<StepSummary> {
    let rule = RmsProp { lr: 0.5, rho: 0.75, eps: Epsilon::Outside(1e-3), ..RmsProp::default() };
    let (mut opt, mut model) = (Optimizer::new(rule), model());
    let mut all = Vec::new();
    for g in [[2.0; 4], [f64::NAN, 2.0, 2.0, 2.0]] {
        let grads = grads(&model, g);
        opt.step_with(&mut model, &grads, |seen| all.push(seen.summary()));
    }
    all
}

#[test]
fn a_tensor_without_elements_has_no_size() {
    let mut param: Param<f64> = ndarray::Array2::zeros((0, 3)).into();
    let mut grads = Gradients::default();
    grads.set(&param, ndarray::Array2::zeros((0, 3)));
    let mut opt = Optimizer::new(RmsProp::default());
    let mut text = String::new();
    opt.step_with(&mut param, &grads, |seen| text = serde_json::to_string(&seen.summary()).unwrap());
    assert!(text.contains(r#""grad_rms":0.0,"#), "{text}"); // and not -0
    let explanation = opt.explain("").unwrap();
    assert!(
        explanation.rate.median.is_nan() && explanation.epsilon_share.unwrap().share() == 0.0,
        "{explanation}"
    );
}

#[test]
fn json_lines_can_be_read_back() {
    let mut log = JsonLines::new(Vec::new());
    summaries().iter().for_each(|summary| log.write(summary));
    let text = String::from_utf8(log.finish().unwrap()).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["step"], &lines[0]["name"]), (&1.into(), &"weight".into()));
    assert_eq!((&lines[0]["grad_rms"], &lines[0]["state"]["v"]), (&2.0.into(), &1.0.into()));
    assert_eq!((&lines[0]["eps_share"], &lines[0]["state"]["steps"]), (&0.0.into(), &1.0.into()));
    assert_close(lines[0]["rate_median"].as_f64().unwrap(), 0.5 / 1.001);
    assert!(lines[1]["grad_rms"].is_null()); // NaN
}

#[test]
fn csv_has_a_header_and_quotes_what_needs_it() {
    let [first, mut second] = <[StepSummary; 2]>::try_from(summaries()).unwrap();
    second.name = "a,\"b\"".to_owned();
    second.state.remove("v");
    let mut log = Csv::new(Vec::new());
    log.write(&first);
    log.write(&second);
    let text = String::from_utf8(log.finish().unwrap()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[0],
        "step,name,param_rms,grad_rms,update_rms,update_ratio,rate_min,rate_median,rate_max,eps_share,\
         state.clamped,state.steps,state.v"
    );
    assert!(lines[1].starts_with("1,weight,") && lines[1].ends_with(",0,0,1,1"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("2,\"a,\"\"b\"\"\",NaN,NaN,") && lines[2].ends_with(",0,2,"),
        "{}",
        lines[2]
    );
}

/// Takes one line, then is full.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += 1;
        if self.0 == 1 { Ok(bytes.len()) } else { Err(io::Error::other(format!("write {} failed", self.0))) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_first_error_of_a_log_is_kept() {
    let mut log = JsonLines::new(Full(0));
    for summary in summaries().iter().chain(&summaries()) {
        log.write(summary);
    }
    assert_eq!(log.finish().map(|_| ()).unwrap_err().to_string(), "write 2 failed");
}

/// Every rule says of its averages what its own update does: one step from its start with `x` gives
/// `weight · x + decay · start`.
#[test]
fn the_averages_are_what_the_update_computes() {
    let rule = RmsProp { rho: 0.9, v0: 1.0, centered: true, momentum: 0.8, ..RmsProp::default() };
    let mut param = arr1(&[1.0]).into_dyn().into_shared();
    let mut state = rule.init(&param);
    rule.update(&mut param, &arr1(&[3.0]).into_dyn().into_shared(), &mut state);
    let accumulators = Explain::<f64>::accumulators(&rule);
    let after = |field: &str, x: f64| {
        let average = accumulators.iter().find(|average| average.field == field).unwrap();
        average.decay * average.start + average.weight * x
    };
    assert_close(state.v[0], after("v", 9.0));
    assert_close(state.m.as_ref().unwrap()[0], after("m", 3.0));
    let u = 3.0 / ((state.v[0] - state.m.as_ref().unwrap()[0].powi(2)).sqrt() + 1e-8);
    assert_close(state.buffer.as_ref().unwrap()[0], after("buffer", u));
}

/// ε added before the correction is compared with the root before the correction.
#[test]
fn the_share_of_epsilon_knows_where_it_is_added() {
    // After one step v = 1e-3 g² and v̂ = g²: √v = 0.03 and √v̂ = 1.
    for (eps, below) in
        [(Epsilon::Outside(0.1), 0), (Epsilon::Uncorrected(0.1), 1), (Epsilon::Inside(0.1), 0)]
    {
        let mut opt = Optimizer::new(Adam { eps, ..Adam::default() });
        let mut param = Param::<f64>::new(arr1(&[1.0]));
        let mut grads = Gradients::default();
        grads.set(&param, arr1(&[1.0]));
        opt.step(&mut param, &grads);
        assert_eq!(opt.explain("").unwrap().epsilon_share.unwrap().below, below, "{eps:?}");
    }
}
