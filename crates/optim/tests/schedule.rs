//! Schedules beyond the recorded ones: closed forms, joints, the edges of the range, saving, and any hyper-parameter.

use wengert_autodiff::{Gradients, Param};
use wengert_optim::{
    Curve, EarlyStopping, Goal, Interpolation, Margin, Optimizer, ReduceOnPlateau, RmsProp, Schedule,
};

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-14 * expected.abs(), "{found:e}, expected {expected:e}");
}

#[test]
fn noam_rises_to_the_end_of_the_warm_up_and_falls_with_the_root() {
    let noam: Schedule = Curve::Noam { scale: 2.0, width: 256, warmup: 100 }.into();
    // n = t + 1: at n = 100 both branches are 1 / √100.
    close(noam.at(99), 2.0 / 16.0 / 10.0);
    close(noam.at(49), noam.at(99) / 2.0);
    close(noam.at(399), noam.at(99) / 2.0);
}

#[test]
fn half_of_a_cosine_is_in_the_middle_at_half_time() {
    let cosine = Schedule::cosine(1.0, 0.2, 100);
    assert_eq!(cosine.at(0), 1.0);
    close(cosine.at(50), 0.6);
    assert_eq!((cosine.at(100), cosine.at(1_000_000)), (0.2, 0.2));
}

#[test]
fn restarts_stretch() {
    let restarts: Schedule = Curve::CosineRestarts { from: 1.0, to: 0.0, period: 3, stretch: 2 }.into();
    let full: Vec<_> = (0..50).filter(|&t| restarts.at(t) == 1.0).collect();
    assert_eq!(full, [0, 3, 9, 21, 45]); // 3 + 6 + 12 + 24
}

#[test]
fn pieces_count_from_their_own_start_and_what_comes_later_wins() {
    let fall = Schedule::linear(1.0, 0.0, 10);
    let all = Schedule::linear(0.0, 1.0, 4).then(4, fall.clone()).then(9, Schedule::constant(7.0));
    let values: Vec<_> = (0..11).map(|t| all.at(t)).collect();
    assert_eq!(values, [0.0, 0.25, 0.5, 0.75, 1.0, 0.9, 0.8, 0.7, 0.6, 7.0, 7.0]);

    let shared = Schedule::constant(3.0).then(2, Schedule::constant(4.0).then(5, Schedule::constant(5.0)));
    assert_eq!([0, 2, 6, 7].map(|t| shared.at(t)), [3.0, 4.0, 4.0, 5.0]);
    // Cut before the joint: the second piece never begins.
    assert_eq!(shared.clone().then(1, Schedule::constant(0.0)).at(9), 0.0);
    assert_eq!(shared.then(0, fall.clone()), fall);
}

#[test]
fn no_number_makes_a_schedule_panic() {
    let curves = [
        Curve::Step { from: 1.0, every: 0, gamma: 0.5 },
        Curve::MultiStep { from: 1.0, milestones: vec![], gamma: 0.5 },
        Curve::Polynomial { from: 1.0, to: 0.5, steps: 0, power: 2.0 },
        Curve::Interpolate { points: vec![], ease: Interpolation::Linear },
        Curve::Interpolate {
            points: vec![(5.0, 1.0), (f64::NAN, 2.0), (1.0, 3.0)],
            ease: Interpolation::Cosine,
        },
        Curve::CosineRestarts { from: 1.0, to: 0.0, period: 0, stretch: 0 },
        Curve::CosineRestarts { from: 1.0, to: 0.0, period: 1, stretch: u64::MAX },
        Curve::Noam { scale: 1.0, width: 0, warmup: 0 },
    ];
    for curve in curves {
        let schedule = Schedule::from(curve).then(u64::MAX, Schedule::linear(0.0, 1.0, 0));
        for t in [0, 1, 1 << 40, u64::MAX - 1, u64::MAX] {
            let _ = schedule.at(t);
        }
    }
    assert_eq!(Schedule::linear(0.0, 1.0, 0).at(0), 1.0);
    let short = Schedule::one_cycle(1.0, 2.0, 3.0, 0, 0.3, Interpolation::Cosine);
    assert_eq!(short.at(0), 3.0);
}

