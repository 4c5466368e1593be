//! The adaptive rules against closed forms, and how they are related.

use wengert_autodiff::Tensor;
use wengert_optim::inspect::Explain;
use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, Lion, NAdam, RAdam, RmsProp, Rprop, Rule, WeightDecay,
};

/// An ε that no gradient here can see.
const TINY: Epsilon = Epsilon::Outside(1e-30);

/// One scalar parameter and its state.
struct Scalar<R: Rule<f64>> {
    rule: R,
    w: Tensor<f64>,
    state: R::State,
}

impl<R: Rule<f64>> Scalar<R> {
    fn new(rule: R, w: f64) -> Self {
        let w = scalar(w);
        Self { state: rule.init(&w), rule, w }
    }

    /// Returns the change.
    fn step(&mut self, g: f64) -> f64 {
        let before = self.w.sum();
        self.rule.update(&mut self.w, &scalar(g), &mut self.state);
        self.w.sum() - before
    }

    /// Returns the change of the last of many steps, each taken from zero, where no digits are lost.
    fn last_step(&mut self, grads: impl IntoIterator<Item = f64>) -> f64 {
        let steps = grads.into_iter().map(|g| {
            self.w.fill(0.0);
            self.step(g)
        });
        steps.last().expect("a gradient")
    }
}

fn scalar(x: f64) -> Tensor<f64> {
    ndarray::arr0(x).into_dyn().into_shared()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found:e}, expected {expected:e}");
}

fn alternating(steps: usize) -> impl Iterator<Item = f64> {
    (0..steps).map(|t| if t.is_multiple_of(2) { 1.0 } else { -1.0 })
}

/// Wherever ε stands, with any decay and to climb too.
#[test]
fn adam_without_a_first_moment_is_rmsprop_with_bias_correction() {
    for eps in [Epsilon::Outside(1e-3), Epsilon::Inside(1e-3), Epsilon::Uncorrected(1e-3)] {
        for weight_decay in [WeightDecay::None, WeightDecay::L2(0.1), WeightDecay::Decoupled(0.1)] {
            for maximize in [false, true] {
                let (lr, rho) = (0.01, 0.95);
                let adam =
                    Adam { lr, beta1: 0.0, beta2: rho, eps, weight_decay, maximize, ..Adam::default() };
                let bias_correction = true;
                let rmsprop =
                    RmsProp { lr, rho, eps, bias_correction, weight_decay, maximize, ..RmsProp::default() };
                let (mut adam, mut rmsprop) = (Scalar::new(adam, 1.5), Scalar::new(rmsprop, 1.5));
                for t in 0..200 {
                    let g = (0.7 * t as f64).sin() * 10f64.powi(t % 7 - 3);
                    adam.step(g);
                    rmsprop.step(g);
                    close(adam.w.sum(), rmsprop.w.sum(), 1e-15);
                    assert_eq!(adam.state.v, rmsprop.state.v);
                }
            }
        }
    }
}

/// `r ← r + g²` by hand in both placements: `r` is 9 and then 25.
#[test]
fn adagrad_by_hand() {
    let mut outside = Scalar::new(AdaGrad { eps: Epsilon::Outside(1.0), ..AdaGrad::default() }, 0.0);
    close(outside.step(3.0), -0.01 * 3.0 / (3.0 + 1.0), 1e-15);
    close(outside.last_step([4.0]), -0.01 * 4.0 / (5.0 + 1.0), 1e-15);
    let mut inside = Scalar::new(AdaGrad { eps: Epsilon::Inside(7.0), ..AdaGrad::default() }, 0.0);
    close(inside.step(3.0), -0.01 * 3.0 / (9.0 + 7.0_f64).sqrt(), 1e-15);
    close(inside.last_step([4.0]), -0.01 * 4.0 / (25.0 + 7.0_f64).sqrt(), 1e-15);
    let mut decaying = Scalar::new(AdaGrad { lr_decay: 0.5, eps: TINY, ..AdaGrad::default() }, 0.0);
    close(decaying.step(3.0), -0.01, 1e-15);
    close(decaying.last_step([4.0]), -0.01 / 1.5 * 4.0 / 5.0, 1e-15);
}

/// A constant gradient makes the step `η / √t`, and no gradient makes the rate rise.
#[test]
fn the_rate_of_adagrad_only_falls() {
    let mut constant = Scalar::new(AdaGrad { eps: TINY, ..AdaGrad::default() }, 0.0);
    let mut rough = Scalar::new(AdaGrad::default(), 0.0);
    let mut rate = f64::INFINITY;
    for t in 1..=1000 {
        close(constant.last_step([1.0]), -0.01 / f64::from(t).sqrt(), 1e-13);
        rough.step((0.7 * f64::from(t)).sin() * 10f64.powi(t % 9 - 6));
        let now = rough.rule.effective_lr(&rough.w, &rough.state).sum();
        assert!(now <= rate);
        rate = now;
    }
}

