//! State taken over from another rule: what is carried is checked against a run of the new rule on the same gradients.

use ndarray::{Zip, arr1};
use wengert_autodiff::{Gradients, Param, Real, Tensor};
use wengert_optim::inspect::{
    Accumulator, DropReason, Explain, FreshReason, Statistic, Translated, Translation,
};
use wengert_optim::{
    AdaGrad, Adam, InvalidHyperparameter, NAdam, Optimizer, RmsProp, RmsPropState, Rule, Sgd, state,
};

/// A rule from outside the crate: `p ← p - m̂ / √v̂`, both with one decay.
#[derive(Clone, Debug)]
struct Moments(f64);

#[derive(Clone, Debug)]
struct MomentsState<F: Real> {
    m: Tensor<F>,
    v: Tensor<F>,
    steps: u64,
}

state!(MomentsState { m, v, steps });

impl<F: Real> Rule<F> for Moments {
    const NAME: &'static str = "Moments";
    type State = MomentsState<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Ok(())
    }

    fn init(&self, param: &Tensor<F>) -> MomentsState<F> {
        let zeros = Tensor::zeros(param.raw_dim());
        MomentsState { m: zeros.clone(), v: zeros, steps: 0 }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut MomentsState<F>) {
        state.steps += 1;
        let (d, fresh) = (F::from_f64(self.0), F::from_f64(1.0 - self.0));
        let correction = F::from_f64((1.0 - self.0.powf(state.steps as f64)).recip());
        Zip::from(param).and(grad).and(&mut state.m).and(&mut state.v).for_each(|p, &g, m, v| {
            *m = d * *m + fresh * g;
            *v = d * *v + fresh * g * g;
            *p -= correction * *m / (correction * *v).sqrt();
        });
    }
}

impl<F: Real> Explain<F> for Moments {
    fn effective_lr(&self, _param: &Tensor<F>, state: &MomentsState<F>) -> Tensor<F> {
        state.v.mapv(|v| v.sqrt().recip()).into_shared()
    }

    fn accumulators(&self) -> Vec<Accumulator> {
        vec![
            Accumulator::mean("m", Statistic::Gradient, self.0),
            Accumulator::mean("v", Statistic::SquaredGradient, self.0),
        ]
    }
}

/// Some gradients that vary, the same for every rule.
fn run<R: Rule<f64>>(rule: R) -> Optimizer<R, f64> {
    let mut opt = Optimizer::new(rule);
    let mut param: Param<f64> = arr1(&[1.0, -2.0]).into();
    for k in 0..10 {
        let mut grads = Gradients::default();
        let g = [f64::from(k % 4) - 1.3, f64::from(k * k) * 0.1 + 0.2];
        grads.set(&param, arr1(&g));
        opt.step(&mut param, &grads);
    }
    opt
}

fn into<R: Explain<f64>>(rule: R, source: &Optimizer<impl Explain<f64>, f64>) -> (R::State, Translated) {
    let mut opt = Optimizer::new(rule);
    let Translation { params, .. } = opt.translate_from(source);
    let [report] = <[Translated; 1]>::try_from(params).unwrap();
    (opt.state("").unwrap().clone(), report)
}

fn assert_close(found: &Tensor<f64>, expected: &Tensor<f64>) {
    for (&found, &expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found:e}, expected {expected:e}");
    }
}

/// A sum of gradients without correction and an average with it: of one decay they carry the same.
#[test]
fn momentum_is_carried_exactly_where_the_decay_is_the_same() {
    let moments = run(Moments(0.9));
    let sgd = run(Sgd { momentum: 0.9, ..Sgd::default() });
    let (state, report) = into(Sgd { momentum: 0.9, ..Sgd::default() }, &moments);
    assert_close(state.buffer.as_ref().unwrap(), sgd.state("").unwrap().buffer.as_ref().unwrap());
    assert_eq!((state.steps, &report.carried[..]), (10, &[("m", "buffer")][..]));
    assert_eq!(report.dropped, [("v", DropReason::Unused)]);
    assert_eq!(DropReason::Unused.to_string(), "the new rule, as it is set, keeps no such average");
}

