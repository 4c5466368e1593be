"""Records metrics of scikit-learn: `metrics.json`, which `tests/golden_metrics.rs` reads."""

import datetime
import json
import pathlib
import platform
import random
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.simplefilter("ignore")  # what is 0/0 warns


def classes_case(note, classes, n, rng, labels_below=None, ties=False):
    """Scores are multiples of 1/8. Without ties those of a row are distinct: sklearn's top k orders ties otherwise."""
    labels = [rng.randrange(labels_below or classes) for _ in range(n)]
    scores = []
    for _ in range(n):
        places = [rng.randrange(4) for _ in range(classes)] if ties else rng.sample(range(-30, 30), classes)
        scores.append([place / 8 for place in places])
    predicted = np.argmax(scores, axis=1).tolist()
    averages = {}
    for average in ["macro", "micro", "weighted"]:
        options = {"average": average, "zero_division": 0}
        averages[average] = [
            metrics.precision_score(labels, predicted, **options),
            metrics.recall_score(labels, predicted, **options),
            metrics.f1_score(labels, predicted, **options),
        ]
    every = list(range(classes))
    top = None
    if not ties:
        top = [
            metrics.top_k_accuracy_score(labels, scores, k=k, labels=every) if classes > 2 else None for k in (1, 2, 3)
        ]
    per_class = metrics.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    return {
        "kind": "classes",
        "note": note,
        "scores": scores,
        "labels": labels,
        "confusion": metrics.confusion_matrix(labels, predicted, labels=every).tolist(),
        "accuracy": metrics.accuracy_score(labels, predicted),
        "top": top,
        "averages": averages,
        "per_class": [np.asarray(column).tolist() for column in per_class],
    }


def auc_case(note, n, levels, rng, positive=0.5):
    labels = [int(rng.random() < positive) for _ in range(n)]
    labels[:2] = [0, 1]
    scores = [rng.randrange(levels) / 16 - 2 for _ in range(n)]
    return {
        "kind": "auc",
        "note": note,
        "scores": scores,
        "labels": labels,
        "auc": metrics.roc_auc_score(labels, scores),
    }


def regression_case(note, targets, predictions):
    targets, predictions = np.array(targets), np.array(predictions)
    return {
        "kind": "regression",
        "note": note,
        "targets": targets.tolist(),
        "predictions": predictions.tolist(),
        "r2": metrics.r2_score(targets, predictions),
        "mae": metrics.mean_absolute_error(targets, predictions),
        "mse": metrics.mean_squared_error(targets, predictions),
        "rmse": metrics.root_mean_squared_error(targets, predictions),
    }


def numbers(rng, *shape, offset=0.0):
    count = int(np.prod(shape))
    return np.array([offset + rng.randrange(-640, 640) / 64 for _ in range(count)]).reshape(shape)


def main():
    rng = random.Random("metrics")
    cases = [
        classes_case("three classes", 3, 40, rng),
        classes_case("ten classes", 10, 60, rng),
        classes_case("two classes", 2, 25, rng),
        classes_case("classes without samples", 6, 20, rng, labels_below=3),
        classes_case("more classes than samples", 12, 4, rng),
        classes_case("one sample", 3, 1, rng),
        classes_case("ties", 4, 40, rng, ties=True),
        auc_case("distinct scores", 50, 10**6, rng),
        auc_case("ties", 60, 5, rng),
        auc_case("all equal", 9, 1, rng),
        auc_case("few positive", 80, 40, rng, positive=0.05),
        regression_case("one output", numbers(rng, 30), numbers(rng, 30)),
        regression_case("three outputs", numbers(rng, 20, 3), numbers(rng, 20, 3)),
        regression_case("a large mean", numbers(rng, 30, offset=1e6), numbers(rng, 30, offset=1e6)),
        regression_case("exact", [1.5, 2.5, 4.0], [1.5, 2.5, 4.0]),
        regression_case("constant targets", [2.5] * 4, [2.5, 2.5, 3.0, 2.5]),
        regression_case("constant targets, exact", [2.5] * 4, [2.5] * 4),
        regression_case("one output constant", [[1.0, 2.0], [1.0, 4.0]], [[1.0, 2.5], [2.0, 3.5]]),
    ]
    origin = {
        "script": "tests/golden/metrics.py",
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }
    lines = ",\n".join(json.dumps(case) for case in cases)
    text = f'{{"origin": {json.dumps(origin)}, "cases": [\n{lines}\n]}}\n'
    pathlib.Path(__file__).with_name("metrics.json").write_text(text)


main()