/// It does not have to fall to zero: on `L = w²` the gradients go faster than the rate, and `w` arrives.
#[test]
fn the_rate_of_adagrad_need_not_vanish() {
    for (lr, r, rate) in [(1.0, 4.0, 0.5), (0.1, 40.16, 0.01578)] {
        let mut run = Scalar::new(AdaGrad { lr, ..AdaGrad::default() }, 1.0);
        for _ in 0..20_000 {
            let w = run.w.sum();
            run.step(2.0 * w);
        }
        close(run.state.r.sum(), r, 2e-3);
        close(run.rule.effective_lr(&run.w, &run.state).sum(), rate, 1e-3);
        assert!(run.w.sum().abs() < 1e-12);
    }
}

/// After 100 steps on a steep slope AdaGrad crawls over the flat for good, while RMSProp forgets.
#[test]
fn adagrad_does_not_recover_from_a_steep_start() {
    let grads = |steps| (1..=steps).map(|t| if t <= 100 { 10.0 } else { 0.1 });
    let lr = 0.01;
    for (steps, adagrad, rmsprop) in [(101, 1.0e-5, 1.05e-4), (200, 1.0e-5, 8.889e-3), (1000, 1.0e-5, 1.0e-2)]
    {
        close(-Scalar::new(AdaGrad { lr, ..AdaGrad::default() }, 0.0).last_step(grads(steps)), adagrad, 2e-3);
        let rule = RmsProp { lr, rho: 0.9, ..RmsProp::default() };
        close(-Scalar::new(rule, 0.0).last_step(grads(steps)), rmsprop, 5e-3);
    }
}

/// A word seen a hundred times less often learns with a ten times larger rate.
#[test]
fn adagrad_favours_the_rare() {
    let (mut frequent, mut rare) =
        (Scalar::new(AdaGrad::default(), 0.0), Scalar::new(AdaGrad::default(), 0.0));
    for t in 0..10_000 {
        frequent.step(1.0);
        rare.step(if t % 100 == 0 { 1.0 } else { 0.0 });
    }
    let rate = |run: &Scalar<AdaGrad>| run.rule.effective_lr(&run.w, &run.state).sum();
    close(rate(&rare) / rate(&frequent), 10.0, 1e-8);
}

/// Where the gradient alternates, AdaGrad freezes, RMSProp keeps bouncing, and Adam damps to `(1 - β₁) / (1 + β₁)`.
#[test]
fn three_answers_to_an_alternating_gradient() {
    for (steps, freezes) in [(100, 0.1), (10_000, 0.01)] {
        let rule = AdaGrad { lr: 1.0, eps: TINY, ..AdaGrad::default() };
        close(Scalar::new(rule, 0.0).last_step(alternating(steps)), freezes, 1e-12);
    }
    let rule = RmsProp { lr: 1.0, rho: 0.9, eps: TINY, ..RmsProp::default() };
    close(Scalar::new(rule, 0.0).last_step(alternating(1000)), 1.0, 1e-12);
    let rule = Adam { lr: 1.0, eps: TINY, ..Adam::default() };
    close(Scalar::new(rule, 0.0).last_step(alternating(1000)), 0.1 / 1.9, 1e-12);
}

/// Of a constant gradient, every corrected average is the gradient: the step is η from the first on.
#[test]
fn a_constant_gradient_moves_by_the_rate() {
    for g in [-3.0, 1e-4, 70.0] {
        let step = -0.01 * f64::signum(g);
        let mut adam = Scalar::new(Adam { lr: 0.01, eps: TINY, ..Adam::default() }, 0.0);
        let mut adamax = Scalar::new(Adamax { lr: 0.01, eps: TINY, ..Adamax::default() }, 0.0);
        let mut lion = Scalar::new(Lion { lr: 0.01, ..Lion::default() }, 0.0);
        for _ in 0..50 {
            close(adam.last_step([g]), step, 1e-12);
            close(adamax.last_step([g]), step, 1e-12);
            close(lion.last_step([g]), step, 1e-15);
        }
    }
}