/// What lies between two numbers is in range, whatever their distance.
#[test]
fn values_are_in_range_on_the_way_between_the_largest_numbers() {
    let (top, deep) = (f64::MAX, -f64::MAX);
    for (schedule, at_start, half_way) in [
        (Schedule::cosine(9e307, 0.0, 10), 9e307, 4.5e307),
        (Schedule::cosine(top, deep, 10), top, 0.0),
        (Schedule::linear(top, 0.0, 10), top, top / 2.0),
        (Schedule::linear(deep, top, 10), deep, 0.0),
        (Curve::Polynomial { from: top, to: deep, steps: 10, power: 1.0 }.into(), top, 0.0),
        (Curve::CosineRestarts { from: top, to: 0.0, period: 10, stretch: 1 }.into(), top, top / 2.0),
        (Curve::CosineRestarts { from: top, to: deep, period: 10, stretch: 1 }.into(), top, 0.0),
    ] {
        close(schedule.at(0), at_start);
        let found = schedule.at(5);
        assert!((found - half_way).abs() <= 1e-14 * top, "{schedule:?}: {found:e}, expected {half_way:e}");
    }
}

#[test]
fn a_margin_lies_on_the_better_side_of_the_best() {
    use Goal::{Max, Min};
    let infinity = f64::INFINITY;
    // The least change that counts is 1 where the best is ±100.
    for (goal, best, worse, better) in [
        (Min, 100.0, 99.5, 98.5),
        (Min, -100.0, -100.5, -101.5),
        (Max, 100.0, 100.5, 101.5),
        (Max, -100.0, -99.5, -98.5),
        (Min, 0.0, 0.0, -1e-300),
        (Max, 0.0, -0.0, 1e-300),
        (Min, infinity, infinity, 1e300),
        (Max, -infinity, -infinity, -1e300),
        (Min, -infinity, f64::NAN, -infinity),
    ] {
        let improves = |metric| goal.improves(metric, Some(best), Margin::Relative(0.01));
        assert!(!improves(worse), "{goal:?} {best}: {worse}");
        assert_eq!(improves(better), better != best, "{goal:?} {best}: {better}");
    }
    // A loss that has come to rest below 0 is a plateau.
    let mut plateau = ReduceOnPlateau { patience: 1, ..ReduceOnPlateau::default() };
    let rates = [-5.0; 4].map(|loss| plateau.next(1.0, loss));
    assert_eq!(rates, [1.0, 1.0, 0.1, 1.0]);
    let margin = Margin::Relative(1e-4);
    let mut stopping = EarlyStopping { patience: 2, margin, ..EarlyStopping::default() };
    assert_eq!([-5.0; 3].map(|loss| stopping.should_stop(loss)), [false, false, true]);
}

/// A file may hold any count.
#[test]
fn counts_at_the_end_of_their_range_stay_there() {
    let mut stopping = EarlyStopping { best: Some(0.0), waited: u64::MAX, ..EarlyStopping::default() };
    assert!(stopping.should_stop(1.0));
    assert_eq!(stopping.waited, u64::MAX);
    let (best, patience) = (Some(0.0), u64::MAX);
    let mut plateau = ReduceOnPlateau { best, waited: u64::MAX, patience, ..ReduceOnPlateau::default() };
    assert_eq!((plateau.next(0.5, 1.0), plateau.waited), (0.5, u64::MAX));
}

#[test]
fn a_schedule_is_a_value_that_can_be_saved() {
    let schedule = Schedule::linear(0.0, 0.1, 5).then(5, Curve::Exponential { from: 0.1, gamma: 0.9 }.into());
    let text = serde_json::to_string(&schedule).unwrap();
    assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
}

/// ρ rises and μ falls while the rate stays: the averages then follow the formulas with the value of each step.
#[test]
fn any_hyper_parameter_follows() {
    let rho = Schedule::linear(0.5, 0.9, 4);
    let momentum: Schedule = Curve::Step { from: 0.8, every: 2, gamma: 0.5 }.into();
    let rule = RmsProp { momentum: 0.8, ..RmsProp::default() };
    let mut opt: Optimizer<RmsProp, f64> = Optimizer::new(rule).with_group("b*", rule);
    let mut model: Param<f64> = ndarray::arr1(&[1.0]).into();
    let mut grads = Gradients::default();
    grads.set(&model, ndarray::arr1(&[2.0]));

    let (mut v, mut b) = (0.0, 0.0);
    for (rho_now, mu_now) in [(0.5, 0.8), (0.6, 0.8), (0.7, 0.4), (0.8, 0.4), (0.9, 0.2), (0.9, 0.2)] {
        let step = opt.steps();
        for rule in opt.rules_mut() {
            rule.rho = rho.at(step);
            rule.momentum = momentum.at(step);
        }
        opt.step(&mut model, &grads);
        v = rho_now * v + (1.0 - rho_now) * 4.0;
        b = mu_now * b + 2.0 / (f64::sqrt(v) + 1e-8);
        let state = opt.state("").unwrap();
        close(state.v[0], v);
        close(state.buffer.as_ref().unwrap()[0], b);
    }
    assert_eq!(opt.rule_for("bias").rho, 0.9);
}
