//! Trajectories of every rule with every option, and clipping, against recordings of PyTorch, Keras, optax, timm,
//! TensorFlow 1, burn and dfdx to 1e-12 in f64. `tests/golden/OPTIM.md` describes the recordings.
//!
//! Every recorded case is either replayed or on the list of what is not offered; an option nobody reads is a failure.

mod adaptive;
mod clipping;
mod mapping;
mod recording;
mod replay;

use std::collections::{BTreeMap, BTreeSet};

use mapping::Mapped;
use recording::{Case, Problem, Recording};
use replay::Replayed;
use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, NAdam, RAdam, RmsProp, Rprop, Rule, Sgd, for_every_rule,
};

#[test]
fn every_trajectory_is_the_recorded_one() {
    let (mut replayed, mut not_offered, mut rules) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for file in recording::files() {
        if file.starts_with("clipping") || file.starts_with("schedules") {
            continue;
        }
        let Recording { problems, cases } = recording::trajectories(&file);
        for case in &cases {
            let rule = replay(case, &problems[&case.problem]);
            rules.extend(rule);
            let count = if rule.is_some() { &mut replayed } else { &mut not_offered };
            *count.entry(format!("{} {}", case.framework, case.rule)).or_insert(0) += 1;
        }
    }
    let expected = NOT_OFFERED.map(|(rule, count)| (rule.to_owned(), count));
    assert_eq!(not_offered.into_iter().collect::<Vec<_>>(), expected);
    assert!(replayed.values().all(|&count| count >= 2), "few cases: {replayed:?}");
    fn name<R: Rule<f64>>() -> &'static str {
        R::NAME
    }
    let unrecorded: Vec<_> = for_every_rule!(name).into_iter().filter(|name| !rules.contains(name)).collect();
    assert!(
        unrecorded.is_empty(),
        "no trajectory of {unrecorded:?}; tests/golden/OPTIM.md says how to record one"
    );
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

/// Returns the name of our rule, if the case is one that we offer.
fn replay(case: &Case, problem: &Problem) -> Option<&'static str> {
    fn played<R: Replayed>(case: &Case, problem: &Problem, rule: Mapped<R>) -> &'static str {
        replay::replay(case, problem, rule);
        R::NAME
    }
    fn offered<R: Replayed>(case: &Case, problem: &Problem, rule: Option<R>) -> Option<&'static str> {
        rule.map(|rule| played::<R>(case, problem, rule.into()))
    }
    match case.rule.as_str() {
        "sgd" => Some(played(case, problem, mapping::sgd(case))),
        "rmsprop" | "scale_by_rms" | "scale_by_stddev" => Some(played(case, problem, mapping::rmsprop(case))),
        "adagrad" => offered(case, problem, adaptive::adagrad(case)),
        "adadelta" => offered(case, problem, adaptive::adadelta(case)),
        "adam" | "adamw" | "amsgrad" => offered(case, problem, adaptive::adam(case)),
        "adamax" | "adamaxw" => offered(case, problem, adaptive::adamax(case)),
        "nadam" => offered(case, problem, adaptive::nadam(case)),
        "radam" => offered(case, problem, adaptive::radam(case)),
        "lion" => offered(case, problem, adaptive::lion(case)),
        "rprop" => offered(case, problem, adaptive::rprop(case)),
        unknown => panic!("a recording of `{unknown}`: add it here, and what its options are to adaptive.rs"),
    }
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
