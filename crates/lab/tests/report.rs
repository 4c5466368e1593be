//! The page and the file for programs, from figures that are hard to draw.

use std::fs;
use std::path::Path;
use std::sync::{Barrier, Mutex};

use rayon::ThreadPoolBuilder;
use serde_json::Value;
use wengert_lab::{Axis, Check, Expected, Experiment, Figure, Finding, Outcome, Report, Style};

fn hard_figures() -> Vec<Figure> {
    let line =
        |n: i32, f: fn(f64) -> f64| (0..=n).map(|i| (f64::from(i), f(f64::from(i)))).collect::<Vec<_>>();
    let decades = |f: fn(i32) -> f64| (-10..=10).map(|n| (10_f64.powi(n), f(n))).collect::<Vec<_>>();
    let long = "a label that is as long as a label can be when someone describes the quantity, its unit, and \
                how it was measured";
    let mut many = Figure::new("Ten curves", Axis::linear("step"), Axis::linear("value"));
    for k in 0..10 {
        let points = (0..60).map(|i| (f64::from(i), f64::from(k) + (f64::from(i) / 5.0).sin())).collect();
        many = many.with(format!("curve number {k}"), Style::Line, points);
    }
    vec![
        Figure::new(
            "Twenty decades <both ways> & \"more\"",
            Axis::log("gradient (1)"),
            Axis::log("step length (m)"),
        )
        .with("measured", Style::Line, decades(|n| 10_f64.powi(-n)))
        .with("g⁻¹", Style::Expected, decades(|n| 10_f64.powi(-n))),
        Figure::new(long, Axis::linear(long), Axis::linear(long))
            .with(long, Style::Line, line(100, |x| (x / 9.0).sin() - 0.5))
            .with(format!("{long}, but expected"), Style::Expected, line(100, |x| (x / 9.0).cos())),
        Figure::new("Bars beside each other", Axis::linear("seed"), Axis::linear("accuracy (%)"))
            .with("SGD", Style::Bars, vec![(1.0, 91.0), (2.0, 92.5), (3.0, 90.0)])
            .with("RMSProp", Style::Bars, vec![(1.0, 97.0), (2.0, 96.5), (3.0, 97.2)])
            .with("AdaGrad", Style::Bars, vec![(1.0, -12.0), (2.0, 0.0), (3.0, 40.0)]),
        Figure::new("Bars on a log axis", Axis::linear("optimizer"), Axis::log("error (1)"))
            .with("SGD", Style::Bars, vec![(1.0, 1e-3)])
            .with("RMSProp", Style::Bars, vec![(2.0, 1e-9)])
            .with("Adam", Style::Bars, vec![(3.0, 10.0)])
            .with("bound", Style::Expected, vec![(0.5, 1e-6), (3.5, 1e-6)]),
        Figure::new("One point, an empty curve, and gaps", Axis::linear("x"), Axis::linear("y"))
            .with("one point", Style::Line, vec![(1e9, -3.0)])
            .with("nothing", Style::Line, vec![])
            .with("gaps", Style::Marks, vec![(1e9 + 1.0, f64::NAN), (1e9 + 2.0, 1.0), (f64::INFINITY, 2.0)]),
        Figure::new("Nothing at all", Axis::log("x"), Axis::linear("y")).with("empty", Style::Line, vec![]),
        Figure::new("Kinds of marks", Axis::log("ε (1)"), Axis::linear("loss (nat)"))
            .with("circle", Style::Marks, (1..9).map(|i| (f64::from(i), 1.0 / f64::from(i))).collect())
            .with("square", Style::Marks, (1..9).map(|i| (f64::from(i), 2.0 / f64::from(i))).collect())
            .with("triangle", Style::Marks, (1..9).map(|i| (f64::from(i), 3.0 / f64::from(i))).collect())
            .with("diamond", Style::Marks, (1..9).map(|i| (f64::from(i), -1.0 / f64::from(i))).collect()),
        Figure::new("A hundred thousand noisy steps", Axis::linear("step"), Axis::linear("loss")).with(
            "loss",
            Style::Line,
            line(100_000, |x| (x * 12.9898).sin() * 1e6),
        ),
        many,
        landscape(),
    ]
}

