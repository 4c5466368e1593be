//! RMSProp against closed forms and numbers computed by hand.

use wengert_autodiff::Tensor;
use wengert_optim::{Epsilon, RmsProp, RmsPropState, Rule, WeightDecay};

/// An ε that no gradient here can see.
const TINY: Epsilon = Epsilon::Outside(1e-30);

/// One scalar parameter and its state.
struct Scalar {
    rule: RmsProp,
    w: Tensor<f64>,
    state: RmsPropState<f64>,
}

impl Scalar {
    fn new(rule: RmsProp, w: f64) -> Self {
        let w = ndarray::arr0(w).into_dyn().into_shared();
        Self { state: rule.init(&w), rule, w }
    }

    /// Returns the change.
    fn step(&mut self, g: f64) -> f64 {
        let before = self.w();
        let g = ndarray::arr0(g).into_dyn().into_shared();
        self.rule.update(&mut self.w, &g, &mut self.state);
        self.w() - before
    }

    fn w(&self) -> f64 {
        self.w.sum()
    }

    fn v(&self) -> f64 {
        self.state.v.sum()
    }
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found:e}, expected {expected:e}");
}

/// `L = w²` from `w = 1`: the first gradient is 2, `v = 0.1 · 4`, the step `0.1 · 2 / √0.4 = 0.316228`.
#[test]
fn the_worked_example() {
    for eps in [Epsilon::Outside(1e-8), Epsilon::Inside(1e-8)] {
        let mut run = Scalar::new(RmsProp { lr: 0.1, rho: 0.9, eps, ..RmsProp::default() }, 1.0);
        let expected = [
            (0.4, 0.683772),
            (0.547018, 0.498871),
            (0.591865, 0.369181),
            (0.587196, 0.272825),
            (0.558250, 0.199795),
        ];
        for (v, w) in expected {
            run.step(2.0 * run.w());
            assert!((run.v() - v).abs() < 5e-7, "v is {}, not {v}", run.v());
            assert!((run.w() - w).abs() < 5e-7, "w is {}, not {w}", run.w());
        }
        (5..10).for_each(|_| _ = run.step(2.0 * run.w()));
        assert!((run.w() - 0.032117).abs() < 5e-7);
    }
}

/// PyTorch's defaults on one gradient of 3: `v = 0.01 · 9`, the step `0.01 · 3 / (0.3 + 1e-8)`.
#[test]
fn the_default_is_pytorch_s_by_hand() {
    let mut run = Scalar::new(RmsProp::default(), 1.0);
    run.step(3.0);
    close(run.v(), 0.09, 1e-15);
    close(run.w(), 1.0 - 0.03 / (0.3 + 1e-8), 1e-15);
    run.step(-1.0);
    close(run.v(), 0.99 * 0.09 + 0.01, 1e-15);
    close(run.w(), 1.0 - 0.03 / (0.3 + 1e-8) + 0.01 / (0.0991f64.sqrt() + 1e-8), 1e-15);
}

/// Of a constant gradient, `v = g² (1 - ρᵗ)`, and the step is `-η / √(1 - ρᵗ)` whatever the gradient is.
#[test]
fn a_constant_gradient_fills_the_average() {
    for (rho, steps_to_95_percent) in [(0.9, 29), (0.99, 299), (0.999, 2995)] {
        let mut run = Scalar::new(RmsProp { lr: 0.1, rho, eps: TINY, ..RmsProp::default() }, 0.0);
        let mut reached = None;
        for t in 1..=3000 {
            let step = run.step(0.3);
            let share = 1.0 - f64::powi(rho, t);
            close(run.v(), 0.09 * share, 1e-12);
            close(step, -0.1 / share.sqrt(), 1e-9);
            if reached.is_none() && run.v() >= 0.95 * 0.09 {
                reached = Some(t);
            }
        }
        assert_eq!(reached, Some(steps_to_95_percent));
    }
}

