"""Values and gradients of ops where numbers are extreme. Writes edges.json.

python3 -m venv .venv && .venv/bin/pip install torch==2.15.0 numpy==2.4.6 && .venv/bin/python tests/golden/edges.py

What is right for finite numbers is the exact formula, in 300 bits, rounded to f32 in the end: no intermediate can
overflow, underflow or cancel. (PyTorch's own f32 and f64 do: `1 - tanh²` at 10.) Where an input is infinite or NaN,
or a slope of 0 or ∞ meets an upstream gradient of ∞ or 0, PyTorch 2.15 in f32 says what is right. Every number is
stored by its bits, NaN as null.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from mpmath import mp, mpf

mp.prec = 300
SUBNORMAL = 1e-45
UPSTREAM = [1.0, 0.0, -2.5, 1e-30, 1e30, math.inf]


def f32(x):
    return float(np.float32(x))


def rounded(x):
    """The f32 next to an exact number."""
    if mp.isinf(x):
        return float(x)
    if abs(x) >= mpf(2) ** 128 - mpf(2) ** 103:
        return math.inf if x > 0 else -math.inf
    exponent = max(int(mp.floor(mp.log(abs(x), 2))) - 23, -149) if x else -149
    return float(mp.nint(x / mpf(2) ** exponent) * mpf(2) ** exponent)


def bits(x):
    return None if math.isnan(x) else int(np.float32(x).view(np.uint32))


# Exact functions with their derivatives.
def tanh(x):
    return mp.tanh(x), mp.sech(x) ** 2


def sigmoid(x):
    return 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(-x)) / (1 + mp.exp(x))


def cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def density(x):
    return mp.exp(-(x**2) / 2) / mp.sqrt(2 * mp.pi)


def gelu_tanh(x):
    u, du = mp.sqrt(8 / mp.pi) * (x + mpf(0.044715) * x**3), mp.sqrt(8 / mp.pi) * (1 + 3 * mpf(0.044715) * x**2)
    s, ds = sigmoid(u)
    return x * s, s + x * ds * du


def power(n):
    return lambda x: (x**n, n * x ** (n - 1))


def step(below, above):
    """Pieces on both sides of 0, of which the second has no end."""
    return lambda x: above(x) if x > 0 else below(x)


NOTHING = lambda x: (mpf(0), mpf(0))
SAME = lambda x: (x, mpf(1))

# name, arguments, PyTorch's function, the exact one, where it is defined
UNARY = [
    ("neg", {}, torch.neg, lambda x: (-x, mpf(-1)), None),
    ("square", {}, torch.square, power(2), None),
    ("sqrt", {}, torch.sqrt, lambda x: (mp.sqrt(x), 1 / (2 * mp.sqrt(x))), lambda x: x > 0),
    ("recip", {}, torch.reciprocal, power(-1), lambda x: x != 0),
    ("exp", {}, torch.exp, lambda x: (mp.exp(x), mp.exp(x)), None),
    ("exp_m1", {}, torch.expm1, lambda x: (mp.expm1(x), mp.exp(x)), None),
    ("ln", {}, torch.log, lambda x: (mp.log(x), 1 / x), lambda x: x > 0),
    ("ln_1p", {}, torch.log1p, lambda x: (mp.log1p(x), 1 / (1 + x)), lambda x: x > -1),
    ("sin", {}, torch.sin, lambda x: (mp.sin(x), mp.cos(x)), lambda x: abs(x) < 1e3),
    ("cos", {}, torch.cos, lambda x: (mp.cos(x), -mp.sin(x)), lambda x: abs(x) < 1e3),
    ("abs", {}, torch.abs, lambda x: (abs(x), mp.sign(x)), None),
    ("sign", {}, torch.sign, lambda x: (mp.sign(x), mpf(0)), None),
    ("relu", {}, torch.relu, step(NOTHING, SAME), None),
    ("leaky_relu", {"slope": 0.25}, lambda x: F.leaky_relu(x, 0.25), step(lambda x: (x / 4, mpf(0.25)), SAME), None),
    ("elu", {"alpha": 0.5}, lambda x: F.elu(x, 0.5), step(lambda x: (mp.expm1(x) / 2, mp.exp(x) / 2), SAME), None),
    ("tanh", {}, torch.tanh, tanh, None),
    ("sigmoid", {}, torch.sigmoid, sigmoid, None),
    ("silu", {}, F.silu, lambda x: (x * sigmoid(x)[0], sigmoid(x)[0] + x * sigmoid(x)[1]), None),
    ("softplus", {}, F.softplus, lambda x: (mp.log1p(mp.exp(-abs(x))) + max(x, mpf(0)), sigmoid(x)[0]), None),
    ("gelu", {}, F.gelu, lambda x: (x * cdf(x), cdf(x) + x * density(x)), None),
    ("gelu_tanh", {}, lambda x: F.gelu(x, approximate="tanh"), gelu_tanh, None),
    (
        "clamp",
        {"lo": -1.0, "hi": 2.0},
        lambda x: torch.clamp(x, -1.0, 2.0),
        lambda x: (min(max(x, mpf(-1)), mpf(2)), mpf(-1 <= x <= 2)),
        None,
    ),
    (
        "div_scalar",
        {"c": f32(1e-39)},
        lambda x: x / f32(1e-39),
        lambda x: (x / mpf(f32(1e-39)), 1 / mpf(f32(1e-39))),
        None,
    ),
]
for n in [0, 1, 2, 3, -1, -3, 20, -(2**31)]:
    exact = power(n) if n else lambda x: (mpf(1), mpf(0))
    within = (lambda x: x != 0) if n < 0 else None
    UNARY.append(("powi", {"n": n}, lambda x, n=n: torch.pow(x, n), exact, within))
for p in [0.0, 0.5, 1.5, -1.5, 2.0]:
    exact = power(mpf(p)) if p else lambda x: (mpf(1), mpf(0))
    UNARY.append(("powf", {"p": p}, lambda x, p=p: torch.pow(x, p), exact, (lambda x: x > 0) if p % 1 else None))

WHOLE = {"floor": mp.floor, "ceil": mp.ceil, "round": mp.nint, "trunc": lambda x: mp.sign(x) * mp.floor(abs(x))}
UNARY += [(op, {}, getattr(torch, op), lambda x, f=f: (f(x), mpf(0)), None) for op, f in WHOLE.items()]
UNARY += [
    ("tan", {}, torch.tan, lambda x: (mp.tan(x), mp.sec(x) ** 2), lambda x: abs(x) < 1e3),
    ("asin", {}, torch.asin, lambda x: (mp.asin(x), 1 / mp.sqrt(1 - x**2)), lambda x: abs(x) < 1),
    ("acos", {}, torch.acos, lambda x: (mp.acos(x), -1 / mp.sqrt(1 - x**2)), lambda x: abs(x) < 1),
    ("atan", {}, torch.atan, lambda x: (mp.atan(x), 1 / (1 + x**2)), None),
    ("sinh", {}, torch.sinh, lambda x: (mp.sinh(x), mp.cosh(x)), None),
    ("cosh", {}, torch.cosh, lambda x: (mp.cosh(x), mp.sinh(x)), None),
    ("asinh", {}, torch.asinh, lambda x: (mp.asinh(x), 1 / mp.sqrt(x**2 + 1)), None),
    ("acosh", {}, torch.acosh, lambda x: (mp.acosh(x), 1 / mp.sqrt(x**2 - 1)), lambda x: x > 1),
    ("atanh", {}, torch.atanh, lambda x: (mp.atanh(x), 1 / (1 - x**2)), lambda x: abs(x) < 1),
    ("log2", {}, torch.log2, lambda x: (mp.log(x, 2), 1 / (x * mp.log(2))), lambda x: x > 0),
    ("log10", {}, torch.log10, lambda x: (mp.log10(x), 1 / (x * mp.log(10))), lambda x: x > 0),
    ("rsqrt", {}, torch.rsqrt, lambda x: (1 / mp.sqrt(x), -1 / (2 * x * mp.sqrt(x))), lambda x: x > 0),
    ("erf", {}, torch.erf, lambda x: (mp.erf(x), 2 / mp.sqrt(mp.pi) * mp.exp(-(x**2))), None),
]

SELU_LAMBDA, SELU_ALPHA = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")


def mish(x):
    t = mp.tanh(mp.log1p(mp.exp(x)))
    return x * t, t + x * (1 - t * t) * sigmoid(x)[0]


def between_threes(below, inside, above):
    return lambda x: below(x) if x <= -3 else above(x) if x >= 3 else inside(x)


UNARY += [
    (
        "selu",
        {},
        F.selu,
        step(
            lambda x: (SELU_LAMBDA * SELU_ALPHA * mp.expm1(x), SELU_LAMBDA * SELU_ALPHA * mp.exp(x)),
            lambda x: (SELU_LAMBDA * x, SELU_LAMBDA),
        ),
        None,
    ),
    ("mish", {}, F.mish, mish, None),
    (
        "hardsigmoid",
        {},
        F.hardsigmoid,
        between_threes(NOTHING, lambda x: ((x + 3) / 6, 1 / mpf(6)), lambda x: (mpf(1), mpf(0))),
        None,
    ),
    ("hardswish", {}, F.hardswish, between_threes(NOTHING, lambda x: (x * (x + 3) / 6, (2 * x + 3) / 6), SAME), None),
    ("softsign", {}, F.softsign, lambda x: (x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2), None),
]

EXTREME = [0.0, -0.0, math.inf, -math.inf, math.nan]
for x in [SUBNORMAL, 1e-39, 1e-30, 1e-20, 1e-7, 0.5, 1.0, 2.0, 5.5, 10.0, 17.0, 88.0, 1e3, 1e20, 1e30, 3e38]:
    EXTREME += [f32(x), f32(-x)]
EXTREME += [f32(6.98e12), f32(-53.0), f32(-0.99999), 103.0, -103.0]


def torch_pullback(f, inputs, dy):
    x = [torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in inputs]
    y = f(*x)
    if not y.requires_grad:
        return float(y), [0.0] * len(x)
    grads = torch.autograd.grad(y, x, torch.tensor(dy, dtype=torch.float32), allow_unused=True)
    return float(y.detach()), [0.0 if g is None else float(g) for g in grads]


def exact_at(f, within, inputs):
    """The value and the derivatives, if there are such."""
    if not all(math.isfinite(x) for x in inputs) or within and not within(*inputs):
        return None
    return f(*map(mpf, inputs))


def case(torch_function, exact, within, inputs, dy):
    value, grads = torch_pullback(torch_function, inputs, dy)
    source = "torch"
    right = exact_at(exact, within, inputs)
    if right is not None:
        value = rounded(right[0])
        # Where an infinite number meets a 0, also one that is only too small for f32, PyTorch says what is meant.
        meets = lambda slope: {abs(rounded(slope)), abs(dy)} == {0.0, math.inf}
        exact_grads = [None if meets(slope) else rounded(mpf(dy) * slope) for slope in right[1:]]
        grads = [torch if exact is None else exact for exact, torch in zip(exact_grads, grads)]
        source = "exact"
    return [[bits(x) for x in inputs], bits(dy), bits(value), [bits(g) for g in grads], source]


def unary():
    for op, args, torch_function, exact, within in UNARY:
        cases = [case(torch_function, exact, within, [x], f32(dy)) for x in EXTREME for dy in UPSTREAM]
        yield {"op": op, "args": args, "cases": cases}


def side(x, t):
    """The binary cross entropy of logits, with its derivatives."""
    p, q = sigmoid(x)[0], sigmoid(-x)[0]
    return -t * mp.log(p) - (1 - t) * mp.log(q), (1 - t) * p - t * q, -x


def huber(x, t):
    e = x - t
    inside = abs(e) <= 1
    slope = e if inside else mp.sign(e)
    return (e**2 / 2 if inside else abs(e) - mpf(0.5)), slope, -slope


def larger(sign):
    def f(a, b):
        share = mpf(0.5) if a == b else mpf(sign * a > sign * b)
        return max(sign * a, sign * b) * sign, share, 1 - share

    return f


def kl_div(x, t):
    return t * (mp.log(t) - x), -t, mp.log(t) + 1 - x


BINARY = [
    ("add", torch.add, lambda a, b: (a + b, mpf(1), mpf(1)), None),
    ("sub", torch.sub, lambda a, b: (a - b, mpf(1), mpf(-1)), None),
    ("mul", torch.mul, lambda a, b: (a * b, b, a), None),
    ("div", torch.div, lambda a, b: (a / b, 1 / b, -a / b**2), lambda a, b: b != 0),
    ("maximum", torch.maximum, larger(1), None),
    ("minimum", torch.minimum, larger(-1), None),
    (
        "mse",
        lambda x, t: F.mse_loss(x, t, reduction="none"),
        lambda x, t: ((x - t) ** 2, 2 * (x - t), 2 * (t - x)),
        None,
    ),
    (
        "mae",
        lambda x, t: F.l1_loss(x, t, reduction="none"),
        lambda x, t: (abs(x - t), mp.sign(x - t), mp.sign(t - x)),
        None,
    ),
    ("huber", lambda x, t: F.huber_loss(x, t, reduction="none"), huber, None),
    (
        "pow",
        torch.pow,
        lambda a, b: (a**b, b * a ** (b - 1), a**b * mp.log(a)),
        lambda a, b: a > 0,
    ),
    (
        "remainder",
        torch.remainder,
        lambda a, b: (a - b * mp.floor(a / b), mpf(1), -mp.floor(a / b)),
        lambda a, b: b != 0,
    ),
    (
        "atan2",
        torch.atan2,
        lambda a, b: (mp.atan2(a, b), b / (a**2 + b**2), -a / (a**2 + b**2)),
        lambda a, b: a != 0 or b > 0,
    ),
]
PAIRS = [0.0, -0.0, math.inf, -math.inf, math.nan, f32(SUBNORMAL), f32(1e-39), f32(1e-30), f32(-1e-30), f32(1e-23)]
PAIRS += [0.5, 1.0, -1.0, f32(1e20), f32(-1e20), f32(1e30), f32(3e38)]
LOGITS = [
    0.0,
    math.inf,
    -math.inf,
    math.nan,
    f32(1e-30),
    1.0,
    -1.0,
    17.0,
    -17.0,
    20.0,
    88.0,
    -88.0,
    1e3,
    -1e3,
    f32(1e30),
]
TARGETS = [0.0, f32(1e-30), 0.25, 0.5, f32(0.999999), 1.0]
BINARY_OF_TARGETS = [
    ("bce_with_logits", lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"), side, None),
    ("kl_div", lambda x, t: F.kl_div(x, t, reduction="none"), kl_div, lambda x, t: t > 0),
]


def binary():
    for op, torch_function, exact, within in BINARY:
        pairs = [(a, b) for a in PAIRS for b in PAIRS]
        yield {
            "op": op,
            "args": {},
            "cases": [case(torch_function, exact, within, pair, f32(dy)) for pair in pairs for dy in UPSTREAM],
        }
    for op, torch_function, exact, within in BINARY_OF_TARGETS:
        pairs = [(x, t) for x in LOGITS for t in TARGETS]
        yield {
            "op": op,
            "args": {},
            "cases": [case(torch_function, exact, within, pair, f32(dy)) for pair in pairs for dy in UPSTREAM],
        }


# Ops of a row: what is right is PyTorch's formula in 300 bits where all is finite.
def softmax(row, dy):
    top = max(row)
    powers = [mp.exp(x - top) for x in row]
    p = [power / sum(powers) for power in powers]
    mean = sum(p * dy for p, dy in zip(p, dy))
    return p, [p * (dy - mean) for p, dy in zip(p, dy)]


def log_softmax(row, dy):
    p, _ = softmax(row, dy)
    top = max(row)
    log_sum = mp.log(sum(mp.exp(x - top) for x in row))
    return [x - top - log_sum for x in row], [d - p * sum(dy) for d, p in zip(dy, p)]


def logsumexp(row, dy):
    p, _ = softmax(row, dy)
    top = max(row)
    return [top + mp.log(sum(mp.exp(x - top) for x in row))], [p * dy[0] for p in p]


def extreme(best):
    def f(row, dy):
        winners = [x == best(row) for x in row]
        return [best(row)], [dy[0] * won / sum(winners) for won in winners]

    return f


def mean(row, dy):
    return [sum(row) / len(row)], [dy[0] / len(row)] * len(row)


def variance(row, dy):
    m = sum(row) / len(row)
    return [sum((x - m) ** 2 for x in row) / len(row)], [2 * (x - m) / len(row) * dy[0] for x in row]


def cross_entropy(row, dy):
    value, grads = log_softmax(row, [-dy[0]] + [mpf(0)] * (len(row) - 1))
    return [-value[0]], grads


ROWS = [
    ("softmax", lambda x: torch.softmax(x, 0), softmax),
    ("log_softmax", lambda x: torch.log_softmax(x, 0), log_softmax),
    ("logsumexp", lambda x: torch.logsumexp(x, 0), logsumexp),
    ("cross_entropy", lambda x: F.cross_entropy(x[None], torch.tensor([0])), cross_entropy),
    ("max", lambda x: torch.amax(x, 0), extreme(max)),
    ("min", lambda x: torch.amin(x, 0), extreme(min)),
    ("sum", lambda x: torch.sum(x, 0), lambda row, dy: ([sum(row)], [dy[0]] * len(row))),
    ("mean", lambda x: torch.mean(x, 0), mean),
    ("var", lambda x: torch.var(x, 0, correction=0), variance),
]
ROW_INPUTS = [
    [0.0, 0.0, 0.0],
    [1.0, 2.0, 3.0],
    [20.0, 0.0, -1.0],
    [0.0, 20.0, 20.0],
    [100.0, 0.0, -100.0],
    [88.0, 88.0, 88.0],
    [1e3, -1e3, 0.0],
    [f32(1e30), 0.0, 1.0],
    [f32(1e-30), f32(2e-30), 0.0],
    [f32(SUBNORMAL), 0.0, 0.0],
    [1e4, 10001.0, 10003.0],
    [-math.inf, 0.0, 1.0],
    [-math.inf, -math.inf, 1.0],
    [0.0, -math.inf, -math.inf],
    [-math.inf, -math.inf, -math.inf],
    [math.inf, 0.0, 1.0],
    [math.inf, math.inf, 1.0],
    [math.nan, 0.0, 1.0],
    [0.0, math.nan, math.nan],
    [math.nan, math.inf, -math.inf],
]
ROW_UPSTREAM = [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.5, -0.25], [0.0, f32(1e-30), 0.0]]


def rows():
    for op, torch_function, exact in ROWS:
        cases = []
        for row in ROW_INPUTS:
            for dy in ROW_UPSTREAM:
                x = torch.tensor(row, dtype=torch.float32, requires_grad=True)
                y = torch_function(x)
                upstream = dy[: max(y.numel(), 1)]
                (grad,) = torch.autograd.grad(y, x, torch.tensor(upstream).reshape(y.shape))
                value, grads, source = y.reshape(-1).tolist(), grad.tolist(), "torch"
                if all(map(math.isfinite, row)):
                    exact_value, exact_grads = exact([mpf(x) for x in row], [mpf(d) for d in upstream])
                    value, grads, source = [rounded(y) for y in exact_value], [rounded(g) for g in exact_grads], "exact"
                cases.append(
                    [
                        [bits(x) for x in row],
                        [bits(d) for d in upstream],
                        [bits(y) for y in value],
                        [bits(g) for g in grads],
                        source,
                    ]
                )
        yield {"op": op, "args": {}, "cases": cases}


def main():
    ops = {"unary": list(unary()), "binary": list(binary()), "rows": list(rows())}
    origin = {"script": "tests/golden/edges.py", "torch": torch.__version__, "python": sys.version.split()[0]}
    lines = [f'"origin":{json.dumps(origin)}']
    for kind, list_ in ops.items():
        listed = ",\n".join(json.dumps(op, separators=(",", ":")) for op in list_)
        lines.append(f'"{kind}":[\n{listed}\n]')
    path = pathlib.Path(__file__).with_name("edges.json")
    path.write_text("{" + ",\n".join(lines) + "}\n")
    print({kind: sum(len(op["cases"]) for op in list_) for kind, list_ in ops.items()}, path.stat().st_size)


main()