/// Level lines of x² + 4 y² and two ways down; one of them leaves the picture first.
fn landscape() -> Figure {
    let mut figure = Figure::new("Two ways down an ellipse", Axis::linear("x"), Axis::linear("y"));
    figure.steps = true;
    for level in [0.1, 0.5, 1.0, 2.0, 4.0, 8.0] {
        let turn = |i: i32| f64::from(i) * std::f64::consts::TAU / 60.0;
        let r = f64::sqrt(level);
        figure
            .contours
            .push((level, (0..=60).map(|i| (r * turn(i).cos(), r / 2.0 * turn(i).sin())).collect()));
    }
    let spiral = |i: i32| {
        let (t, r) = (f64::from(i) / 6.0, 2.5 * f64::exp(-f64::from(i) / 30.0));
        (r * t.cos(), r / 2.0 * t.sin())
    };
    figure
        .with("spiral", Style::Line, (0..120).map(spiral).collect())
        .with("escape", Style::Line, (0..60).map(|i| (20.0 - f64::from(i) / 3.0, 1.0)).collect())
        .with("minimum", Style::Marks, vec![(0.0, 0.0)])
}

fn good() -> Outcome {
    Outcome { checks: vec![Check::about("share of <g²> (1)", 0.951, 0.95, 0.01)], figures: hard_figures() }
}

fn bad() -> Outcome {
    let checks = vec![
        Check::near("steps", 77.0, 77.0, 0.0),
        Check::new("loss (nat)", f64::NAN, Expected::AtMost(1e-12)),
        Check::new("ratio", 3.0, Expected::Between(2.0, 4.0)),
    ];
    Outcome { checks, figures: vec![] }
}

fn experiment(name: &'static str, run: fn() -> Outcome) -> Experiment {
    Experiment {
        name,
        claim: "A claim with <b>markup</b> & \"quotes\" in it.",
        formula: "v ← ρ v + (1 - ρ) g²\np ← p - η g / (√v + ε)",
        source: "A note that says {{rows}}.",
        code: "for _ in 0..3 { assert!(a < b && c > d); }",
        run,
    }
}

fn report() -> Report {
    Report::run(&[experiment("hard-figures", good), experiment("a-failure", bad)], |_| ())
}

#[test]
fn the_page_shows_every_figure_and_escapes_every_text() {
    let html = report().to_html();
    assert_eq!(html.matches("<figure>").count(), hard_figures().len());
    assert_eq!(
        html.matches("data-points=").count(),
        hard_figures().iter().map(|f| f.series.len()).sum::<usize>()
    );
    assert!(!html.contains("<b>markup") && !html.contains("share of <g²>") && !html.contains("a < b"));
    assert!(html.contains("&lt;b&gt;markup&lt;/b&gt; &amp; &quot;quotes&quot;"));
    assert!(
        html.contains("A note that says {{rows}}."),
        "text of an experiment was taken for the template's"
    );
    // Values that are not finite appear as hover values of a trajectory at most, never as places.
    for attribute in html.split(" d=\"").skip(1) {
        let path = attribute.split('"').next().unwrap();
        assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
    }
    // For the browser test, which looks at it.
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures.html"), &html).unwrap();
    assert!(html.len() < 400_000, "{} bytes: the long curve was not thinned", html.len());
}

#[test]
fn a_figure_is_a_file_of_its_own() {
    for figure in hard_figures() {
        let svg = figure.to_svg();
        let words: Vec<String> = svg.split("<text").skip(1).map(|text| inner(text).to_owned()).collect();
        let mut shown = words.join(" ");
        for (code, char) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
            shown = shown.replace(code, char);
        }
        let names = figure.series.iter().map(|series| &series.name);
        for word in [&figure.title, &figure.x.label, &figure.y.label].into_iter().chain(names) {
            assert!(shown.contains(word.as_str()), "{word} is missing from {shown}");
        }
        assert_eq!(open_tags(&svg), Vec::<String>::new(), "{}", figure.title);
        for outside in ["url(", "href", "<script"] {
            assert!(!svg.contains(outside), "{outside}");
        }
        assert_eq!(svg, figure.to_svg());
    }
}

/// The text of an element, after its first `>`.
fn inner(element: &str) -> &str {
    element.split_once('>').unwrap().1.split_once('<').unwrap().0
}