#[test]
fn a_cold_start_inflates_the_first_step_and_bias_correction_does_not() {
    for rho in [0.0, 0.9, 0.99, 0.999] {
        let plain = RmsProp { lr: 0.1, rho, eps: TINY, ..RmsProp::default() };
        for g in [-3.0, 1e-4, 70.0] {
            let inflated = Scalar::new(plain, 0.0).step(g);
            close(inflated, -0.1 * g.signum() / (1.0 - rho).sqrt(), 1e-14);
            let corrected = Scalar::new(RmsProp { bias_correction: true, ..plain }, 0.0).step(g);
            close(corrected, -0.1 * g.signum(), 1e-14);
        }
    }
}

/// `v = ρᵗ v₀ + g² (1 - ρᵗ)`: starting from 1, a small gradient moves little for a long time.
#[test]
fn the_initial_v_is_forgotten_at_the_rate_rho() {
    let mut run = Scalar::new(RmsProp { rho: 0.9, eps: TINY, v0: 1.0, ..RmsProp::default() }, 0.0);
    for t in 1..=200 {
        let step = run.step(1e-3);
        let kept = 0.9f64.powi(t);
        let v = kept + 1e-6 * (1.0 - kept);
        close(run.v(), v, 1e-12);
        close(step, -0.01 * 1e-3 / v.sqrt(), 1e-10);
    }
}

/// Of one gradient followed by zeros, `vₖ = ρᵏ v₀`.
#[test]
fn an_impulse_decays_at_the_rate_rho() {
    let mut run = Scalar::new(RmsProp { rho: 0.9, ..RmsProp::default() }, 0.0);
    run.step(2.0);
    let first = run.v();
    for k in 1..50 {
        assert_eq!(run.step(0.0), 0.0);
        close(run.v(), first * 0.9f64.powi(k), 1e-13);
    }
}

/// `v - m² = g² ρᵗ (1 - ρᵗ)` falls to zero, so that the step grows without bound.
#[test]
fn centered_steps_grow_on_a_constant_gradient() {
    for (rho, blow_up) in [(0.9, 88), (0.99, 917)] {
        let rule = RmsProp { lr: 1.0, rho, eps: TINY, centered: true, ..RmsProp::default() };
        let mut run = Scalar::new(rule, 0.0);
        let mut first = None;
        for t in 1..=blow_up + 10 {
            run.w.fill(0.0); // steps of a hundred would drown in the parameter's rounding
            let step = -run.step(0.25);
            let kept = f64::powi(rho, t);
            close(step, 1.0 / (kept * (1.0 - kept)).sqrt(), 1e-7);
            if step > 100.0 {
                first.get_or_insert(t);
            }
        }
        assert_eq!(first, Some(blow_up));
        assert_eq!(run.state.clamped, 0);
    }
}

/// In `f32` the variance of a constant gradient becomes negative by rounding; its root would be NaN.
#[test]
fn a_negative_variance_is_clamped_and_counted() {
    for eps in [Epsilon::Outside(1e-8), Epsilon::Inside(1e-8)] {
        let rule = RmsProp { eps, centered: true, ..RmsProp::default() };
        let mut w = Tensor::<f32>::zeros(vec![2, 3]);
        let g = w.mapv(|_| 0.1).into_shared();
        let mut state = rule.init(&w);
        for _ in 0..5000 {
            rule.update(&mut w, &g, &mut state);
            assert!(w.iter().all(|w| w.is_finite()));
        }
        assert!(state.clamped > 0);
        assert_eq!(state.clamped % 6, 0, "all six elements are alike");
    }
}

/// `b = η u Σ μᵏ` of a constant update, with the rate inside or outside: the two differ only once the rate changes.
#[test]
fn the_place_of_the_rate_matters_when_it_changes() {
    // With ρ = 0 and no visible ε the update is the gradient's sign, here 1.
    let outside = RmsProp { lr: 0.1, rho: 0.0, eps: TINY, momentum: 0.5, ..RmsProp::default() };
    let inside = RmsProp { lr_in_momentum: true, ..outside };
    let (mut a, mut b) = (Scalar::new(outside, 0.0), Scalar::new(inside, 0.0));
    for expected in [-0.1, -0.15, -0.175] {
        close(a.step(7.0), expected, 1e-14);
        close(b.step(7.0), expected, 1e-14);
    }
    (a.rule.lr, b.rule.lr) = (0.01, 0.01);
    close(a.step(7.0), -0.01 * 1.875, 1e-13);
    close(b.step(7.0), -(0.5 * 0.175 + 0.01), 1e-13);
}

