//! The page: a summary, a table, and a section for each experiment.

use std::fmt::Write;

use super::chart::Chart;
use super::number::number;
use super::{Finding, Report, curve, escape, verdict};
use crate::{Check, Expected, Figure, Outcome};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("figure.css"), include_str!("page.css"));
const SCRIPT: &str = include_str!("page.js");

pub(super) fn page(report: &Report) -> String {
    let rows: String = report.findings.iter().map(row).collect();
    let sections: String = report.findings.iter().map(section).collect();
    fill(
        PAGE,
        &[
            ("style", STYLE),
            ("script", SCRIPT),
            ("summary", &summary(report)),
            ("rows", &rows),
            ("sections", &sections),
        ],
    )
}

/// `template` with a value for each `{{name}}`; a value is not searched for further names.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{");
    let mut page = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").expect("a name ends with braces");
        let value = values.iter().find(|value| value.0 == name).expect("every name has a value");
        page += value.1;
        page += rest;
    }
    page
}

fn summary(report: &Report) -> String {
    let total = report.findings.len();
    let passed = report.findings.iter().filter(|finding| finding.outcome.passed()).count();
    let (class, failed) = if passed == total { ("pass", "") } else { ("fail", " — see those marked FAIL") };
    let seconds = report.time.as_secs_f64();
    let checks: usize = report.findings.iter().map(|finding| finding.outcome.checks.len()).sum();
    let claims = format!(r#"<b>{total}</b> claims, <b class="{class}">{passed} pass</b>{failed}"#);
    format!(r#"<p class="summary">{claims}. {checks} numbers checked in {seconds:.1} s.</p>"#)
}

fn badge(passed: bool) -> String {
    let word = verdict(passed);
    format!(r#"<span class="badge {}">{word}</span>"#, word.to_lowercase())
}

/// The check that stands for an experiment: the first that fails, or else the first.
fn headline(outcome: &Outcome) -> Option<&Check> {
    outcome.checks.iter().find(|check| !check.passed()).or(outcome.checks.first())
}

fn row(finding: &Finding) -> String {
    let experiment = &finding.experiment;
    let (name, claim, source) =
        (escape(experiment.name), escape(experiment.claim), escape(experiment.source));
    let passed = finding.outcome.passed();
    let (word, badge) = (verdict(passed), badge(passed));
    let Some(check) = headline(&finding.outcome) else {
        return String::new();
    };
    let (what, expected) = (escape(&check.what), escape(&check.expected.to_string()));
    let more = match finding.outcome.checks.len() - 1 {
        0 => String::new(),
        1 => "<small>and 1 more number</small>".to_owned(),
        count => format!("<small>and {count} more numbers</small>"),
    };
    let (order, size) = (value(check.expected), check.measured);
    let measured = number(size);
    let expected = format!("<small>{what}</small>{expected}");
    [
        format!(r#"<tr data-verdict="{word}">"#),
        format!(r##"<td data-sort="{name}"><a href="#{name}">{name}</a><br>{claim}</td>"##),
        format!(r#"<td data-label="source">{source}</td>"#),
        format!(r#"<td data-label="expected" data-sort="{order:e}" class="number">{expected}</td>"#),
        format!(r#"<td data-label="measured" data-sort="{size:e}" class="number">{measured}{more}</td>"#),
        format!("<td>{badge}</td></tr>\n"),
    ]
    .concat()
}

/// The number by which expectations are sorted.
fn value(expected: Expected) -> f64 {
    match expected {
        Expected::About { value, .. } | Expected::Near { value, .. } => value,
        Expected::AtMost(bound) | Expected::AtLeast(bound) | Expected::Between(bound, _) => bound,
    }
}

fn section(finding: &Finding) -> String {
    let experiment = &finding.experiment;
    let [name, claim, formula, source, code] =
        [experiment.name, experiment.claim, experiment.formula, experiment.source, experiment.code]
            .map(escape);
    let (badge, seconds) = (badge(finding.outcome.passed()), finding.time.as_secs_f64());
    let head = "<tr><th>number</th><th>expected</th><th>measured</th><th></th></tr>";
    let checks: String = finding.outcome.checks.iter().map(check_row).collect();
    let figures: String = finding.outcome.figures.iter().map(figure).collect();
    format!(
        r##"<section id="{name}">
<h2><a href="#{name}">{name}</a> {badge}</h2>
<p class="claim">{claim}</p>
<pre class="formula">{formula}</pre>
<p class="source">{source}</p>
<div class="figures">{figures}</div>
<table class="checks"><thead>{head}</thead><tbody>{checks}</tbody></table>
<details><summary>Repeat it ({seconds:.2} s)</summary><pre>wengert lab run {name}</pre><pre>{code}</pre></details>
</section>
"##
    )
}

fn check_row(check: &Check) -> String {
    let (what, expected) = (escape(&check.what), escape(&check.expected.to_string()));
    let (measured, badge) = (number(check.measured), badge(check.passed()));
    let number = |label: &str, text: &str| format!(r#"<td class="number" data-label="{label}">{text}</td>"#);
    let (expected, measured) = (number("expected", &expected), number("measured", &measured));
    format!("<tr><td>{what}</td>{expected}{measured}<td>{badge}</td></tr>")
}

/// A figure with its words around it: text of the page wraps, text of a drawing would overlap.
fn figure(figure: &Figure) -> String {
    let [title, x, y] = [&figure.title, &figure.x.label, &figure.y.label].map(|text| escape(text));
    let (chart, legend) = (Chart::new(figure).svg(), curve::legend(figure));
    let labelled = format!(r#"<div class="label y">↑ {y}</div>{chart}<div class="label x">{x} →</div>"#);
    let mut html = format!("<figure><figcaption>{title}</figcaption>{labelled}{legend}");
    if figure.steps {
        let slider = r#"<input type="range" min="0" value="0" aria-label="step"><output></output>"#;
        let (stride, play) = (curve::stride(figure), r#"<button type="button">play</button>"#);
        let _ = write!(html, r#"<div class="walk" data-stride="{stride}">{play}{slider}</div>"#);
    }
    html + "</figure>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_once() {
        assert_eq!(fill("a{{x}}b{{y}}", &[("x", "{{y}}"), ("y", "1")]), "a{{y}}b1");
    }

    #[test]
    fn the_page_needs_no_other_file() {
        for part in [PAGE, STYLE, SCRIPT] {
            for link in ["src=", "href=\"http", "@import", "url(", "fetch("] {
                assert!(!part.contains(link), "{link}");
            }
        }
    }
}
