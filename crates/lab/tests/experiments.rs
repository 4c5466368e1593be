//! Every experiment finds what it should.

use std::collections::BTreeSet;

use wengert_lab::experiments;

fn expect_all_to_pass(chosen: impl Fn(&str) -> bool) {
    let chosen: Vec<_> =
        experiments::all().into_iter().filter(|experiment| chosen(experiment.name)).collect();
    assert!(!chosen.is_empty());
    let mut failed = Vec::new();
    for experiment in chosen {
        let outcome = (experiment.run)();
        assert!(!outcome.checks.is_empty(), "{} checks nothing", experiment.name);
        let wrong = outcome.checks.iter().filter(|check| !check.passed());
        failed.extend(wrong.map(|check| format!("{}: {check:?}", experiment.name)));
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

fn is_on_digits(name: &str) -> bool {
    name.ends_with("-on-digits")
}

#[test]
fn every_experiment_but_those_on_digits_passes() {
    expect_all_to_pass(|name| !is_on_digits(name));
}

/// They train networks; `--skip slow` leaves them out.
mod slow {
    use super::*;

    #[test]
    fn every_experiment_on_digits_passes() {
        expect_all_to_pass(is_on_digits);
    }
}

#[test]
fn names_are_unique() {
    let all = experiments::all();
    let names: BTreeSet<_> = all.iter().map(|experiment| experiment.name).collect();
    assert_eq!(names.len(), all.len());
}
