//! The curves of a figure as SVG, and their legend.

use std::fmt::Write;

use super::escape;
use super::number::rounded;
use crate::{Figure, Series, Style};

/// Colours that stay apart for the colour-blind; the style sheet has them.
const COLOURS: usize = 7;
/// Points closer along the axis than this are one stroke.
const COLUMN: f64 = 0.5;
/// The slider has at most this many stops; in a longer trajectory it skips steps.
const STEPS: usize = 2000;
/// Half the size of a mark.
const MARK: f64 = 3.2;
/// The widest bar.
const WIDEST: f64 = 44.0;

type Point = (f64, f64);

/// Where values are in the drawing.
pub(super) trait Place {
    /// None for a point that the axes cannot show.
    fn place(&self, point: Point) -> Option<Point>;
    /// Where bars start, from the top.
    fn ground(&self) -> f64;
}

/// Writes the curves so that none hides another's meaning: bars, lines, what was expected, marks.
pub(super) fn write_all(svg: &mut String, figure: &Figure, place: &impl Place) {
    let looks = looks(&figure.series);
    let bars = Bars::new(figure, place);
    for style in [Style::Bars, Style::Line, Style::Expected, Style::Marks] {
        for (index, series) in figure.series.iter().enumerate().filter(|(_, series)| series.style == style) {
            let shift = if style == Style::Bars { bars.shift(index) } else { 0.0 };
            let walks = figure.steps && matches!(style, Style::Line | Style::Expected);
            let path = match style {
                Style::Line | Style::Expected => path(&segments(&series.points, place)),
                Style::Marks => marks(&series.points, place, looks[index].number),
                Style::Bars => bars.path(&series.points, place, shift),
            };
            let points = if walks { steps(figure, series) } else { drawn(&series.points, place) };
            let (class, name) = (looks[index].class(figure.steps), escape(&series.name));
            let walk = if walks { " data-walk" } else { "" };
            let _ = write!(svg, r#"<path class="curve {class}" d="{path}" data-name="{name}""#);
            let _ = write!(svg, r#" data-shift="{shift:.1}" data-points="{points}"{walk}/>"#);
        }
    }
}

/// The legend: a sample and the name of each curve.
pub(super) fn legend(figure: &Figure) -> String {
    let mut html = String::from(r#"<ul class="legend">"#);
    for (sample, name) in samples(figure) {
        let _ = write!(
            html,
            r#"<li><svg class="sample" viewBox="0 0 30 12">{sample}</svg>{}</li>"#,
            escape(&name)
        );
    }
    html + "</ul>"
}

/// What the legend has for each curve: a sample, drawn in 30 by 12 units, and the name.
pub(super) fn samples(figure: &Figure) -> Vec<(String, String)> {
    let drawn = |class: &str, path: &str| format!(r#"<path class="{class}" d="{path}"/>"#);
    let of_series = |(series, look): (&Series, Look)| {
        let path = match series.style {
            Style::Line | Style::Expected => "M1 6H29".to_owned(),
            Style::Marks => mark((15.0, 6.0), look.number),
            Style::Bars => "M9 1H21V11H9Z".to_owned(),
        };
        let none = if series.points.is_empty() { " (no points)" } else { "" };
        (drawn(&look.class(figure.steps), &path), format!("{}{none}", series.name))
    };
    let mut samples: Vec<_> = figure.series.iter().zip(looks(&figure.series)).map(of_series).collect();
    if !figure.contours.is_empty() {
        let levels = figure.contours.iter().map(|contour| contour.0);
        let (low, high) =
            (levels.clone().fold(f64::INFINITY, f64::min), levels.fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = (rounded(low, 3), rounded(high, 3));
        samples.push((drawn("contour", "M1 6H29"), format!("levels {low} to {high}")));
    }
    samples
}

/// The slider stops at every step of this figure that is a multiple of this.
pub(super) fn stride(figure: &Figure) -> usize {
    let longest = figure.series.iter().map(|series| series.points.len()).max().unwrap_or(0);
    longest.div_ceil(STEPS).max(1)
}

/// How one curve is told from the others.
struct Look {
    style: Style,
    /// Among the measured curves, or the dash pattern among those expected without a partner.
    number: usize,
    /// Whether it stands beside a curve of the other kind, in its colour.
    paired: bool,
}

impl Look {
    fn class(&self, walks: bool) -> String {
        let kind = match self.style {
            Style::Line if self.paired && !walks => "line under",
            Style::Line => "line",
            Style::Expected => "expected",
            Style::Marks => "marks",
            Style::Bars => "bars",
        };
        match self.style {
            Style::Expected if !self.paired => format!("{kind} dash{}", self.number % 4),
            _ if self.number >= COLOURS => format!("{kind} c{} again", self.number % COLOURS),
            _ => format!("{kind} c{}", self.number),
        }
    }
}

/// Where there is one expected curve for each measured one, the two share a colour.
fn looks(series: &[Series]) -> Vec<Look> {
    let expected = series.iter().filter(|series| series.style == Style::Expected).count();
    let paired = 2 * expected == series.len();
    let mut counts = [0, 0];
    let look = |series: &Series| {
        let count = &mut counts[usize::from(series.style == Style::Expected)];
        *count += 1;
        Look { style: series.style, number: *count - 1, paired }
    };
    series.iter().map(look).collect()
}

/// The runs of points that can be shown, as `(value, place)`. Of the points in one narrow column only the first, the
/// lowest, the highest and the last are kept, which look the same.
pub(super) fn segments(points: &[Point], place: &impl Place) -> Vec<Vec<(Point, Point)>> {
    let placed: Vec<_> = points.iter().map(|&point| place.place(point).map(|place| (point, place))).collect();
    let runs = placed.split(Option::is_none).filter(|run| !run.is_empty());
    runs.map(|run| thin(run.iter().flatten().copied().collect())).collect()
}

fn thin(points: Vec<(Point, Point)>) -> Vec<(Point, Point)> {
    let column = |point: &(Point, Point)| (point.1.0 / COLUMN).floor();
    let mut kept = Vec::new();
    for column in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |&a: &usize, &b: &usize| column[a].1.1.total_cmp(&column[b].1.1);
        let (low, high) = ((0..column.len()).min_by(by_height), (0..column.len()).max_by(by_height));
        let mut indices: Vec<_> =
            [Some(0), low, high, Some(column.len() - 1)].into_iter().flatten().collect();
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| column[index]));
    }
    kept
}

/// Lines through the places of the segments. A point alone is a line of no length, which its round ends show.
pub(super) fn path(segments: &[Vec<(Point, Point)>]) -> String {
    let mut path = String::new();
    for segment in segments {
        for (index, &(_, (x, y))) in segment.iter().enumerate() {
            let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
        }
        if segment.len() == 1 {
            path.push_str("h0");
        }
    }
    path
}

fn marks(points: &[Point], place: &impl Place, number: usize) -> String {
    segments(points, place).iter().flatten().map(|&(_, place)| mark(place, number)).collect()
}

/// A circle, square, triangle or diamond.
fn mark((x, y): Point, number: usize) -> String {
    let r = MARK;
    match number % 4 {
        0 => format!("M{:.1} {y:.1}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 -{} 0", x - r, 2.0 * r, 2.0 * r),
        1 => format!("M{:.1} {:.1}h{}v{}h-{}Z", x - r, y - r, 2.0 * r, 2.0 * r, 2.0 * r),
        2 => format!("M{x:.1} {:.1}l{r} {}h-{}Z", y - 1.2 * r, 2.0 * r, 2.0 * r),
        _ => format!("M{x:.1} {:.1}l{r} {r}l-{r} {r}l-{r} -{r}Z", y - r),
    }
}

/// How the bars of a figure stand beside each other.
struct Bars {
    width: f64,
    /// The place in its group, by index of the series; where no two bars are at the same x, all are in the middle.
    slots: Vec<(usize, f64)>,
}

impl Bars {
    fn new(figure: &Figure, place: &impl Place) -> Self {
        let bars: Vec<_> = figure.series.iter().enumerate().filter(|(_, s)| s.style == Style::Bars).collect();
        let points = || bars.iter().flat_map(|(_, series)| &series.points);
        let places = distinct(points().filter_map(|&point| place.place(point)).map(|place| place.0));
        let shared = places.len() < points().count();
        let group = if shared { bars.len() as f64 } else { 1.0 };
        let nearest = places.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        let width = (0.75 * nearest / group).min(WIDEST);
        let middle = (group - 1.0) / 2.0;
        let slot = |(order, &(index, _)): (usize, &(usize, _))| {
            (index, if shared { (order as f64 - middle) * width } else { 0.0 })
        };
        Self { width, slots: bars.iter().enumerate().map(slot).collect() }
    }

    fn shift(&self, index: usize) -> f64 {
        self.slots.iter().find(|slot| slot.0 == index).map_or(0.0, |slot| slot.1)
    }

    fn path(&self, points: &[Point], place: &impl Place, shift: f64) -> String {
        let (half, ground) = (0.46 * self.width, place.ground());
        let bar = |(x, y): Point| {
            let (left, right) = (x + shift - half, x + shift + half);
            format!("M{left:.1} {ground:.1}V{y:.1}H{right:.1}V{ground:.1}Z")
        };
        points.iter().filter_map(|&point| place.place(point)).map(bar).collect()
    }
}

/// The values in order, each once.
pub(super) fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn drawn(points: &[Point], place: &impl Place) -> String {
    listed(segments(points, place).into_iter().flatten().map(|(point, _)| point))
}

fn steps(figure: &Figure, series: &Series) -> String {
    listed(series.points.iter().step_by(stride(figure)).copied())
}

fn listed(points: impl Iterator<Item = Point>) -> String {
    let texts: Vec<_> = points.map(|(x, y)| format!("{} {}", rounded(x, 6), rounded(y, 6))).collect();
    texts.join(",")
}
