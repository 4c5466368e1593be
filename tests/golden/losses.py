"""Values and gradients of every loss and reduction, from PyTorch in f64. Writes losses.json."""

import torch
import torch.nn.functional as F

from record import Cases, write

t = torch.tensor
cases = Cases()
REDUCTIONS = ["mean", "sum", "none"]

EXTREME_LOGITS = t([[1e4, -1e4, 0.0], [-1e4, -1e4, 1e4], [1e4, 1e4, 1e4], [745.0, -745.0, 744.0]])


def probabilities(numbers, shape):
    """Rows that sum to one, in eighths (a composition of 8 into shape[-1] positive parts)."""
    rows, classes = shape
    data = []
    for _ in range(rows):
        cuts = [0, *sorted(numbers.rng.sample(range(1, 8), classes - 1)), 8]
        data.append([(b - a) / 8 for a, b in zip(cuts, cuts[1:])])
    return t(data)


def log_probabilities(numbers, shape):
    return F.log_softmax(numbers.draw(shape), dim=1)


def label_losses():
    def cross_entropy(x, labels, smoothing, note=""):
        for reduction in REDUCTIONS:
            f = lambda x: F.cross_entropy(x, t(labels), reduction=reduction, label_smoothing=smoothing)
            args = {"labels": labels, "label_smoothing": smoothing, "reduction": reduction}
            cases.add("cross_entropy", f, [x], args, note)

    def nll(x, labels, note=""):
        for reduction in REDUCTIONS:
            f = lambda x: F.nll_loss(x, t(labels), reduction=reduction)
            cases.add("nll", f, [x], {"labels": labels, "reduction": reduction}, note)

    for shape in [[4, 3], [1, 3], [3, 1], [5, 4]]:
        for smoothing in [0.0, 0.1]:
            numbers = cases.numbers("cross_entropy")
            cross_entropy(numbers.draw(shape), numbers.labels(*shape), smoothing)
        numbers = cases.numbers("nll")
        nll(log_probabilities(numbers, shape), numbers.labels(*shape))
    for smoothing in [0.0, 0.1]:
        cross_entropy(EXTREME_LOGITS, [1, 2, 0, 1], smoothing, "extreme values")
    nll(t([[-1e4, -1e-10, 0.0], [0.0, -1e4, -745.0]]), [0, 2], "extreme values")
    nll(cases.numbers("nll").draw([2, 3]), [1, 2], "any input: nll does not normalise")


def weighted_losses():
    for shape in [[4, 3], [1, 3], [3, 1], [5, 4]]:
        for smallest in [0.25, 0.0]:
            numbers = cases.numbers("cross_entropy_weighted")
            x, labels = numbers.draw(shape), numbers.labels(*shape)
            weights = [smallest + k / 4 for k in range(shape[1])]
            if not any(weights[label] for label in labels):
                labels[0] = shape[1] - 1
                weights[labels[0]] = 0.5
            f = lambda x: F.cross_entropy(x, t(labels), weight=t(weights))
            cases.add("cross_entropy_weighted", f, [x], {"labels": labels, "weights": weights})
        for ignored in [0, 99]:
            numbers = cases.numbers("cross_entropy_ignoring")
            x, labels = numbers.draw(shape), numbers.labels(*shape)
            labels = [ignored if i % 2 else label for i, label in enumerate(labels)]
            f = lambda x: F.cross_entropy(x, t(labels), ignore_index=ignored)
            note = "" if any(label != ignored for label in labels) else "the mean of nothing"
            cases.add("cross_entropy_ignoring", f, [x], {"labels": labels, "ignored": ignored}, note)


