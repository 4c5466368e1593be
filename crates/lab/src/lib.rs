//! Experiments on optimizers: every claim with a number, an expectation and a figure.
//!
//! The design decision: an experiment is a plain value, an [`Experiment`], that names its claim and its source and has
//! one function, which runs the public optimizers and returns numbers beside what they should be. Listing, running,
//! grading and drawing are written once over that value. The alternative, a script per claim with its own output,
//! could not be tested, compared or put on one page.
//!
//! A [`Figure`] can be drawn without an experiment: [`Figure::to_svg`]. The guide does so in [where ε is] and [an
//! optimizer of one's own].
//!
//! [where ε is]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/epsilon.md
//! [an optimizer of one's own]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/own_rule.md
#![forbid(unsafe_code)]

mod experiment;
pub mod experiments;
mod figure;
mod grade;
mod landscape;
mod report;
mod run;

pub use experiment::{Check, Expected, Experiment, Outcome};
pub use figure::{Axis, Figure, Series, Style};
#[doc(hidden)]
pub use grade::wrong;
pub use grade::{Grade, LawFinding, Paper, grade, grade_as, grade_port};
pub use landscape::{Landscape, circle, eigenvalues, log_levels};
#[doc(hidden)]
pub use report::{FIGURE_STYLE, fill};
pub use report::{Finding, Report};
pub use run::{
    Divergence, LimitCycle, Recorder, Recording, RecordingError, Runner, compare_precisions,
    first_divergence, grid, limit_cycle, sweep,
};