/// The elements that are not closed, in a text where each tag ends with the first `>`.
fn open_tags(xml: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    for tag in xml.split('<').skip(1).map(|tag| tag.split_once('>').expect("a tag ends").0) {
        let name = tag.trim_matches('/').split_whitespace().next().unwrap();
        match tag.strip_prefix('/') {
            Some(_) => assert_eq!(open.pop().as_deref(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(name.to_owned()),
        }
    }
    open
}

#[test]
fn one_wrong_number_fails_the_report() {
    let mut report = report();
    assert!(!report.passed());
    report.findings.pop();
    assert!(report.passed());
}

/// The first experiment waits for the second to have ended, so the order of ending is not that of the question.
#[test]
fn the_order_is_that_of_the_question_and_done_is_called_for_each() {
    static SECOND_HAS_ENDED: Barrier = Barrier::new(2);
    fn waits() -> Outcome {
        SECOND_HAS_ENDED.wait();
        bad()
    }
    let ends = Mutex::new(Vec::new());
    let all = [experiment("first", waits), experiment("second", bad)];
    let two_threads = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let report = two_threads.install(|| {
        Report::run(&all, |finding: &Finding| {
            ends.lock().unwrap().push(finding.experiment.name);
            if finding.experiment.name == "second" {
                SECOND_HAS_ENDED.wait();
            }
        })
    });
    let names: Vec<_> = report.findings.iter().map(|finding| finding.experiment.name).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(ends.into_inner().unwrap(), ["second", "first"]);
}

#[test]
fn programs_read_the_same() {
    let json: Value = serde_json::from_str(&report().to_json().unwrap()).unwrap();
    assert_eq!(json["passed"], false);
    assert_eq!(json["experiments"][0]["name"], "hard-figures");
    assert_eq!(json["experiments"][0]["passed"], true);
    assert_eq!(json["experiments"][0]["checks"][0]["measured"], 0.951);
    assert_eq!(json["experiments"][0]["figures"][2]["series"][1]["points"][0][1], 97.0);
    assert_eq!(json["experiments"][1]["checks"][0]["expected"]["Near"]["value"], 77.0);
    assert!(json["experiments"][1]["checks"][1]["measured"].is_null());
    assert_eq!(json["experiments"][1]["checks"][1]["passed"], false);
}

#[test]
fn a_terminal_sees_each_number_beside_what_it_should_be() {
    let report = report();
    let text = report.findings[1].to_string();
    assert!(text.contains("a-failure: FAIL"), "{text}");
    assert!(text.contains("pass  steps: 77, expected 77\n"), "{text}");
    assert!(text.contains("FAIL  loss (nat): NaN, expected ≤ 1e-12\n"), "{text}");
    assert!(report.findings[0].to_string().contains("0.951, expected 0.95 ± 1 %"));
}

/// Of each point it is known whether a linear axis and a log axis can show it.
#[test]
fn every_history_has_a_picture_with_the_points_that_can_be_drawn() {
    const NAN: f64 = f64::NAN;
    let cases: [&[f64]; 11] = [
        &[],
        &[0.5],
        &[0.0; 5],
        &[-2.0; 5],
        &[NAN; 5],
        &[f64::INFINITY; 2],
        &[f64::NEG_INFINITY, NAN, f64::INFINITY],
        &[NAN, 1.0, NAN, 2.0],
        &[f64::MAX, f64::MIN_POSITIVE, -f64::MAX],
        &[5e-324, 5e-324],
        &[1.0, 1.0 + f64::EPSILON],
    ];
    for values in cases {
        for (y, log) in [(Axis::linear("y"), false), (Axis::log("y"), true)] {
            let points: Vec<_> = values.iter().enumerate().map(|(x, &y)| (x as f64, y)).collect();
            let shown = values.iter().filter(|y| y.is_finite() && (!log || **y > 0.0)).count();
            for style in [Style::Line, Style::Expected, Style::Marks, Style::Bars] {
                let figure = Figure::new("t", Axis::linear("x"), y.clone()).with("a", style, points.clone());
                let svg = figure.to_svg();
                let paths: String =
                    svg.split(" d=\"").skip(1).map(|d| d.split('"').next().unwrap()).collect();
                assert!(!paths.contains("NaN") && !paths.contains("inf"), "{values:?}: {paths}");
                assert_eq!(svg.contains(">no points<"), shown == 0, "{values:?}, log: {log}");
                if style == Style::Marks {
                    let curve = svg.split("data-points=\"").nth(1).unwrap().split('"').next().unwrap();
                    assert_eq!(curve.split(',').filter(|point| !point.is_empty()).count(), shown, "{curve}");
                }
            }
        }
    }
}
