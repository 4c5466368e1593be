//! What holds for a rule that somebody else wrote.

mod claims;
mod follow;
mod hand;
mod invariants;
mod kin;
mod mistakes;
mod papers;
mod scenes;
#[doc(hidden)]
pub mod wrong;

use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use serde::Serialize;
use wengert_optim::Rule;

use follow::Observed;
use hand::Slip;
pub use papers::Paper;

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
    let untested = [
        "which rule it is: `grade_as` compares it with a paper's",
        "whether the rate and the other hyper-parameters matter: `grade_port` changes them",
    ];
    Grade {
        rule: R::NAME,
        findings,
        mistakes: Vec::new(),
        untested: never().chain(untested.map(Into::into)).collect(),
    }
}

/// Puts a rule that is meant to be a paper's, with these hyper-parameters, through [`grade`]; compares its steps with
/// the paper's, written a second time as plain arithmetic; and for RMSProp tries the closed forms that apply, some of
/// them under the name of the experiment that explains them. Laws that the library's own rule breaks with these
/// hyper-parameters are left out. Where a known mistake makes exactly the steps that were seen, the grade names it.
///
/// ```
/// use wengert_optim::{Adam, Epsilon, RmsProp};
///
/// let meant = RmsProp { lr: 1e-3, rho: 0.999, bias_correction: true, ..RmsProp::default() };
/// let without_momentum = Adam { beta1: 0.0, ..Adam::default() };
/// assert!(wengert_lab::grade_as(without_momentum, meant).passed());
///
/// let keras = RmsProp { eps: Epsilon::Inside(1e-8), ..meant };
/// let grade = wengert_lab::grade_as(keras, meant);
/// assert!(!grade.passed());
/// assert_eq!(grade.mistakes, ["ε is inside the root"]);
/// ```
pub fn grade_as<R: Rule<f64>, M: Paper>(rule: R, meant: M) -> Grade {
    // First of all: a rule that hides state in itself has then seen nothing else.
    let observed = Observed::new(std::slice::from_ref(&rule));
    let (mut findings, mut untested) = (Vec::new(), Vec::from_iter(never()));
    for (law, of_meant) in invariants::all::<R>().into_iter().zip(invariants::all::<M>()) {
        match of_meant.apply(&meant).failure {
            None => findings.push(law.apply(&rule)),
            Some(_) => untested.push(format!("{}: {} breaks it too", law.name, M::NAME)),
        }
    }
    let failure = observed.follows(&[meant], Slip::None).err();
    let mistakes = if failure.is_some() { observed.mistakes(&meant) } else { Vec::new() };
    findings.push(LawFinding {
        law: "trajectory",
        says: "every step is the paper's, but for rounding",
        failure,
    });
    findings.extend(meant.claims(&rule));
    untested.push("hyper-parameters that differ from these: `grade_port` changes them".to_owned());
    if follow::is_rounding(&meant) {
        untested.push("steps that rounding decides, where v - m² is about 0".to_owned());
    }
    Grade { rule: R::NAME, findings, mistakes, untested }
}

/// Puts a rule that takes over a paper's hyper-parameters through [`grade_as`], and then through other values of each:
/// a rate that is not used, and one that changes on the way, are found only so.
///
/// ```
/// use wengert_optim::{Adam, RmsProp};
///
/// let meant = RmsProp { lr: 1e-3, rho: 0.999, bias_correction: true, ..RmsProp::default() };
/// let port = |RmsProp { lr, rho, eps, .. }| Adam { lr, beta1: 0.0, beta2: rho, eps, ..Adam::default() };
/// assert!(wengert_lab::grade_port(port, meant).passed());
///
/// let deaf = |RmsProp { rho, eps, .. }| Adam { beta1: 0.0, beta2: rho, eps, ..Adam::default() };
/// assert_eq!(wengert_lab::grade_port(deaf, meant).failed(), ["hyper-parameters", "schedule"]);
/// ```
pub fn grade_port<R: Rule<f64>, M: Paper>(port: impl Fn(M) -> R, meant: M) -> Grade {
    let mut grade = grade_as(port(meant), meant);
    grade.findings.push(follow::hyper_parameters(&meant, &port));
    // What goes wrong at a constant rate has been found.
    if !grade.failed().contains(&"trajectory") {
        grade.findings.push(follow::schedule(&meant, &port));
    }
    grade.untested.retain(|what| !what.contains("grade_port"));
    grade.untested.push("options that are off here".to_owned());
    grade
}

/// What no grade looks at.
fn never() -> impl Iterator<Item = String> {
    [
        "f32, in which rounding is larger; all runs are in f64",
        "tensors that are not in row-major order, empty ones, infinities and NaN",
        "whether `validate` refuses what makes no sense",
        "speed, memory and threads",
    ]
    .into_iter()
    .map(Into::into)
}

/// What holds for a rule and what does not. Print it; with `{:#}` it is what fails alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Grade {
    /// The [`Rule::NAME`].
    pub rule: &'static str,
    /// One for each law, in the order in which they were tried.
    pub findings: Vec<LawFinding>,
    /// The known mistake whose steps are those that were seen, or two that make them together; none if nothing is
    /// wrong, or something unknown.
    pub mistakes: Vec<&'static str>,
    /// What was not tried.
    pub untested: Vec<String>,
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
        if !self.mistakes.is_empty() {
            let mistakes = self.mistakes.join(", and ");
            writeln!(f, "  The steps are exactly those that come out if {mistakes}.")?;
        }
        let failures = f.alternate();
        let shown = self.findings.iter().filter(|finding| !failures || finding.failure.is_some());
        for LawFinding { law, says, failure } in shown {
            writeln!(f, "  {}  {law:18} {says}", if failure.is_none() { "holds" } else { "FAILS" })?;
            if let Some(case) = failure {
                writeln!(f, "         {case}")?;
            }
        }
        if failures {
            return Ok(());
        }
        writeln!(f, "  not tested:")?;
        self.untested.iter().try_for_each(|what| writeln!(f, "    {what}"))
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

/// The result, or what it panics with.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str).or(said.downcast_ref::<&str>().copied());
        format!("it panics: {}", text.unwrap_or("without a text"))
    })
}

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
