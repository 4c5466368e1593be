//! Running experiments and writing down what they found: one page for people, one file for programs.
//!
//! The design decision: the page is made here, curves and all, and opens from a file without a network; its script only
//! adds hover values, sorting and the slider. A plotting library loaded from elsewhere would be gone one day, and one
//! shipped inside the page would be larger than all the figures.

mod chart;
mod curve;
mod drawing;
mod number;
mod page;
mod scale;

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::{Check, Experiment, Outcome};
use number::number;
pub use page::fill;

/// The colours and lines of figures, for other pages.
pub const FIGURE_STYLE: &str = include_str!("figure.css");

/// What experiments found, in the order they were given in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// One for each experiment.
    pub findings: Vec<Finding>,
    /// How long all of it took, on the clock.
    pub time: Duration,
}

/// An experiment with what it found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What was asked.
    pub experiment: Experiment,
    /// What the answer was.
    pub outcome: Outcome,
    /// How long it took; others may have run meanwhile.
    pub time: Duration,
}

impl Report {
    /// Runs the experiments in parallel, and calls `done` after each, in the order in which they end.
    pub fn run(experiments: &[Experiment], done: impl Fn(&Finding) + Send + Sync) -> Self {
        let start = Instant::now();
        // Where the system gives no threads, rayon's pool would panic: then this one is a pool.
        let none = ThreadPoolBuilder::new().build_global().is_err_and(|error| error.source().is_some());
        let _alone = none.then(|| ThreadPoolBuilder::new().num_threads(1).use_current_thread().build());
        // One at a time from the queue: experiments differ a thousandfold in length.
        let queue = experiments.par_iter().with_max_len(1);
        let findings = queue.map(|&experiment| Finding::run(experiment)).inspect(done).collect();
        Self { findings, time: start.elapsed() }
    }

    /// Whether every number of every experiment is as expected.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.outcome.passed())
    }

    /// A page that needs nothing beside it.
    pub fn to_html(&self) -> String {
        page::page(self)
    }

    /// The same for programs, figures included; a number that is not finite is `null`.
    ///
    /// # Errors
    ///
    /// None that a report can cause.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl Finding {
    fn run(experiment: Experiment) -> Self {
        let start = Instant::now();
        Self { experiment, outcome: (experiment.run)(), time: start.elapsed() }
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Report", 3)?;
        fields.serialize_field("passed", &self.passed())?;
        fields.serialize_field("seconds", &self.time.as_secs_f64())?;
        fields.serialize_field("experiments", &self.findings)?;
        fields.end()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Experiment { name, claim, formula, source, code, run: _ } = self.experiment;
        let mut fields = serializer.serialize_struct("Finding", 9)?;
        for (key, text) in
            [("name", name), ("claim", claim), ("formula", formula), ("source", source), ("code", code)]
        {
            fields.serialize_field(key, text)?;
        }
        fields.serialize_field("passed", &self.outcome.passed())?;
        fields.serialize_field("seconds", &self.time.as_secs_f64())?;
        fields.serialize_field("checks", &self.outcome.checks.iter().map(Graded::new).collect::<Vec<_>>())?;
        fields.serialize_field("figures", &self.outcome.figures)?;
        fields.end()
    }
}

/// A check with its verdict.
#[derive(Serialize)]
struct Graded<'a> {
    #[serde(flatten)]
    check: &'a Check,
    passed: bool,
}

impl<'a> Graded<'a> {
    fn new(check: &'a Check) -> Self {
        Self { check, passed: check.passed() }
    }
}

/// The claim, and each number beside what it should be; for a terminal.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Experiment { name, claim, formula, source, .. } = self.experiment;
        writeln!(f, "{name}: {}", verdict(self.outcome.passed()))?;
        writeln!(f, "  {claim}\n  {formula}\n  Source: {source}")?;
        for check in &self.outcome.checks {
            let Check { what, expected, measured } = check;
            let (measured, verdict) = (number(*measured), verdict(check.passed()));
            writeln!(f, "  {verdict}  {what}: {measured}, expected {expected}")?;
        }
        Ok(())
    }
}

fn verdict(passed: bool) -> &'static str {
    if passed { "pass" } else { "FAIL" }
}

/// Text as HTML, inside an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}
