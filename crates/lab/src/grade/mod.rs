//! What holds for a rule that somebody else wrote.

mod claims;
mod invariants;
#[doc(hidden)]
pub mod wrong;

use std::fmt;

use serde::Serialize;
use wengert_optim::{RmsProp, Rule};

/// Puts a rule through what one may expect of any optimizer, and reports what holds and what fails, with the smallest
/// case that shows it. Not all of it is a fault: plain descent is rightly not `scale-free`.
///
/// ```
/// use wengert_optim::{RmsProp, Sgd};
///
/// assert!(wengert_lab::grade(RmsProp::default()).passed());
/// let grade = wengert_lab::grade(Sgd::default());
/// assert_eq!(grade.failed(), ["scale-free"]);
/// println!("{grade}");
/// ```
pub fn grade<R: Rule<f64>>(rule: R) -> Grade {
    let findings = invariants::all().iter().map(|law| law.apply(&rule)).collect();
    Grade { rule: R::NAME, findings }
}

/// Puts a rule that is meant to be RMSProp with these hyper-parameters through [`grade`] and through the closed forms
/// of RMSProp that apply to them, some of them under the name of the experiment that explains them. Laws that
/// RMSProp itself breaks with these hyper-parameters are left out.
///
/// ```
/// use wengert_optim::{Adam, RmsProp};
///
/// let meant = RmsProp { lr: 1e-3, rho: 0.999, bias_correction: true, ..RmsProp::default() };
/// let without_momentum = Adam { beta1: 0.0, ..Adam::default() };
/// assert!(wengert_lab::grade_as(without_momentum, meant).passed());
/// let forgetful = Adam { beta2: 0.99, ..without_momentum };
/// assert_eq!(wengert_lab::grade_as(forgetful, meant).failed(), ["decay-weights"]);
/// ```
pub fn grade_as<R: Rule<f64>>(rule: R, meant: RmsProp) -> Grade {
    let asked = invariants::all::<R>().into_iter().zip(invariants::all::<RmsProp>());
    let asked = asked.filter(|(_, of_meant)| of_meant.apply(&meant).failure.is_none());
    let mut findings: Vec<LawFinding> = asked.map(|(law, _)| law.apply(&rule)).collect();
    findings.extend(claims::all(&rule, &meant));
    Grade { rule: R::NAME, findings }
}

/// What holds for a rule and what does not. Print it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Grade {
    /// The [`Rule::NAME`].
    pub rule: &'static str,
    /// One for each law, in the order in which they were tried.
    pub findings: Vec<LawFinding>,
}

/// Whether a rule keeps a law.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LawFinding {
    /// The name of the law, such as `scale-free`.
    pub law: &'static str,
    /// The law in one sentence.
    pub says: &'static str,
    /// The smallest case in which it does not hold; `None` if it holds.
    pub failure: Option<String>,
}

impl Grade {
    /// Whether every law holds.
    pub fn passed(&self) -> bool {
        self.failed().is_empty()
    }

    /// The names of the laws that do not hold.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = self.findings.iter().filter(|finding| finding.failure.is_some());
        failed.map(|finding| finding.law).collect()
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.findings.len();
        writeln!(f, "{}: {} of {count} laws hold", self.rule, count - self.failed().len())?;
        for LawFinding { law, says, failure } in &self.findings {
            writeln!(f, "  {}  {law:18} {says}", if failure.is_none() { "holds" } else { "FAILS" })?;
            if let Some(case) = failure {
                writeln!(f, "         {case}")?;
            }
        }
        Ok(())
    }
}

/// A law, and how to find the smallest case that breaks it.
struct Law<R> {
    name: &'static str,
    says: &'static str,
    check: fn(&R) -> Verdict,
}

impl<R> Law<R> {
    fn apply(&self, rule: &R) -> LawFinding {
        LawFinding { law: self.name, says: self.says, failure: (self.check)(rule).err() }
    }
}

/// `Err` is the case that breaks the law.
type Verdict = Result<(), String>;

/// The first step at which the steps part from others by more than `tolerance` of the larger; NaN parts from
/// everything. The report calls the others `which`.
fn compare(gradients: &[f64], steps: &[f64], which: &str, others: &[f64], tolerance: f64) -> Verdict {
    let close = |a: f64, b: f64| (a - b).abs() <= tolerance * a.abs().max(b.abs());
    match steps.iter().zip(others).position(|(&a, &b)| !close(a, b)) {
        None => Ok(()),
        Some(at) => Err(format!(
            "under g = {}: step {} is {:e}, {which} {:e}",
            shown(&gradients[..=at]),
            at + 1,
            steps[at],
            others[at]
        )),
    }
}

/// The gradients, shortened where they repeat or are many.
fn shown(gradients: &[f64]) -> String {
    let all = |gradients: &[f64]| {
        gradients
            .iter()
            .map(|g| format!("{g:.4}").trim_end_matches('0').trim_end_matches('.').to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match gradients {
        [first, .., last] if gradients.len() > 3 && gradients.iter().all(|g| g == first) => {
            format!("{last} ({} times)", gradients.len())
        }
        [.., last] if gradients.len() > 8 => format!("{}, …, {last:.4}", all(&gradients[..4])),
        _ => all(gradients),
    }
}
