//! Metrics where scikit-learn has no answer or another: NaN, ties, nothing at all. tests/golden_metrics.rs has the
//! rest.

use std::panic::catch_unwind;

use ndarray::{Array1, Array2, array};
use wengert_data::metrics::{Accuracy, Average, Confusion, Regression, RocAuc, argmax};

const NAN: f32 = f32::NAN;
const INF: f32 = f32::INFINITY;

#[test]
fn the_first_of_the_largest_is_the_prediction() {
    for (scores, expected) in [
        (&[1.0][..], Some(0)),
        (&[1.0, 3.0, 3.0], Some(1)),
        (&[0.0, -0.0], Some(0)),
        (&[-0.0, 0.0], Some(0)),
        (&[-INF, -INF], Some(0)),
        (&[-INF, -3e38], Some(1)),
        (&[INF, INF], Some(0)),
        (&[NAN, 1.0], None),
        (&[1.0, NAN], None),
        (&[INF, NAN], None),
        (&[], None),
    ] {
        assert_eq!(argmax(scores), expected, "{scores:?}");
        // The accuracy agrees about every label, and so does the confusion matrix.
        for label in 0..scores.len() {
            let row = Array2::from_shape_vec((1, scores.len()), scores.to_vec()).unwrap();
            let (mut accuracy, mut confusion) = (Accuracy::new(), Confusion::new(scores.len()));
            accuracy.update(&row, &[label]);
            confusion.update(&row, &[label]);
            let right = f64::from(u8::from(expected == Some(label)));
            assert_eq!((accuracy.value(), confusion.accuracy()), (right, right), "{scores:?} {label}");
        }
    }
    assert_eq!(argmax(&[3, 7, 7]), Some(1));
}

#[test]
fn among_the_k_largest_the_first_of_equals_go_first() {
    let scores = array![[1.0_f32, 2.0, 2.0, 1.0, 0.0]];
    let places = [2, 0, 1, 3, 4];
    for k in 1..7 {
        for (label, place) in places.into_iter().enumerate() {
            let mut top = Accuracy::top(k);
            top.update(&scores, &[label]);
            assert_eq!(top.correct() == 1, place < k, "label {label} among {k}");
        }
    }
    let mut top = Accuracy::top(9);
    top.update(&array![[1.0, NAN]], &[0]);
    assert_eq!((top.correct(), top.count()), (0, 1), "a sample with NaN counts as wrong");
}

#[test]
fn samples_without_prediction_are_missed_and_nobodys_false_alarm() {
    let mut confusion = Confusion::new(3);
    confusion.update(&array![[9.0, 0.0, 0.0], [0.0, NAN, 9.0], [0.0, 9.0, 0.0]], &[0, 0, 1]);
    assert_eq!((confusion.unpredicted(), confusion.counts().sum()), (1, 2));
    assert_eq!(confusion.accuracy(), 2.0 / 3.0);
    assert_eq!((confusion.class(0).precision(), confusion.class(0).recall()), (1.0, 0.5));
    // Class 2 is neither a label nor a prediction.
    assert_eq!((confusion.precision(Average::Macro), confusion.recall(Average::Macro)), (1.0, 0.75));
    assert_eq!((confusion.precision(Average::Micro), confusion.recall(Average::Micro)), (1.0, 2.0 / 3.0));
    let mut twice = confusion.clone();
    twice.merge(&confusion);
    assert_eq!((twice.unpredicted(), twice.accuracy()), (2, confusion.accuracy()));
}

#[test]
fn of_nothing_shares_are_0_and_means_nan() {
    let confusion = Confusion::new(3);
    for average in [Average::Macro, Average::Micro, Average::Weighted] {
        let all = [confusion.precision(average), confusion.recall(average), confusion.f1(average)];
        assert_eq!(all, [0.0; 3]);
    }
    assert_eq!((confusion.accuracy(), Accuracy::new().value()), (0.0, 0.0));
    let mut errors = Regression::default();
    errors.update(&Array2::<f32>::zeros((0, 2)), &Array2::<f32>::zeros((0, 2)));
    assert!([errors.r2(), errors.mae(), errors.mse(), errors.rmse()].iter().all(|x| x.is_nan()));
    errors.update(&array![1.0_f32], &array![2.0]);
    assert!(errors.r2().is_nan() && errors.mae() == 1.0, "the first samples say how many outputs there are");

    for labels in [&[][..], &[0, 0], &[1, 1]] {
        let mut auc = RocAuc::default();
        auc.update(&Array1::<f32>::zeros(labels.len()), labels);
        assert!(auc.value().is_nan());
    }
}

