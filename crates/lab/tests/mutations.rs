//! Ten ways to get RMSProp wrong, and the law that catches each.

use std::sync::Arc;

use wengert_lab::wrong::{Bug, Wrong, cases};
use wengert_lab::{grade, grade_as};
use wengert_optim::{RmsProp, Rule, Sgd, for_every_rule};

fn failed(bug: Bug, hyper: RmsProp) -> Vec<&'static str> {
    let grade = grade_as(Wrong { hyper, bug, shared: Arc::default() }, hyper);
    println!("{bug:?}\n{grade}");
    grade.failed()
}

#[test]
fn each_bug_is_caught_by_its_law() {
    for (bug, hyper, law) in cases() {
        let failed = failed(bug, hyper);
        assert!(failed.contains(&law), "{bug:?}: expected `{law}` to fail, but it was {failed:?}");
    }
}

/// Without a bug the second writing of the rule passes, and so does the library's: no law fails by itself.
#[test]
fn the_right_rule_passes() {
    for (_, hyper, _) in cases() {
        assert_eq!(failed(Bug::None, hyper), [""; 0], "{hyper:?}");
        assert_eq!(grade_as(hyper, hyper).failed(), [""; 0], "{hyper:?}");
    }
}

/// The report shows the smallest case: the first step of the simplest stream.
#[test]
fn the_report_shows_the_case() {
    let hyper = RmsProp::default();
    let grade = grade_as(Wrong { hyper, bug: Bug::WrongStart, shared: Arc::default() }, hyper);
    let finding = grade.findings.iter().find(|finding| finding.law == "first-step").unwrap();
    let case = finding.failure.as_deref().unwrap();
    // η / √(0.99 + 0.01) in place of η / √0.01, but for ε
    assert!(case.starts_with("under g = 1: step 1 is 9.9999999"), "{case}");
    assert!(case.contains("expected 9.99999900000"), "{case}");
    assert!(grade.to_string().contains(case));
}

/// The laws that no option and no hyper-parameter may break, for every rule of the library.
#[test]
fn every_rule_keeps_the_laws_of_all_rules() {
    fn broken<R: Rule<f64>>(rule: R) -> Vec<&'static str> {
        // The scale of the gradient matters to plain descent, and to Adadelta as long as its ε does.
        grade(rule).failed().into_iter().filter(|&law| law != "scale-free").collect()
    }
    fn broken_by_default<R: Rule<f64> + Default>() -> Vec<&'static str> {
        broken(R::default())
    }
    let by_default = for_every_rule!(broken_by_default);
    assert!(by_default.iter().all(Vec::is_empty), "{by_default:?}");
    let with_options = [
        broken(Sgd { momentum: 0.9, ..Sgd::default() }),
        broken(RmsProp { centered: true, momentum: 0.9, nesterov: true, ..RmsProp::default() }),
    ];
    assert!(with_options.iter().all(Vec::is_empty), "{with_options:?}");
}
