//! Every experiment finds what it should.

use std::collections::BTreeSet;

use wengert_lab::experiments;

#[test]
fn every_experiment_passes() {
    for experiment in experiments::all() {
        let outcome = (experiment.run)();
        assert!(!outcome.checks.is_empty(), "{} checks nothing", experiment.name);
        for check in &outcome.checks {
            assert!(check.passed(), "{}: {check:?}", experiment.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let all = experiments::all();
    let names: BTreeSet<_> = all.iter().map(|experiment| experiment.name).collect();
    assert_eq!(names.len(), all.len());
}