#[test]
fn the_mean_square_is_carried_whatever_it_started_from() {
    let moments = run(Moments(0.9));
    for v0 in [0.0, 1.0] {
        let rule = RmsProp { rho: 0.9, v0, momentum: 0.5, ..RmsProp::default() };
        let rmsprop = run(rule);
        let (state, report) = into(Moments(0.9), &rmsprop);
        assert_close(&state.v, &moments.state("").unwrap().v);
        assert_eq!((state.m.sum(), state.steps), (0.0, 10));
        assert_eq!(report.carried, [("v", "v")]);
        assert_eq!(report.dropped[0].0, "buffer");
        assert_eq!(report.fresh, [("m", FreshReason::NoSource)]);

        let (state, report) = into(rule, &moments);
        assert_close(&state.v, &rmsprop.state("").unwrap().v);
        assert_eq!((state.steps, state.buffer), (10, None));
        assert_eq!(report.dropped, [("m", DropReason::Unused)]);
    }
}

#[test]
fn both_moments_are_carried_to_a_centered_rule_and_back() {
    let rule = RmsProp { rho: 0.9, centered: true, ..RmsProp::default() };
    let (moments, rmsprop) = (run(Moments(0.9)), run(rule));
    let (state, _) = into(rule, &moments);
    let RmsPropState { v, m, .. } = rmsprop.state("").unwrap();
    assert_close(&state.v, v);
    assert_close(state.m.as_ref().unwrap(), m.as_ref().unwrap());
    let (state, report) = into(Moments(0.9), &rmsprop);
    assert_close(&state.m, &moments.state("").unwrap().m);
    assert!(report.dropped.is_empty() && report.fresh.is_empty());
}

/// With another decay the typical square is carried: of a constant gradient it is that of a run of the new rule.
#[test]
fn another_decay_takes_over_the_typical_value() {
    let mut param: Param<f64> = arr1(&[1.0]).into();
    let mut grads = Gradients::default();
    grads.set(&param, arr1(&[3.0]));
    let rule = |rho| RmsProp { rho, ..RmsProp::default() };
    let (mut short, mut long) = (Optimizer::new(rule(0.9)), Optimizer::new(rule(0.99)));
    for _ in 0..7 {
        short.step(&mut param, &grads);
        long.step(&mut param, &grads);
    }
    let (state, _) = into(rule(0.99), &short);
    assert_close(&state.v, &long.state("").unwrap().v);
}

/// Without v the count of steps would promise a mean square that is not there, and the first steps would be huge.
#[test]
fn without_a_mean_square_everything_starts_anew_and_says_so() {
    let sgd = run(Sgd { momentum: 0.9, ..Sgd::default() });
    let mut opt: Optimizer<Moments, f64> = Optimizer::new(Moments(0.9));
    let report = opt.translate_from(&sgd);
    let state = opt.state("").unwrap();
    assert_eq!((state.steps, state.m.sum(), state.v.sum()), (0, 0.0, 0.0));
    assert_eq!(
        report.to_string().lines().skip(2).collect::<Vec<_>>(),
        [
            "  buffer dropped: without a mean square to carry, the count of steps starts anew",
            "  m starts anew: without a mean square to carry, the count of steps starts anew",
            "  v starts anew: the old rule kept no such average",
        ]
    );
}

/// The optimizer that took over takes its next steps.
#[test]
fn the_run_goes_on() {
    let sgd = Sgd { momentum: 0.9, ..Sgd::default() };
    let mut opt = Optimizer::new(RmsProp { centered: true, ..RmsProp::default() });
    opt.translate_from(&run(Moments(0.5)));
    let mut next: Optimizer<Sgd, f64> = Optimizer::new(sgd);
    next.translate_from(&opt);
    let mut param: Param<f64> = arr1(&[1.0, -2.0]).into();
    let mut grads = Gradients::default();
    grads.set(&param, arr1(&[0.0, 0.0]));
    next.step(&mut param, &grads);
    assert_eq!(next.state("").unwrap().steps, 11);
    // Without a gradient of its own, the step is that of the momentum that was taken over.
    let buffer = next.state("").unwrap().buffer.clone().unwrap();
    assert!(buffer.iter().all(|b| *b != 0.0));
    assert_close(param.value(), &(arr1(&[1.0, -2.0]).into_dyn() - buffer * 1e-3).into_shared());
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