/// Nesterov's update is `u + μ b` with the new `b`.
#[test]
fn nesterov_looks_ahead() {
    let rule = RmsProp { lr: 0.1, rho: 0.0, eps: TINY, momentum: 0.5, nesterov: true, ..RmsProp::default() };
    let mut run = Scalar::new(rule, 0.0);
    close(run.step(7.0), -0.1 * 1.5, 1e-14);
    close(run.step(7.0), -0.1 * 1.75, 1e-14);
}

/// Where the loss has no gradient, L2 decay of any strength moves the parameter alike; decoupled decay does not.
#[test]
fn l2_decay_is_normalised_away_and_decoupled_decay_is_not() {
    for lambda in [1e-4, 1e-2] {
        let with = |weight_decay| Scalar::new(RmsProp { weight_decay, ..RmsProp::default() }, 1.0);
        let mut l2 = with(WeightDecay::L2(lambda));
        l2.step(0.0);
        close(l2.w(), 1.0 - 0.01 * lambda / (0.1 * lambda + 1e-8), 1e-14);
        let mut decoupled = with(WeightDecay::Decoupled(lambda));
        (0..100).for_each(|_| _ = decoupled.step(0.0));
        close(decoupled.w(), (1.0 - 0.01 * lambda).powi(100), 1e-13);
        let mut corrected = with(WeightDecay::Corrected { lambda, max_lr: 0.04 });
        corrected.step(0.0);
        close(corrected.w(), 1.0 - 0.01 * 0.01 / 0.04 * lambda, 1e-15);
    }
}

/// A momentum that is switched on in the middle starts its buffer then.
#[test]
fn options_can_be_switched_on_later() {
    let mut run = Scalar::new(RmsProp { rho: 0.0, eps: TINY, ..RmsProp::default() }, 0.0);
    run.step(1.0);
    assert!(run.state.buffer.is_none() && run.state.m.is_none());
    (run.rule.momentum, run.rule.centered) = (0.9, false);
    close(run.step(1.0), -0.01, 1e-14);
    close(run.step(1.0), -0.019, 1e-14);
    assert_eq!(run.state.steps, 3);
}

/// `1 - ρ` is rounded once: `1 - 0.999` in `f32` would be 0.00100005.
#[test]
fn single_precision_keeps_the_digits_of_the_decay() {
    let rule = RmsProp { rho: 0.999, ..RmsProp::default() };
    let mut w = Tensor::<f32>::zeros(vec![1]);
    let mut state = rule.init(&w);
    rule.update(&mut w, &Tensor::from_elem(vec![1], 1.0), &mut state);
    assert_eq!(state.v[0], 0.001);
}

/// Without options a shorter loop runs; with the gradient's sign turned twice the one for all options, to the same
/// bits.
#[test]
fn the_loop_without_options_gives_the_bits_of_the_one_for_all() {
    let plain = RmsProp { lr: 0.003, rho: 0.97, ..RmsProp::default() };
    let climbing = RmsProp { maximize: true, ..plain };
    let start = Tensor::<f32>::from_shape_fn(vec![3, 37], |i| (i[0] * 37 + i[1]) as f32 / 50.0 - 1.0);
    let (mut down, mut up) = ((start.clone(), plain.init(&start)), (start.clone(), climbing.init(&start)));
    for step in 1..50_i16 {
        let grad = start.mapv(|x| (x * f32::from(step)).sin() / f32::from(step)).into_shared();
        plain.update(&mut down.0, &grad, &mut down.1);
        climbing.update(&mut up.0, &grad.mapv(|g| -g).into_shared(), &mut up.1);
    }
    assert_eq!(down, up);
    assert_ne!(down.0, start);
}
