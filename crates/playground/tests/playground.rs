//! The program as the page asks it.

use serde_json::{Value, json};
use wengert_playground::Playground;

fn ask(playground: &mut Playground, question: &Value) -> Value {
    serde_json::from_str(&playground.answer(&question.to_string())).expect("the answer is JSON")
}

/// The walk of one rule.
fn walk(landscape: &str, start: [f64; 2], steps: u64, rule: &str, options: Value) -> Value {
    let rules = [json!({ "rule": rule, "options": options })];
    let question =
        json!({ "walk": { "landscape": landscape, "start": start, "steps": steps, "rules": rules } });
    let mut answer = ask(&mut Playground::default(), &question);
    assert_eq!(answer["error"], Value::Null);
    answer["paths"][0].take()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
}

fn assert_near(measured: &[f64], expected: &[f64]) {
    assert_eq!(measured.len(), expected.len());
    for (measured, expected) in measured.iter().zip(expected) {
        assert!((measured - expected).abs() <= 1e-5 * expected.abs(), "{measured}, not {expected}");
    }
}

/// On `½ (x² - y²)` plain descent multiplies by `1 - η` and `1 + η`.
#[test]
fn plain_descent_on_the_saddle_is_a_geometric_sequence() {
    let path = walk("saddle", [-1.5, 0.01], 20, "Sgd", json!({ "lr": 0.25 }));
    let expected = |start: f64, factor: f64| (0..=20).map(|t| start * factor.powi(t)).collect::<Vec<_>>();
    let (x, y) = (expected(-1.5, 0.75), expected(0.01, 1.25));
    assert_near(&numbers(&path["x"]), &x);
    assert_near(&numbers(&path["y"]), &y);
    let heights: Vec<_> = x.iter().zip(&y).map(|(x, y)| 0.5 * (x * x - y * y)).collect();
    assert_near(&numbers(&path["loss"]), &heights);
    assert_eq!(numbers(&path["rate"][0]), [0.25; 20]);
    assert_eq!(path["v"], json!([[], []])); // it divides by no root
}

/// `v = ρ v + (1 - ρ) g²`, and the rate is `η / (√v + ε)`, with the ε and the place that the page chose.
#[test]
fn rate_and_v_are_those_of_the_rule_with_its_options() {
    let options = json!({ "lr": 0.1, "rho": 0.5, "eps": { "Outside": 0.5 }, "momentum": 0 });
    let path = walk("saddle", [2.0, 1.0], 2, "RmsProp", options);
    let v1 = 0.5 * 4.0;
    let x1 = 2.0 - 0.1 * 2.0 / (f64::sqrt(v1) + 0.5);
    let v2 = 0.5 * v1 + 0.5 * x1 * x1;
    assert_near(&numbers(&path["v"][0]), &[v1, v2]);
    assert_near(&numbers(&path["rate"][0]), &[v1, v2].map(|v| 0.1 / (v.sqrt() + 0.5)));
}

/// Of everything that is offered, also at its own options.
#[test]
fn every_rule_walks_every_landscape() {
    let mut playground = Playground::default();
    let catalogue = ask(&mut playground, &json!("catalogue"));
    let rules: Vec<_> = catalogue["rules"].as_array().unwrap().iter().collect();
    assert_eq!(rules.len(), wengert_optim::for_every_rule!(one).len());
    for landscape in catalogue["landscapes"].as_array().unwrap() {
        let lines =
            ask(&mut playground, &json!({ "contours": { "landscape": landscape["name"], "step": 3 } }));
        let lines = lines["lines"].as_array().unwrap().clone();
        assert!(lines.len() >= 10, "{} level lines of {}", lines.len(), landscape["name"]);
        for rule in &rules {
            let rules = [json!({ "rule": rule["name"], "options": rule["options"] })];
            let (name, start) = (&landscape["name"], &landscape["start"]);
            let question =
                json!({ "walk": { "landscape": name, "start": start, "steps": 50, "rules": rules } });
            let answer = ask(&mut playground, &question);
            let path = &answer["paths"][0];
            let [x, loss] = ["x", "loss"].map(|of| numbers(&path[of]));
            assert_eq!((x.len(), loss.len(), numbers(&path["rate"][1]).len()), (51, 51, 50), "{rule} {name}");
            assert!(x[50] != x[0], "{rule} stands still on {name}");
        }
    }
}

fn one<R>() {}

#[test]
fn a_walk_that_leaves_ends_early() {
    let path = walk("rosenbrock", [-1.5, 1.6], 400, "Sgd", json!({ "lr": 1.0 }));
    let x = numbers(&path["x"]);
    assert!(x.len() < 20 && x.iter().all(|x| x.is_finite()), "{x:?}");
}

