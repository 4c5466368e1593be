//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{amplitude, cosine, descend};

fn close(what: &str, found: f64, expected: f64, hint: &str) {
    assert!((found - expected).abs() < 1e-12, "{what} is {found}, expected {expected}: {hint}");
}

#[test]
fn two_steps_by_hand() {
    let path = descend(|_| 0.01, 2);
    let mut v = 0.1;
    let first = 1.0 - 0.01 / (f64::sqrt(v) + 1e-8);
    v = 0.9 * v + 0.1 * first * first;
    let second = first - 0.01 * first / (v.sqrt() + 1e-8);
    close(
        "p after step 1",
        path[0],
        first,
        "v = 0.1 · 1², p = 1 - η / (√v + ε): the start itself is not in the path",
    );
    close("p after step 2", path[1], second, "the gradient is p as it is now, and v lives on");
}

#[test]
fn every_step_has_its_rate() {
    let path = descend(|t| if t == 1 { 0.01 } else { 0.0 }, 4);
    assert_eq!(path[0], 1.0, "with lr(0) = 0 the first step does not move: t counts from 0");
    assert!(path[1] < 1.0, "with lr(1) = 0.01 the second step moves");
    assert_eq!(path[1], path[3], "with lr(2) = lr(3) = 0 the others do not");
}

#[test]
fn amplitudes() {
    let mut path = vec![5.0; 50];
    path.extend((0..100).map(|t| if t == 40 { -0.5 } else { 0.25 }));
    close("the amplitude", amplitude(&path), 0.5, "the largest |p| of the last hundred, also a negative one");
    close("the amplitude of a short path", amplitude(&[0.1, -0.3]), 0.3, "of what there is");
}

#[test]
fn a_constant_rate_ends_in_a_cycle() {
    for lr in [0.1, 0.01, 0.001] {
        let path = descend(|_| lr, 5000);
        let found = amplitude(&path) / lr;
        assert!(
            (found - 0.5).abs() < 0.05,
            "the amplitude at the rate {lr} is {found:.3} η, expected about η / 2"
        );
        let signs = path[4900..].windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
        assert!(signs > 90, "it goes to and fro: {signs} of 99 steps change the sign");
    }
}

#[test]
fn cosines() {
    close("cosine at 0", cosine(0, 10, 0.4), 0.4, "it starts at lr");
    close("cosine half way", cosine(5, 10, 0.4), 0.2, "half of lr half way");
    close("cosine at a quarter", cosine(25, 100, 1.0), 0.5 + 0.5_f64.sqrt() / 2.0, "(1 + cos(π / 4)) / 2");
    close("cosine at the end", cosine(10, 10, 0.4), 0.0, "0 at the end");
    close("cosine after the end", cosine(15, 10, 0.4), 0.0, "and it stays 0: a cosine would rise again");
}

#[test]
fn the_schedule_ends_the_cycle() {
    let amplitude_of = |steps| amplitude(&descend(|t| cosine(t, steps, 0.1), steps));
    let found = amplitude_of(5000);
    assert!(
        found < 1e-3,
        "with a cosine from 0.1 the amplitude is {found:e}, expected a hundredth of the cycle's 0.05"
    );
}
