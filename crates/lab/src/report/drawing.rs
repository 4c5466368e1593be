//! A figure as a file of its own: its chart, and around it the words that a page would set itself.

use std::fmt::Write;

use super::chart::{Chart, WIDTH};
use super::{curve, escape};
use crate::Figure;

const STYLE: &str = include_str!("figure.css");
/// Of the words: those of the title are larger.
const WORDS: &str = ".drawing { font: 11px system-ui, \"DejaVu Sans\", sans-serif; fill: var(--ink) }
.paper { fill: var(--paper) }
.title { font-size: 13px; font-weight: 600 }
.label { fill: var(--soft) }
.label.x { text-anchor: end }
";
/// From line to line.
const LINE: f64 = 17.0;
/// Around the words.
const MARGIN: f64 = 8.0;
/// The widths of a letter of the title and of the other words, rather too wide: what a font has is not known here.
const BOLD: f64 = 7.4;
const PLAIN: f64 = 6.2;
/// From a sample of the legend to its name, and from a name to the next sample.
const GAP: f64 = 6.0;
const SAMPLE: f64 = 30.0;

impl Figure {
    /// The figure as an SVG file that needs nothing beside it: title, axes, curves, legend. It is 400 units wide, and
    /// dark where the reader's system is. The same figure is the same text.
    ///
    /// ```
    /// use wengert_lab::{Axis, Figure, Style};
    ///
    /// let parabola = (-20..=20).map(|i| f64::from(i) / 10.0).map(|x| (x, x * x)).collect();
    /// let figure = Figure::new("A bowl", Axis::linear("x"), Axis::linear("x²")).with("x²", Style::Line, parabola);
    /// # let directory = tempfile::tempdir()?;
    /// # let file = directory.path().join("bowl.svg");
    /// std::fs::write(file, figure.to_svg())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias("savefig", "plot", "draw"))]
    pub fn to_svg(&self) -> String {
        let chart = Chart::new(self);
        let mut below = MARGIN;
        let mut inside = String::new();
        lines(&mut inside, &mut below, "title", MARGIN, &wrapped(&self.title, BOLD));
        lines(&mut inside, &mut below, "label", MARGIN, &wrapped(&format!("↑ {}", self.y.label), PLAIN));
        below += MARGIN / 2.0;
        let _ = write!(inside, r#"<g transform="translate(0 {below})">{}</g>"#, chart.svg());
        below += chart.height;
        let label = wrapped(&format!("{} →", self.x.label), PLAIN);
        lines(&mut inside, &mut below, "label x", WIDTH - MARGIN, &label);
        self.write_legend(&mut inside, &mut below);
        let height = below + MARGIN;
        let size = format!(r#"width="{WIDTH}" height="{height}""#);
        let title = escape(&self.title);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="drawing" {size} viewBox="0 0 {WIDTH} {height}">
<title>{title}</title>
<style>
{STYLE}{WORDS}</style>
<rect class="paper" {size}/>
{inside}
</svg>
"#
        )
    }

    /// Side by side as far as there is room.
    fn write_legend(&self, svg: &mut String, below: &mut f64) {
        let mut left = MARGIN;
        *below += LINE;
        for (sample, name) in curve::samples(self) {
            let width = SAMPLE + GAP + PLAIN * name.chars().count() as f64;
            if left > MARGIN && left + width > WIDTH - MARGIN {
                (left, *below) = (MARGIN, *below + LINE);
            }
            let (top, text, name) = (*below - 10.0, left + SAMPLE + GAP, escape(&name));
            let _ = write!(svg, r#"<g transform="translate({left:.1} {top:.1})">{sample}</g>"#);
            let _ = write!(svg, r#"<text x="{text:.1}" y="{below:.1}">{name}</text>"#);
            left += width + 2.0 * GAP;
        }
    }
}

/// Writes the lines, each below the one before.
fn lines(svg: &mut String, below: &mut f64, class: &str, x: f64, lines: &[String]) {
    for line in lines {
        *below += LINE;
        let (y, line) = (*below - 4.0, escape(line));
        let _ = write!(svg, r#"<text class="{class}" x="{x}" y="{y}">{line}</text>"#);
    }
}

/// The words in lines that have room beside each other; a word that is too long has a line of its own.
fn wrapped(text: &str, letter: f64) -> Vec<String> {
    let room = ((WIDTH - 2.0 * MARGIN) / letter) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
