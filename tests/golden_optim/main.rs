//! Trajectories of every rule with every option, and clipping, against recordings of PyTorch, Keras, optax, timm,
//! TensorFlow 1, burn and dfdx to 1e-12 in f64. `tests/golden/OPTIM.md` describes the recordings.
//!
//! Every recorded case is either replayed or on the list of what is not offered; an option nobody reads is a failure.

mod adaptive;
mod clipping;
mod mapping;
mod recording;
mod replay;

use std::collections::BTreeMap;

use recording::{Case, Problem, Recording};
use replay::Replayed;
use wengert_optim::{AdaGrad, Adadelta, Adam, Adamax, NAdam, RAdam, RmsProp, Rprop, Sgd};

#[test]
fn every_trajectory_is_the_recorded_one() {
    let (mut replayed, mut not_offered) = (BTreeMap::new(), BTreeMap::new());
    for file in recording::files() {
        if file.starts_with("clipping") || file.starts_with("schedules") {
            continue;
        }
        let Recording { problems, cases } = recording::trajectories(&file);
        for case in &cases {
            let count = if replay(case, &problems[&case.problem]) { &mut replayed } else { &mut not_offered };
            *count.entry(format!("{} {}", case.framework, case.rule)).or_insert(0) += 1;
        }
    }
    let expected = NOT_OFFERED.map(|(rule, count)| (rule.to_owned(), count));
    assert_eq!(not_offered.into_iter().collect::<Vec<_>>(), expected);
    assert!(replayed.values().all(|&count| count >= 2), "few cases: {replayed:?}");
    assert!(replayed.len() >= 35 && replayed.values().sum::<i32>() >= 550, "few cases: {replayed:?}");
}

/// What is recorded and not offered; `adaptive.rs` has the reasons.
const NOT_OFFERED: [(&str, i32); 9] = [
    ("keras adam", 1),
    ("keras adamax", 1),
    ("keras adamw", 1),
    ("keras nadam", 1),
    ("optax adam", 6),
    ("optax adamw", 4),
    ("optax amsgrad", 5),
    ("optax radam", 6),
    ("optax rprop", 5),
];

/// Returns whether the case is one that we offer.
fn replay(case: &Case, problem: &Problem) -> bool {
    fn offered<R: Replayed>(case: &Case, problem: &Problem, rule: Option<R>) -> bool {
        rule.map(|rule| replay::replay(case, problem, rule.into())).is_some()
    }
    match case.rule.as_str() {
        "sgd" => replay::replay(case, problem, mapping::sgd(case)),
        "rmsprop" | "scale_by_rms" | "scale_by_stddev" => {
            replay::replay(case, problem, mapping::rmsprop(case));
        }
        "adagrad" => return offered(case, problem, adaptive::adagrad(case)),
        "adadelta" => return offered(case, problem, adaptive::adadelta(case)),
        "adam" | "adamw" | "amsgrad" => return offered(case, problem, adaptive::adam(case)),
        "adamax" | "adamaxw" => return offered(case, problem, adaptive::adamax(case)),
        "nadam" => return offered(case, problem, adaptive::nadam(case)),
        "radam" => return offered(case, problem, adaptive::radam(case)),
        "lion" => return offered(case, problem, adaptive::lion(case)),
        "rprop" => return offered(case, problem, adaptive::rprop(case)),
        unknown => panic!("no rule for `{unknown}`"),
    }
    true
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

#[test]
fn the_defaults_of_the_other_rules_are_pytorch_s() {
    let recording = recording::trajectories("torch_adaptive");
    let first = |rule: &str| recording.cases.iter().find(|case| case.rule == rule).expect("a case");
    assert_eq!(adaptive::adagrad(first("adagrad")), Some(AdaGrad::default()));
    assert_eq!(adaptive::adadelta(first("adadelta")), Some(Adadelta::default()));
    assert_eq!(adaptive::adam(first("adam")), Some(Adam::default()));
    assert_eq!(adaptive::adam(first("adamw")), Some(Adam::w()));
    assert_eq!(adaptive::adamax(first("adamax")), Some(Adamax::default()));
    assert_eq!(adaptive::nadam(first("nadam")), Some(NAdam::default()));
    assert_eq!(adaptive::radam(first("radam")), Some(RAdam::default()));
    assert_eq!(adaptive::rprop(first("rprop")), Some(Rprop::default()));
}
