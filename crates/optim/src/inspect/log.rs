//! Logs of steps. Each log keeps the first error for `finish`, so that a full disk does not stop a training step
//! halfway, and writes nothing more after it.

use std::io::{self, Write};

use crate::inspect::record::StepSummary;

/// Writes a line of JSON per [`StepSummary`], with its field names. What JSON has no number for (NaN, the infinities)
/// is `null`.
///
/// Every line is one write: give it a [`BufWriter`](io::BufWriter).
#[derive(Debug)]
pub struct JsonLines<W>(Sink<W>);

/// Writes a table: a header, and a row per [`StepSummary`] with NaN and the infinities as `NaN`, `inf` and `-inf`.
///
/// The columns of the state are those of the first row. A field that only comes up later (the buffer of a momentum that
/// is switched on) is left out, and the cell of one that is not there is empty.
#[derive(Debug)]
pub struct Csv<W> {
    sink: Sink<W>,
    fields: Option<Vec<&'static str>>,
}

#[derive(Debug)]
struct Sink<W> {
    out: W,
    outcome: io::Result<()>,
}

impl<W: Write> Sink<W> {
    fn line(&mut self, line: &str) {
        if self.outcome.is_ok() {
            self.outcome = self.out.write_all(format!("{line}\n").as_bytes());
        }
    }

    fn finish(mut self) -> io::Result<W> {
        self.outcome?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> JsonLines<W> {
    /// A log on `out`.
    pub fn new(out: W) -> Self {
        Self(Sink { out, outcome: Ok(()) })
    }

    /// Adds a line.
    pub fn write(&mut self, summary: &StepSummary) {
        match serde_json::to_string(summary) {
            Ok(line) => self.0.line(&line),
            Err(error) => self.0.outcome = Err(error.into()),
        }
    }

    /// Ends the log and returns what it was written to.
    ///
    /// # Errors
    ///
    /// The first that came up in any `write`.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Csv<W> {
    /// A log on `out`.
    pub fn new(out: W) -> Self {
        Self { sink: Sink { out, outcome: Ok(()) }, fields: None }
    }

    /// Adds a row, and before the first one the header.
    pub fn write(&mut self, summary: &StepSummary) {
        let cells = cells(summary);
        let fields = self.fields.get_or_insert_with(|| {
            let fields: Vec<_> = summary.state.keys().copied().collect();
            let names = cells.iter().map(|(name, _)| (*name).to_owned());
            let header = names.chain(fields.iter().map(|field| format!("state.{field}")));
            self.sink.line(&header.collect::<Vec<_>>().join(","));
            fields
        });
        let state =
            fields.iter().map(|&field| summary.state.get(field).map(f64::to_string).unwrap_or_default());
        let row = cells.into_iter().map(|(_, cell)| cell).chain(state);
        self.sink.line(&row.collect::<Vec<_>>().join(","));
    }

    /// Ends the log and returns what it was written to.
    ///
    /// # Errors
    ///
    /// The first that came up in any `write`.
    pub fn finish(self) -> io::Result<W> {
        self.sink.finish()
    }
}

/// The columns that every rule has.
fn cells(summary: &StepSummary) -> [(&'static str, String); 10] {
    [
        ("step", summary.step.to_string()),
        ("name", quoted(&summary.name)),
        ("param_rms", summary.param_rms.to_string()),
        ("grad_rms", summary.grad_rms.to_string()),
        ("update_rms", summary.update_rms.to_string()),
        ("update_ratio", summary.update_ratio.to_string()),
        ("rate_min", summary.rate_min.to_string()),
        ("rate_median", summary.rate_median.to_string()),
        ("rate_max", summary.rate_max.to_string()),
        ("eps_share", summary.eps_share.map(|share| share.to_string()).unwrap_or_default()),
    ]
}

/// A cell in quotes where it needs them (RFC 4180).
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
