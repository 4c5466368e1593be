//! Metrics against scikit-learn: tests/golden/metrics.json. All at once, batch by batch, and merged.

#[path = "golden/mod.rs"]
#[expect(dead_code, reason = "no tensors with shapes here")]
mod golden;

use serde_json::Value;
use wengert::data::metrics::{Accuracy, Average, Confusion, Regression, RocAuc};
use wengert::ndarray::{Array1, Array2};

fn cases(kind: &str) -> Vec<Value> {
    let file = golden::read("metrics.json");
    let all = file["cases"].as_array().unwrap().iter();
    let some: Vec<_> = all.filter(|case| case["kind"] == kind).cloned().collect();
    assert!(some.len() >= 4);
    some
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(golden::number).collect()
}

/// A row per sample; a list of numbers is one column.
fn table(value: &Value) -> Array2<f64> {
    let row = |row: &Value| if row.is_array() { numbers(row) } else { vec![golden::number(row)] };
    let rows: Vec<_> = value.as_array().unwrap().iter().map(row).collect();
    let columns = rows[0].len();
    Array2::from_shape_vec((rows.len(), columns), rows.concat()).unwrap()
}

/// The samples as batches: all at once, and in pieces of unequal sizes.
fn divisions(n: usize) -> Vec<Vec<std::ops::Range<usize>>> {
    let pieces = |size: usize| (0..n).step_by(size).map(|start| start..n.min(start + size)).collect();
    vec![pieces(n), pieces(1), pieces(7)]
}

fn assert_close(what: &str, found: f64, recorded: f64) {
    assert!(
        (found - recorded).abs() <= 1e-12 * recorded.abs().max(1.0),
        "{what}: {found}, recorded {recorded}"
    );
}

#[test]
fn classes_are_scored_as_scikit_learn_scores_them() {
    for case in cases("classes") {
        let (note, scores, labels) =
            (&case["note"], table(&case["scores"]), golden::integers(&case["labels"]));
        for pieces in divisions(labels.len()) {
            // One for each piece, merged.
            let mut confusion = Confusion::new(scores.ncols());
            let mut tops = [1, 2, 3].map(Accuracy::top);
            for piece in pieces {
                let (rows, labels) = (scores.slice(wengert::ndarray::s![piece.clone(), ..]), &labels[piece]);
                let mut one = Confusion::new(scores.ncols());
                one.update(&rows, labels);
                confusion.merge(&one);
                for (k, top) in (1..).zip(&mut tops) {
                    let mut one = Accuracy::top(k);
                    one.update(&rows, labels);
                    top.merge(&one);
                }
            }
            compare_classes(&case, &confusion, &tops, &note.to_string());
        }
    }
}

fn compare_classes(case: &Value, confusion: &Confusion, tops: &[Accuracy; 3], note: &str) {
    let recorded = table(&case["confusion"]).mapv(|count| count as usize);
    assert_eq!(confusion.counts(), recorded, "{note}");
    let accuracy = golden::number(&case["accuracy"]);
    assert_close(note, confusion.accuracy(), accuracy);
    assert_close(note, tops[0].value(), accuracy);
    for (top, recorded) in tops.iter().zip(case["top"].as_array().into_iter().flatten()) {
        if let Some(recorded) = recorded.as_f64() {
            assert_close(note, top.value(), recorded);
        }
    }
    for (name, average) in
        [("macro", Average::Macro), ("micro", Average::Micro), ("weighted", Average::Weighted)]
    {
        let recorded = numbers(&case["averages"][name]);
        let found = [confusion.precision(average), confusion.recall(average), confusion.f1(average)];
        for (found, recorded) in found.into_iter().zip(recorded) {
            assert_close(&format!("{note} {name}"), found, recorded);
        }
    }
    for (class, recorded) in table(&case["per_class"]).columns().into_iter().enumerate() {
        let counts = confusion.class(class);
        let found = [counts.precision(), counts.recall(), counts.f1(), counts.support() as f64];
        assert_close(note, found.iter().zip(recorded).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max), 0.0);
    }
}

#[test]
fn the_area_under_the_curve_is_that_of_scikit_learn() {
    for case in cases("auc") {
        let (scores, labels) = (numbers(&case["scores"]), golden::integers(&case["labels"]));
        for pieces in divisions(labels.len()) {
            let mut auc = RocAuc::default();
            for piece in pieces {
                let mut one = RocAuc::default();
                one.update(&Array1::from(scores[piece.clone()].to_vec()), &labels[piece]);
                auc.merge(&one);
            }
            assert_close(&case["note"].to_string(), auc.value(), golden::number(&case["auc"]));
        }
    }
}

#[test]
fn errors_of_numbers_are_those_of_scikit_learn() {
    for case in cases("regression") {
        let (predictions, targets) = (table(&case["predictions"]), table(&case["targets"]));
        for pieces in divisions(targets.nrows()) {
            let (mut running, mut merged) = (Regression::default(), Regression::default());
            for piece in pieces {
                let rows = wengert::ndarray::s![piece, ..];
                running.update(&predictions.slice(rows), &targets.slice(rows));
                let mut one = Regression::default();
                one.update(&predictions.slice(rows), &targets.slice(rows));
                merged.merge(&one);
            }
            for errors in [running, merged] {
                let note = case["note"].to_string();
                assert_close(&note, errors.r2(), golden::number(&case["r2"]));
                assert_close(&note, errors.mae(), golden::number(&case["mae"]));
                assert_close(&note, errors.mse(), golden::number(&case["mse"]));
                assert_close(&note, errors.rmse(), golden::number(&case["rmse"]));
            }
        }
    }
}
