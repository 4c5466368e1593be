//! Every experiment finds what it should.

use std::collections::BTreeSet;

use wengert_lab::experiments;

#[test]
fn every_experiment_passes() {
    let mut failed = Vec::new();
    for experiment in experiments::all() {
        let outcome = (experiment.run)();
        assert!(!outcome.checks.is_empty(), "{} checks nothing", experiment.name);
        let wrong = outcome.checks.iter().filter(|check| !check.passed());
        failed.extend(wrong.map(|check| format!("{}: {check:?}", experiment.name)));
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn names_are_unique() {
    let all = experiments::all();
    let names: BTreeSet<_> = all.iter().map(|experiment| experiment.name).collect();
    assert_eq!(names.len(), all.len());
}