/// A large gradient is forgotten by `v`, not by its largest value.
#[test]
fn amsgrad_does_not_forget() {
    let grads = || std::iter::once(100.0).chain(std::iter::repeat_n(1.0, 200));
    let rule = Adam { lr: 0.01, beta1: 0.0, beta2: 0.9, eps: TINY, ..Adam::default() };
    close(Scalar::new(rule, 0.0).last_step(grads()), -0.01, 1e-5);
    // The largest v is (1 - β₂) 100², from the first step.
    let mut amsgrad = Scalar::new(Adam { amsgrad: true, ..rule }, 0.0);
    close(amsgrad.last_step(grads()), -0.01 / 1000_f64.sqrt(), 1e-5);
    close(amsgrad.state.v_max.unwrap().sum(), 1000.0, 1e-14);
}

/// The paper's ε̂: `η √(1 - β₂) g / (√((1 - β₂) g²) + ε)` in the first step.
#[test]
fn an_uncorrected_epsilon_counts_for_more_at_first() {
    let eps = Epsilon::Uncorrected(1e-2);
    let rule = Adam { lr: 1.0, beta2: 0.99, eps, ..Adam::default() };
    close(Scalar::new(rule, 0.0).step(0.5), -0.1 * 0.5 / (0.05 + 1e-2), 1e-13);
}

/// With ψ = 0 the momentum is `β₁/2` at every step: the first `m̂` is `μ (1 - β₁) g / (1 - μ²) + g`.
#[test]
fn nadam_looks_ahead() {
    let rule = NAdam { lr: 1.0, eps: TINY, momentum_decay: 0.0, ..NAdam::default() };
    let mu = 0.45;
    let mut run = Scalar::new(rule, 0.0);
    close(run.step(2.0), -(mu * 0.1 / (1.0 - mu * mu) + 1.0), 1e-12);
    run.step(2.0);
    close(run.state.mu_product, mu * mu, 1e-15);
}

/// At β₂ = 0.999 the memory is longer than 5 from the sixth gradient on; until then the step is `η m̂`, here η g. From
/// then on it is η r, with the paper's r in rational arithmetic.
#[test]
fn radam_waits_for_six_gradients() {
    let mut run = Scalar::new(RAdam { lr: 0.01, eps: TINY, ..RAdam::default() }, 0.0);
    let steps: Vec<_> = (0..8).map(|_| run.last_step([50.0])).collect();
    for step in &steps[..5] {
        close(*step, -0.5, 1e-12);
    }
    for (step, r) in
        steps[5..].iter().zip([0.025_821_112_801_865, 0.032_738_814_410_059, 0.038_738_277_019_785])
    {
        assert!((step / (-0.01 * r) - 1.0).abs() < 1e-10, "{step}, not -0.01 · {r}");
    }
}

/// `u = √ε / √(0.1 g² + ε) g` in the first step, and `x` the average of its square.
#[test]
fn adadelta_starts_from_epsilon() {
    let mut run = Scalar::new(Adadelta::default(), 0.0);
    let u = (1e-6 / (0.1 * 9.0 + 1e-6_f64)).sqrt() * 3.0;
    close(run.step(3.0), -u, 1e-12);
    close(run.state.x.sum(), 0.1 * u * u, 1e-12);
}

/// Steps of 0.01, 0.012, none after the change of sign, and the halved one next.
#[test]
fn rprop_by_hand() {
    let mut run = Scalar::new(Rprop::default(), 0.0);
    for (g, step) in [(5.0, -0.01), (1e-9, -0.012), (-3.0, 0.0), (-3.0, 0.006), (-1.0, 0.0072)] {
        let found = run.last_step([g]);
        assert!((found - step).abs() < 1e-16, "{found}, not {step}");
    }
    // A product of these gradients would underflow, and with it the sign.
    let mut small = Scalar::new(Rprop::default(), 0.0);
    close(small.last_step([1e-200, 1e-200]), -0.012, 1e-15);
}

/// A gradient that is not a number must show, not freeze the parameter.
#[test]
fn a_sign_does_not_hide_a_nan() {
    let mut lion = Scalar::new(Lion::default(), 1.0);
    assert!(lion.step(f64::NAN).is_nan());
    let mut rprop = Scalar::new(Rprop::default(), 1.0);
    assert!(rprop.step(f64::NAN).is_nan());
}

/// Decoupled decay where the loss has no gradient: `(1 - η λ)ᵗ`. L2 decay is normalised away.
#[test]
fn adamw_decays_and_adam_normalises() {
    let mut adamw = Scalar::new(Adam::w(), 1.0);
    (0..100).for_each(|_| _ = adamw.step(0.0));
    close(adamw.w.sum(), (1.0_f64 - 1e-3 * 1e-2).powi(100), 1e-14);
    for lambda in [1e-4, 1e-2] {
        let rule = Adam { weight_decay: WeightDecay::L2(lambda), eps: TINY, ..Adam::default() };
        close(Scalar::new(rule, 1.0).step(0.0), -1e-3, 1e-12);
    }
}