#[test]
fn what_makes_no_sense_is_explained_and_changes_nothing() {
    let rule = |options: Value| json!([{ "rule": "Adam", "options": options }]);
    let walk = |landscape: &str, steps: u64, rules: Value| {
        let walk = json!({ "landscape": landscape, "start": [1, 1], "steps": steps, "rules": rules });
        json!({ "walk": walk })
    };
    let from = |landscape: &str, start: Value| {
        let walk = json!({ "landscape": landscape, "start": start, "steps": 1, "rules": rule(json!({})) });
        json!({ "walk": walk })
    };
    let learn = |task: &str, rules: Value| json!({ "learn": { "task": task, "rules": rules, "seed": 1 } });
    let drawing = |strokes: Value| json!({ "read": { "strokes": strokes } });
    let cases = [
        (json!("typo"), "typo"),
        (json!({ "walk": {} }), "landscape"),
        (walk("typo", 1, json!([])), "typo"),
        (walk("saddle", 1_000_000_000, json!([])), "at most 5000"),
        (from("saddle", json!([1e39, 0])), "a start on the landscape"),
        (from("saddle", json!([0, -1e39])), "a start on the landscape"),
        (from("saddle", json!([1e300, 0])), "a start on the landscape"),
        (from("saddle", json!([1e9, 1e9])), "a start on the landscape"),
        (from("beale", json!([1e8, 1e8])), "a start on the landscape"), // 1e64 high
        (walk("saddle", 1, json!([{ "rule": "Typo", "options": {} }])), "Typo"),
        (walk("saddle", 1, rule(json!({ "typo": 1 }))), "Adam has no option `typo`"),
        (walk("saddle", 1, rule(json!({ "lr": -1 }))), "lr is -1"),
        (walk("saddle", 1, rule(json!({ "lr": null }))), "Adam"),
        (walk("saddle", 1, rule(json!({ "eps": { "Beside": 1 } }))), "Beside"),
        (learn("typo", json!([])), "typo"),
        (learn("digits", rule(json!({ "beta1": 2 }))), "beta1 is 2"),
        (json!({ "train": { "steps": 0 } }), "between 1 and"),
        (json!({ "train": { "steps": 1e18 as u64 } }), "between 1 and"),
        (json!({ "plane": { "side": 1 } }), "2 to"),
        (json!({ "plane": { "side": 1_000_000 } }), "2 to"),
        (drawing(json!([[[0, 0]]])), "something else"),
    ];
    let mut playground = Playground::default();
    assert!(playground.answer(r#"{"train": {"steps": 1}}"#).contains("no network yet"));
    ask(&mut playground, &learn("xor", rule(json!({}))));
    let plane = json!({ "plane": { "side": 3 } });
    let before = ask(&mut playground, &plane);
    for (question, part) in cases {
        let answer = ask(&mut playground, &question);
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(part)), "{question}: {answer}");
    }
    assert!(playground.answer("not JSON").starts_with(r#"{"error":"#));
    assert_eq!(ask(&mut playground, &plane), before);

    ask(&mut playground, &learn("digits", rule(json!({}))));
    for (strokes, part) in [(json!([[[1e30, 0]]]), "outside"), (json!([vec![[0, 0]; 10_001]]), "at most")] {
        let answer = ask(&mut playground, &drawing(strokes));
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(part)), "{answer}");
    }
    let answer = ask(&mut playground, &json!({ "teach": { "strokes": [], "label": 10 } }));
    assert!(answer["error"].as_str().is_some_and(|error| error.contains("not 10")), "{answer}");
    assert!(ask(&mut playground, &drawing(json!([])))["error"].is_null(), "a blank pad can be read");
}

/// A field that is empty, or holds half a number, has the value `null` on the page. Each is named, of every rule, in
/// words for people.
#[test]
fn an_empty_field_is_named() {
    let mut playground = Playground::default();
    let catalogue = ask(&mut playground, &json!("catalogue"));
    let (mut fields, places) = (0, [("eps", "Inside"), ("weight_decay", "L2")]);
    for rule in catalogue["rules"].as_array().unwrap() {
        let name = rule["name"].as_str().unwrap();
        for (field, value) in rule["options"].as_object().unwrap() {
            let empty = match places.iter().find(|(placed, _)| placed == field) {
                Some((_, place)) => json!({ *place: null }),
                None => Value::Null,
            };
            let rules = json!([{ "rule": name, "options": { field: empty } }]);
            let walk = json!({ "landscape": "saddle", "start": [1, 1], "steps": 1, "rules": rules });
            let learn = json!({ "task": "xor", "rules": rules, "seed": 1 });
            for question in [json!({ "walk": walk }), json!({ "learn": learn })] {
                let answer = ask(&mut playground, &question);
                let needs = if value.is_boolean() { "a yes or a no" } else { "a number: the field is empty" };
                let expected = format!("{name}: {field} needs {needs}");
                assert!(
                    answer["error"].as_str().is_some_and(|error| error.starts_with(&expected)),
                    "{answer}"
                );
            }
            fields += 1;
        }
    }
    assert!(fields > 40, "only {fields} fields");
}

