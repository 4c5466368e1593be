//! A figure as SVG: its axes, its grid, and the order in which things are drawn.

use std::fmt::Write;

use super::curve::{self, Place};
use super::escape;
use super::number::number;
use super::scale::{Scale, Tick};
use crate::{Figure, Style};

/// The size in units of the drawing, about the pixels of a phone; the page scales it.
pub(super) const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 250.0;
/// The height of a landscape, which would look flat in less.
const TALL: f64 = 320.0;
/// Around the plot, for the ends of labels and half a line of text.
const MARGIN: f64 = 9.0;
/// Below the plot, for the labels of the ticks.
const BELOW: f64 = 20.0;
/// The width of a digit in a label of a tick.
const DIGIT: f64 = 6.9;
/// How much longer trajectories may make an axis than the landscape behind them.
const BEYOND: f64 = 0.25;
/// Ticks on one axis.
const MOST_TICKS: usize = 6;

/// A figure laid out.
pub(super) struct Chart<'a> {
    figure: &'a Figure,
    x: Scale,
    y: Scale,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    pub(super) height: f64,
}

impl<'a> Chart<'a> {
    pub(super) fn new(figure: &'a Figure) -> Self {
        let height = if figure.contours.is_empty() { HEIGHT } else { TALL };
        let (x, y) = scales(figure);
        let y = y.between(height - BELOW, MARGIN);
        let y_ticks = y.ticks(MOST_TICKS, |_| true);
        let widest = y_ticks.iter().map(|tick| width(&tick.label)).fold(DIGIT, f64::max);
        let x = x.between(MARGIN + widest, WIDTH - MARGIN);
        let x_ticks = x.ticks(MOST_TICKS, fits);
        Self { figure, x, y, x_ticks, y_ticks, height }
    }

    /// The drawing. What the script needs to find values again is in attributes: `data-x` and `data-y` of the drawing
    /// are the ends of the axes, `data-points` of a curve its values.
    pub(super) fn svg(&self) -> String {
        let mut svg = String::new();
        let (title, height) = (escape(&self.figure.title), self.height);
        let _ = write!(
            svg,
            r#"<svg class="chart" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}""#,
        );
        let _ = write!(
            svg,
            r#" role="img" aria-label="{title}" data-x="{}" data-y="{}">"#,
            ends(&self.x, self.figure.x.log),
            ends(&self.y, self.figure.y.log),
        );
        self.write_grid(&mut svg);
        let [_, _, left, right] = self.x.ends();
        let [_, _, bottom, top] = self.y.ends();
        let (width, height) = (right - left, bottom - top);
        let place = format!(r#"x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{height:.1}""#);
        let view = format!("{left:.1} {top:.1} {width:.1} {height:.1}");
        // A drawing inside a drawing clips what leaves the plot, without an id that would have to be unique.
        let _ = write!(svg, r#"<rect class="frame" {place}/><svg class="plot" {place} viewBox="{view}">"#);
        self.write_contours(&mut svg);
        curve::write_all(&mut svg, self.figure, self);
        svg.push_str("</svg>");
        let mut points = self.figure.series.iter().flat_map(|series| &series.points);
        if points.all(|&point| self.place(point).is_none()) && self.figure.contours.is_empty() {
            let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
            let _ = write!(svg, r#"<text class="empty" x="{x:.1}" y="{y:.1}">no points</text>"#);
        }
        svg.push_str("</svg>");
        svg
    }

    fn write_grid(&self, svg: &mut String) {
        let [_, _, left, right] = self.x.ends();
        let [_, _, bottom, top] = self.y.ends();
        for Tick { place: y, label } in &self.y_ticks {
            let _ = write!(svg, r#"<path class="grid" d="M{left:.1} {y:.1}H{right:.1}"/>"#);
            let _ = write!(svg, r#"<text class="tick y" x="{:.1}" y="{y:.1}">{label}</text>"#, left - 4.0);
        }
        for Tick { place: x, label } in &self.x_ticks {
            let _ = write!(svg, r#"<path class="grid" d="M{x:.1} {bottom:.1}V{top:.1}"/>"#);
            let half = width(label) / 2.0;
            let inside = x.clamp(half, WIDTH - half);
            let below = bottom + 14.0;
            let _ = write!(svg, r#"<text class="tick x" x="{inside:.1}" y="{below:.1}">{label}</text>"#);
        }
    }

    /// The level lines, the low ones strongest.
    fn write_contours(&self, svg: &mut String) {
        let mut levels: Vec<f64> = self.figure.contours.iter().map(|contour| contour.0).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        for (rank, &level) in levels.iter().enumerate() {
            let lines = self.figure.contours.iter().filter(|contour| contour.0 == level);
            let path: String = lines.map(|(_, line)| curve::path(&curve::segments(line, self))).collect();
            let strength = 1.0 - 0.7 * rank as f64 / levels.len() as f64;
            let level = number(level);
            let _ = write!(
                svg,
                r#"<path class="contour" opacity="{strength:.2}" d="{path}"><title>level {level}</title></path>"#
            );
        }
    }
}

impl Place for Chart<'_> {
    fn place(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((self.x.place(x)?, self.y.place(y)?))
    }

    fn ground(&self) -> f64 {
        self.y.ground()
    }
}

/// Scales that show every point that can be drawn, and 0 where bars start there.
fn scales(figure: &Figure) -> (Scale, Scale) {
    // A point that one axis cannot show must not stretch the other.
    let shown = |&(x, y): &(f64, f64)| {
        let drawable = |value: f64, log: bool| value.is_finite() && (!log || value > 0.0);
        drawable(x, figure.x.log) && drawable(y, figure.y.log)
    };
    let bars = || figure.series.iter().filter(|series| series.style == Style::Bars);
    let curves = || figure.series.iter().flat_map(|series| &series.points).copied().filter(shown);
    let contours = || figure.contours.iter().flat_map(|contour| &contour.1).copied().filter(shown);
    let ground = bars().next().map(|_| 0.0);
    let all = || curves().chain(contours());
    let mut x = Scale::new(&figure.x, all().map(|point| point.0));
    let mut y = Scale::new(&figure.y, all().map(|point| point.1).chain(ground));
    if !figure.contours.is_empty() {
        x = x.limited_to(&Scale::new(&figure.x, contours().map(|point| point.0)), BEYOND);
        y = y.limited_to(&Scale::new(&figure.y, contours().map(|point| point.1)), BEYOND);
    }
    if ground.is_some() {
        let places = curve::distinct(bars().flat_map(|series| &series.points).map(|point| point.0)).len();
        x = x.widened(0.55 / places.max(2) as f64);
        y = y.starting_at_zero();
    }
    (x, y)
}

/// Whether the labels of ticks side by side leave room between them.
fn fits(ticks: &[Tick]) -> bool {
    ticks.windows(2).all(|pair| {
        let room = (width(&pair[0].label) + width(&pair[1].label)) / 2.0 + 2.0 * DIGIT;
        (pair[1].place - pair[0].place).abs() >= room
    })
}

fn width(label: &str) -> f64 {
    let raised = |c: char| matches!(c, '⁻' | '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' | '·' | '.');
    label.chars().map(|c| if raised(c) { 0.65 * DIGIT } else { DIGIT }).sum()
}

fn ends(scale: &Scale, log: bool) -> String {
    let [low, high, from, to] = scale.ends();
    format!("{low} {high} {from:.2} {to:.2} {}", u8::from(log))
}
