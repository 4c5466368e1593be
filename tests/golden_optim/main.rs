//! Trajectories of `Sgd` and `RmsProp` with every option, and clipping, against recordings of PyTorch, Keras, optax,
//! timm, TensorFlow 1, burn and dfdx to 1e-12 in f64. `tests/golden/OPTIM.md` describes the recordings.
//!
//! Every recorded case is either replayed or on the list of what is not offered; an option nobody reads is a failure.

mod clipping;
mod mapping;
mod recording;
mod replay;

use std::collections::BTreeMap;

use recording::Recording;
use wengert_optim::{RmsProp, Sgd};

/// What other frameworks have and this crate does not, or not yet.
const NOT_YET: [&str; 13] = [
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamaxw",
    "adamw",
    "amsgrad",
    "lion",
    "nadam",
    "radam",
    "rprop",
    "schedules_optax",
    "schedules_torch",
];

#[test]
fn every_trajectory_is_the_recorded_one() {
    let mut replayed = BTreeMap::new();
    for file in recording::files() {
        if file.starts_with("clipping") || NOT_YET.contains(&file.as_str()) {
            continue;
        }
        let Recording { problems, cases } = recording::trajectories(&file);
        for case in &cases {
            let problem = &problems[&case.problem];
            match case.rule.as_str() {
                "sgd" => replay::replay(case, problem, mapping::sgd(case)),
                "rmsprop" | "scale_by_rms" | "scale_by_stddev" => {
                    replay::replay(case, problem, mapping::rmsprop(case));
                }
                rule if NOT_YET.contains(&rule) => continue,
                unknown => panic!("{file}: no rule for `{unknown}`"),
            }
            *replayed.entry(format!("{} {}", case.framework, case.rule)).or_insert(0) += 1;
        }
    }
    let expected = [
        "burn rmsprop",
        "dfdx rmsprop",
        "keras rmsprop",
        "keras sgd",
        "optax rmsprop",
        "optax scale_by_rms",
        "optax scale_by_stddev",
        "optax sgd",
        "tf1 rmsprop",
        "timm rmsprop",
        "torch rmsprop",
        "torch sgd",
    ];
    assert_eq!(replayed.keys().collect::<Vec<_>>(), expected);
    assert!(replayed.values().all(|&count| count >= 4), "few cases: {replayed:?}");
}

/// The first case of each recording was made without naming an option, so it states the framework's defaults. Where
/// the rate is the caller's, the recording happens to use the same 1e-2.
#[test]
fn presets_are_the_defaults_of_their_frameworks() {
    let presets = [
        ("torch", RmsProp::torch()),
        ("keras", RmsProp::keras()),
        ("optax", RmsProp::optax()),
        ("timm", RmsProp::timm()),
        ("tf1", RmsProp::tf1()),
        ("dfdx", RmsProp::dfdx()),
    ];
    for (framework, preset) in presets {
        let first = &recording::trajectories(&format!("{framework}_rmsprop")).cases[0];
        assert_eq!(mapping::rmsprop(first).default, preset, "{framework}");
    }
    // burn keeps its options in f32.
    let first = &recording::trajectories("burn_rmsprop").cases[0];
    let burn = RmsProp::burn();
    let single = |x: f64| f64::from(x as f32);
    let eps = wengert_optim::Epsilon::Outside(single(burn.eps.value()));
    let burn = RmsProp { rho: single(burn.rho), momentum: single(burn.momentum), eps, ..burn };
    assert_eq!(mapping::rmsprop(first).default, burn);
    // PyTorch's SGD made its first case with a rate of its own.
    let first = &recording::trajectories("torch_sgd").cases[0];
    assert_eq!(mapping::sgd(first).default, Sgd { lr: 1e-3, ..Sgd::default() });
}
