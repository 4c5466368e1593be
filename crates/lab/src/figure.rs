use serde::Serialize;

/// A diagram, as data: what is drawn, not how.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it shows.
    pub title: String,
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
    /// The curves, in the order of the legend.
    pub series: Vec<Series>,
    /// Level lines of a landscape behind the curves, as `(level, line)` with points of `(x, y)`.
    pub contours: Vec<(f64, Vec<(f64, f64)>)>,
    /// Whether the points of each series are the steps of a trajectory, for a slider to walk along.
    pub steps: bool,
}

/// One axis of a [`Figure`].
#[derive(Clone, Debug, Serialize)]
pub struct Axis {
    /// The quantity, with its unit.
    pub label: String,
    /// Whether ratios matter; a point that is not positive is then left out.
    pub log: bool,
}

/// One curve of a [`Figure`].
#[derive(Clone, Debug, Serialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// How it is drawn.
    pub style: Style,
    /// The points, in order.
    pub points: Vec<(f64, f64)>,
}

/// How a [`Series`] is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Style {
    /// A line: what was measured.
    Line,
    /// A dashed line: what was expected.
    Expected,
    /// Separate marks.
    Marks,
    /// A bar from 0, or from the lower edge of a log axis.
    Bars,
}

impl Axis {
    /// An axis whose differences matter.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: false }
    }

    /// An axis whose ratios matter.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: true }
    }
}

impl Figure {
    /// A diagram without curves yet.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new(), contours: Vec::new(), steps: false }
    }

    /// Adds a curve.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, style: Style, points: Vec<(f64, f64)>) -> Self {
        self.series.push(Series { name: name.into(), style, points });
        self
    }
}