def soft_cross_entropy():
    def add(x, target, smoothing, note=""):
        for reduction in REDUCTIONS:
            f = lambda x, p: F.cross_entropy(x, p, reduction=reduction, label_smoothing=smoothing)
            args = {"label_smoothing": smoothing, "reduction": reduction}
            cases.add("cross_entropy_soft", f, [x, target], args, note)

    for shape in [[4, 3], [1, 3], [3, 1]]:
        for smoothing in [0.0, 0.1]:
            numbers = cases.numbers("cross_entropy_soft")
            add(numbers.draw(shape), probabilities(numbers, shape), smoothing)
    numbers = cases.numbers("cross_entropy_soft")
    add(numbers.draw([2, 3]), t([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]), 0.0, "zero probabilities")
    numbers = cases.numbers("cross_entropy_soft")
    add(numbers.draw([2, 3]), numbers.draw([2, 3], 0.0, 2.0), 0.0, "targets that do not sum to one")
    target = t([[0.25, 0.5, 0.25], [0.5, 0.0, 0.5], [0.25, 0.25, 0.5], [0.125, 0.625, 0.25]])
    add(EXTREME_LOGITS, target, 0.0, "extreme values")


def regression_losses():
    losses = {
        "mse": [(F.mse_loss, {})],
        "mae": [(F.l1_loss, {})],
        "huber": [(F.huber_loss, {"delta": 1.0}), (F.huber_loss, {"delta": 0.5})],
    }
    for op, variants in losses.items():
        for f, extra in variants:

            def add(x, target, note=""):
                for reduction in REDUCTIONS:
                    loss = lambda x, y: f(x, y, reduction=reduction, **extra)
                    cases.add(op, loss, [x, target], extra | {"reduction": reduction}, note)

            for shape in [[4, 3], [5], [1, 1], []]:
                numbers = cases.numbers(op)
                # Targets half a step off: no difference is 0 or ±delta.
                add(numbers.draw(shape), numbers.draw(shape) + 1 / 64)
            add(t([1e4, -1e4, 1e-10]), t([-1e4, 1e4, -1e-10]), "extreme values")
            add(t([0.5, -1.0]), t([0.5, -1.0]), "no difference: zero gradient")
            if op == "huber":
                delta = extra["delta"]
                add(t([delta, -delta]), t([0.0, 0.0]), "a difference of exactly delta")


def bce_with_logits():
    def add(x, target, note=""):
        for reduction in REDUCTIONS:
            f = lambda x, y: F.binary_cross_entropy_with_logits(x, y, reduction=reduction)
            cases.add("bce_with_logits", f, [x, target], {"reduction": reduction}, note)

    for shape in [[4, 3], [5], [1, 1], []]:
        numbers = cases.numbers("bce_with_logits")
        add(numbers.draw(shape), numbers.draw(shape, 0.0, 1.0), "soft targets")
    numbers = cases.numbers("bce_with_logits")
    add(numbers.draw([4]), t([0.0, 1.0, 1.0, 0.0]), "hard targets")
    logits = t([1e4, -1e4, 1e4, -1e4, 745.0, -745.0, 40.0, 0.0])
    add(logits, t([1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.25, 0.5]), "extreme values")


def kl_div():
    def add(x, target, note="", constant=()):
        for reduction in [*REDUCTIONS, "batchmean"]:
            f = lambda x, p: F.kl_div(x, p, reduction=reduction)
            cases.add("kl_div", f, [x, target], {"reduction": reduction}, note, constant)

    for shape in [[4, 3], [1, 3], [3, 1]]:
        numbers = cases.numbers("kl_div")
        add(log_probabilities(numbers, shape), probabilities(numbers, shape))
    numbers = cases.numbers("kl_div")
    zeros = t([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    # d(p ln p)/dp is -inf at p = 0, so the target's gradient is left out.
    add(log_probabilities(numbers, [2, 3]), zeros, "zero probabilities", constant=[1])
    extreme = t([[-1e4, -1e-10, -745.0], [0.0, -1e4, -1e3]])
    add(extreme, t([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]), "extreme values")


if __name__ == "__main__":
    label_losses()
    soft_cross_entropy()
    regression_losses()
    bce_with_logits()
    kl_div()
    weighted_losses()
    write(__file__, "losses.json", cases=cases.cases)