#[test]
fn xor_is_learnt_by_both() {
    let mut playground = Playground::default();
    let rules = json!([
        { "rule": "RmsProp", "options": { "lr": 0.01 } },
        { "rule": "Sgd", "options": { "lr": 0.5, "momentum": 0.9 } },
    ]);
    ask(&mut playground, &json!({ "learn": { "task": "xor", "rules": rules, "seed": 1 } }));
    let first = ask(&mut playground, &json!({ "train": { "steps": 1 } }));
    let losses = [0, 1].map(|at| first["learners"][at]["progress"]["loss"].clone());
    assert_eq!(losses[0], losses[1], "both start alike");
    let last = ask(&mut playground, &json!({ "train": { "steps": 399 } }));
    assert_eq!(last["step"], 400);
    let planes = ask(&mut playground, &json!({ "plane": { "side": 5 } }));
    for (at, learner) in last["learners"].as_array().unwrap().iter().enumerate() {
        assert_eq!(learner["progress"]["right"], 4, "{last}");
        // Of -½, 0, ½, 1, 1½ in both directions, from the top.
        let p = numbers(&planes["planes"][at]);
        let corner = |x: usize, y: usize| p[5 * (3 - 2 * y) + 1 + 2 * x];
        for (x, y) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let expected = (x ^ y) as f64;
            assert!((corner(x, y) - expected).abs() < 0.1, "{x} xor {y}: {}", corner(x, y));
        }
    }
    assert!(last["learners"][1]["memory"]["v"].is_null(), "plain descent has no v");
}

/// A drawing that no generated digit looks like is read as what it was said to be.
#[test]
fn digits_are_learnt_and_drawings_too() {
    let mut playground = Playground::default();
    let rules = json!([{ "rule": "Adam", "options": { "lr": 0.003 } }]);
    ask(&mut playground, &json!({ "learn": { "task": "digits", "rules": rules, "seed": 1 } }));
    let seven = json!([[[35, 20], [65, 20], [60, 40], [50, 60], [45, 85]]]);
    let frame = json!([[[0, 0], [50, 0], [50, 50], [0, 50], [0, 0], [50, 50]], [[0, 50], [50, 0]]]);
    let teach = json!({ "teach": { "strokes": frame, "label": 3 } });
    assert_eq!(ask(&mut playground, &teach)["taught"], 1);
    ask(&mut playground, &json!({ "train": { "steps": 190 } }));
    let (mut right, mut of) = (0, 0);
    for _ in 0..10 {
        let trained = ask(&mut playground, &json!({ "train": { "steps": 1 } }));
        let progress = &trained["learners"][0]["progress"];
        right += progress["right"].as_u64().unwrap();
        of += progress["of"].as_u64().unwrap();
    }
    // The drawing is one more in each batch.
    assert_eq!(of, 330);
    assert!(right > 270, "only {right} of {of}");
    for (strokes, label) in [(seven, 7), (frame, 3)] {
        let read = ask(&mut playground, &json!({ "read": { "strokes": strokes } }));
        let p = numbers(&read["probabilities"][0]);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-4);
        assert!(p[label] > 0.5, "read {p:?}, not {label}");
        assert_eq!(numbers(&read["pixels"]).len(), 784);
    }
}

#[test]
fn drawings_outlive_the_networks_that_were_taught_with_them() {
    let mut playground = Playground::default();
    let learn = |task: &str, lr: f64, seed: u64| {
        let rules = json!([{ "rule": "Adam", "options": { "lr": lr } }]);
        json!({ "learn": { "task": task, "rules": rules, "seed": seed } })
    };
    assert_eq!(ask(&mut playground, &learn("digits", 0.003, 1))["taught"], 0);
    let teach = json!({ "teach": { "strokes": [[[0, 0], [1, 1]]], "label": 4 } });
    assert_eq!(ask(&mut playground, &teach)["taught"], 1);
    assert!(ask(&mut playground, &learn("digits", -1.0, 1))["error"].is_string());
    for anew in
        [learn("digits", 0.01, 1), learn("digits", 0.01, 2), learn("xor", 0.01, 2), learn("digits", 0.01, 2)]
    {
        assert_eq!(ask(&mut playground, &anew)["taught"], 1, "{anew}");
    }
    let trained = ask(&mut playground, &json!({ "train": { "steps": 1 } }));
    assert_eq!(trained["learners"][0]["progress"]["of"], 33);
}