#[test]
fn numbers_that_are_not_finite_show() {
    let auc = |scores: [f32; 4]| {
        let mut auc = RocAuc::default();
        auc.update(&Array1::from(scores.to_vec()), &[0, 1, 0, 1]);
        auc.value()
    };
    assert!(auc([NAN, 1.0, 0.0, 1.0]).is_nan() && auc([0.0, 1.0, 0.0, NAN]).is_nan());
    assert_eq!(auc([-INF, INF, 0.0, INF]), 1.0);
    assert_eq!(auc([0.0, -0.0, 0.0, -0.0]), 0.5, "zeros of both signs are a tie");

    let r2 = |prediction: f32, target: f32| {
        let mut errors = Regression::default();
        errors.update(&array![1.0, prediction, 3.0], &array![1.0, target, 3.0]);
        (errors.r2(), errors.mae())
    };
    for (prediction, target) in [(NAN, 2.0), (2.0, NAN), (INF, INF), (NAN, NAN)] {
        assert!(r2(prediction, target).0.is_nan() && r2(prediction, target).1.is_nan());
    }
    assert_eq!(r2(INF, 2.0), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(r2(2.0, 2.0), (1.0, 0.0));
}

/// Beside 1e8 the squares of the targets would need 16 digits more than an `f64` has.
#[test]
fn a_large_mean_does_not_drown_the_spread() {
    let targets = Array1::from_shape_fn(10_000, |i| 1e8 + (i % 2) as f64);
    let predictions = &targets + 0.25;
    let (mut errors, mut other) = (Regression::default(), Regression::default());
    errors.update(&predictions, &targets);
    assert!((errors.r2() - 0.75).abs() < 1e-9, "1 - 0.25² / 0.5²: {}", errors.r2());
    other.update(&(&predictions + 10.0), &(&targets + 10.0));
    errors.merge(&other);
    // The spread is 0.25 within both halves and 25 between them.
    assert!((errors.r2() - (1.0 - 0.0625 / 25.25)).abs() < 1e-9, "{}", errors.r2());
}

#[test]
fn many_ties_are_exact() {
    // A million pairs each way; a positive sample wins against what is below, and half of its own level.
    let scores: Array1<f32> = (0..2000).map(|i| (i / 2 % 3) as f32).collect();
    let labels: Vec<usize> = (0..2000).map(|i| i % 2).collect();
    let mut auc = RocAuc::default();
    auc.update(&scores, &labels);
    assert_eq!(auc.value(), 0.5, "both kinds have the same scores");
}

#[test]
fn what_does_not_fit_is_a_programmers_error() {
    let panics = |f: fn()| catch_unwind(f).unwrap_err().downcast_ref::<String>().unwrap().clone();
    for (f, message) in [
        (
            (|| Accuracy::new().update(&array![[0.0, 1.0]], &[0, 1])) as fn(),
            "scores of shape [1, 2] and 2 labels: expected [n, classes]",
        ),
        (
            || Accuracy::new().update(&array![0.0, 1.0], &[0, 1]),
            "scores of shape [2] and 2 labels: expected [n, classes]",
        ),
        (|| Accuracy::new().update(&array![[0.0, 1.0]], &[2]), "label 2 of 2 classes"),
        (|| Accuracy::new().merge(&Accuracy::top(5)), "the accuracies of the 1 and of the 5 largest scores"),
        (|| Confusion::new(3).update(&array![[0.0, 1.0]], &[0]), "scores of shape [1, 2] for 3 classes"),
        (|| Confusion::new(3).record(3, None), "label 3 of 3 classes"),
        (|| Confusion::new(3).record(0, Some(3)), "prediction 3 of 3 classes"),
        (|| _ = Confusion::new(3).class(3), "class 3 of 3"),
        (|| Confusion::new(3).merge(&Confusion::new(2)), "confusion matrices of 3 and of 2 classes"),
        (|| RocAuc::default().update(&array![0.0], &[2]), "label 2: expected 0 or 1"),
        (
            || RocAuc::default().update(&array![[0.0, 1.0]], &[0, 1]),
            "scores of shape [1, 2] and 2 labels: expected one each",
        ),
        (
            || Regression::default().update(&array![0.0, 1.0], &array![[0.0], [1.0]]),
            "predictions of shape [2] for targets of [2, 1]",
        ),
    ] {
        assert_eq!(panics(f), message);
    }
    assert!(catch_unwind(|| Accuracy::top(0)).is_err());
}
