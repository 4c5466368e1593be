"""Values and gradients of every op, from PyTorch in f64. Writes ops.json."""

from functools import partial

import torch
import torch.nn.functional as F

from record import Cases, number, tensor, write

t = torch.tensor
cases = Cases()

# Where a naive formula overflows or cancels. Nothing between 20 and 37: there F.softplus has already
# turned linear, up to 2e-9 away from the exact value.
EXTREME = [-1e4, -1e3, -745.0, -710.0, -40.0, -1e-10, 0.0, 1e-10, 40.0, 710.0, 745.0, 1e3, 1e4]

POSITIVE = (0.0, 3.0)
REAL = (-2.0, 2.0)

# op: (function, domain, extreme points)
UNARY = {
    "neg": (torch.neg, REAL, [0.0]),
    "square": (torch.square, REAL, [-1e100, 0.0, 1e100]),
    "sqrt": (torch.sqrt, POSITIVE, [1e-300, 1e-20, 1e300]),
    "recip": (torch.reciprocal, POSITIVE, [-1e100, -1e-100, 1e-100, 1e100]),
    "exp": (torch.exp, REAL, [-1e4, -746.0, -700.0, -40.0, 0.0, 40.0, 700.0]),
    "ln": (torch.log, POSITIVE, [1e-300, 1e-10, 1.0, 1e10, 1e300]),
    "ln_1p": (torch.log1p, (-0.9, 2.0), [-1 + 2.0**-40, -1e-10, -1e-300, 0.0, 1e-300, 1e-10, 1e300]),
    "exp_m1": (torch.expm1, REAL, [-1e4, -40.0, -1e-10, -1e-300, 0.0, 1e-300, 1e-10, 40.0, 700.0]),
    "sin": (torch.sin, REAL, [-1e4, -1e-10, 0.0, 1e-10, 1e4]),
    "cos": (torch.cos, REAL, [-1e4, -1e-10, 0.0, 1e-10, 1e4]),
    "tanh": (torch.tanh, REAL, EXTREME),
    "sigmoid": (torch.sigmoid, REAL, EXTREME),
    "relu": (torch.relu, REAL, EXTREME),
    "gelu": (F.gelu, REAL, EXTREME),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), REAL, EXTREME),
    "silu": (F.silu, REAL, EXTREME),
    "softplus": (F.softplus, REAL, EXTREME),
    "selu": (F.selu, REAL, EXTREME),
    "mish": (F.mish, REAL, EXTREME),
    # F.hardsigmoid takes the sixth of its gradient in f32, 3e-8 off.
    "hardsigmoid": (lambda x: ((x + 3) / 6).clamp(0, 1), (-4.0, 4.0), EXTREME),
    "hardswish": (F.hardswish, (-4.0, 4.0), EXTREME),
    "softsign": (F.softsign, REAL, EXTREME),
    "abs": (torch.abs, REAL, EXTREME),
    "sign": (torch.sign, REAL, EXTREME),
    "floor": (torch.floor, REAL, EXTREME),
    "ceil": (torch.ceil, REAL, EXTREME),
    "round": (torch.round, REAL, [-3.5, -2.5, -0.5, 0.5, 1.5, 2.5, 1e300]),
    "trunc": (torch.trunc, REAL, EXTREME),
    "tan": (torch.tan, (-1.5, 1.5), [-1e3, -1e-10, 0.0, 1e-10, 1e3]),
    "asin": (torch.asin, (-1.0, 1.0), [-1 + 2.0**-40, -1e-10, 0.0, 1e-300, 1 - 2.0**-40]),
    "acos": (torch.acos, (-1.0, 1.0), [-1 + 2.0**-40, -1e-10, 0.0, 1e-300, 1 - 2.0**-40]),
    "atan": (torch.atan, REAL, [-1e100, -1e4, -1e-10, 0.0, 1e-300, 1e4, 1e100]),
    "sinh": (torch.sinh, REAL, [-700.0, -1e-10, 0.0, 1e-300, 40.0, 700.0]),
    "cosh": (torch.cosh, REAL, [-700.0, -1e-10, 0.0, 40.0, 700.0]),
    "asinh": (torch.asinh, REAL, [-1e100, -1e4, -1e-10, 0.0, 1e-300, 1e4, 1e100]),
    "acosh": (torch.acosh, (1.0, 3.0), [1 + 2.0**-20, 1e4, 1e100]),
    "atanh": (torch.atanh, (-1.0, 1.0), [-1 + 2.0**-20, -1e-10, 0.0, 1e-300, 1 - 2.0**-20]),
    "log2": (torch.log2, POSITIVE, [1e-300, 1e-10, 1.0, 1e10, 1e300]),
    "log10": (torch.log10, POSITIVE, [1e-300, 1e-10, 1.0, 1e10, 1e300]),
    "rsqrt": (torch.rsqrt, POSITIVE, [1e-200, 1e-20, 1e200]),
    "erf": (torch.erf, REAL, [-10.0, -1e-10, 0.0, 1e-300, 5.0, 20.0]),
}


def unary(op, f, domain, args=None):
    for shape in [[3, 4], [], [2, 1, 3], [0, 3]]:
        cases.add(op, f, [cases.numbers(op).draw(shape, *domain)], args)


def unary_ops():
    for op, (f, domain, extreme) in UNARY.items():
        unary(op, f, domain)
        cases.add(op, f, [t(extreme)], note="extreme values")
    between = t([20.5, 25.0, 30.0, 36.5])
    exact = lambda x: torch.logaddexp(x, t(0.0))
    cases.add("softplus", exact, [between], note="from logaddexp(x, 0): F.softplus is linear above 20")
    negative = [cases.numbers("recip").draw([3, 2], -2.0, 0.0)]
    cases.add("recip", torch.reciprocal, negative, note="negative")


def unary_ops_with_arguments():
    for n in [-3, -2, -1, 0, 1, 2, 3, 4]:
        args = {"n": n}
        cases.add("powi", lambda x: x**n, [cases.numbers("powi").draw([3, 4])], args)
    for n in [0, 1, 2, 3]:
        cases.add("powi", lambda x: x**n, [t([0.0, -1.0, 1.0])], {"n": n}, note="at 0, -1, 1")
    cases.add("powi", lambda x: x**3, [cases.numbers("powi").draw([0, 3])], {"n": 3})
    for p in [-1.5, -0.5, 0.5, 1.0, 2.0, 2.5]:
        positive = [cases.numbers("powf").draw([3, 4], *POSITIVE)]
        cases.add("powf", lambda x: x**p, positive, {"p": p})
    cases.add("powf", lambda x: x**2.5, [t([0.0, 1e-100, 1e100])], {"p": 2.5}, note="extreme values")
    cases.add("powf", lambda x: x**2.5, [cases.numbers("powf").draw([0, 3])], {"p": 2.5})

    away_from_zero = [x for x in EXTREME if x != 0.0]
    for slope in [0.01, 0.25]:
        leaky = lambda x: F.leaky_relu(x, slope)
        unary("leaky_relu", leaky, REAL, {"slope": slope})
        cases.add("leaky_relu", leaky, [t(away_from_zero)], {"slope": slope}, note="extreme values")
    for alpha, extreme in [(1.0, EXTREME), (0.5, away_from_zero)]:
        elu = lambda x: F.elu(x, alpha)
        unary("elu", elu, REAL, {"alpha": alpha})
        cases.add("elu", elu, [t(extreme)], {"alpha": alpha}, note="extreme values")

    clamp = lambda x: torch.clamp(x, -0.5, 0.75)
    args = {"lo": -0.5, "hi": 0.75}
    unary("clamp", clamp, REAL, args)
    boundary = [t([-1e4, -0.5, 0.0, 0.75, 1e4])]
    cases.add("clamp", clamp, boundary, args, note="the gradient is 0 at the boundary itself")


BROADCASTS = [
    ([3, 4], [3, 4]),
    ([3, 4], [4]),
    ([4], [3, 4]),
    ([3, 1], [1, 4]),
    ([], [2, 3]),
    ([2, 3], []),
    ([2, 1, 3], [4, 1]),
    ([2, 1], [2, 3]),
    ([1, 1], [1]),
    ([0, 3], [0, 3]),
    ([0, 3], [1, 3]),
    ([0, 3], []),
]


def binary_ops():
    ops = {
        "add": torch.add,
        "sub": torch.sub,
        "mul": torch.mul,
        "div": torch.div,
        "maximum": torch.maximum,
        "minimum": torch.minimum,
    }
    for op, f in ops.items():
        for left, right in BROADCASTS:
            numbers = cases.numbers(op)
            # Half a step apart, so that maximum and minimum meet no tie.
            inputs = [numbers.draw(left), numbers.draw(right) + 1 / 64]
            if op == "div":
                inputs[1] = numbers.draw(right, *POSITIVE)
            cases.add(op, f, inputs)
        same = [cases.numbers(op).draw([2, 3])]
        cases.add(op, lambda x: f(x, x), same, {"repeated": True}, note="one tensor on both sides")
    for op, f in [("maximum", torch.maximum), ("minimum", torch.minimum)]:
        ties = [t([1.0, 2.0, 3.0, 0.0]), t([1.0, 3.0, 2.0, 0.0])]
        cases.add(op, f, ties, note="ties share the gradient, half each")
    cases.add("div", torch.div, [t([1.5, -2.5]), t([-0.5, -4.0])], note="negative divisor")


def powers_and_angles():
    for left, right in BROADCASTS:
        numbers = cases.numbers("pow")
        cases.add("pow", torch.pow, [numbers.draw(left, *POSITIVE), numbers.draw(right)])
        for op, f in [("remainder", torch.remainder), ("atan2", torch.atan2)]:
            numbers = cases.numbers(op)
            cases.add(op, f, [numbers.draw(left), numbers.draw(right) + 1 / 128])
    zero = [t([0.0, 0.0, 0.0, 2.0, -2.0, -2.0]), t([0.0, 1.0, 2.0, 0.0, 3.0, 2.0])]
    cases.add("pow", torch.pow, zero, note="zeros and negative bases")
    same = [cases.numbers("pow").draw([2, 3], *POSITIVE)]
    cases.add("pow", lambda x: torch.pow(x, x), same, {"repeated": True}, note="one tensor on both sides")
    signs = [t([5.0, -5.0, 5.0, -5.0, 6.0, -0.5]), t([3.0, 3.0, -3.0, -3.0, 3.0, 1e10])]
    cases.add("remainder", torch.remainder, signs, note="signs")
    around = [t([0.0, 0.0, 1.0, -1.0]), t([1.0, -1.0, 0.0, 0.0])]
    cases.add("atan2", torch.atan2, around, note="on the axes")


def where_op():
    shapes = [
        ([3, 4], [3, 4], [3, 4]),
        ([3, 1], [3, 4], [4]),
        ([4], [3, 1], [1, 4]),
        ([2, 3], [], [2, 3]),
        ([], [2, 3], [3]),
        ([0, 3], [0, 3], [3]),
    ]
    f = lambda c, a, b: torch.where(c != 0, a, b)
    for cond, a, b in shapes:
        numbers = cases.numbers("where")
        inputs = [(numbers.draw(cond) > 0) * 1.0, numbers.draw(a), numbers.draw(b)]
        cases.add("where", f, inputs, constant=[0])
    numbers = cases.numbers("where")
    inputs = [t([1.0, 0.0, 1.0]), numbers.draw([3])]
    same = lambda c, x: torch.where(c != 0, x, x)
    cases.add("where", same, inputs, {"repeated": True}, "one tensor on both sides", constant=[0])


def matmul_op():
    shapes = [
        ([2, 3], [3, 4]),
        ([5, 4], [4, 5]),
        ([1, 3], [3, 1]),
        ([3, 1], [1, 3]),
        ([1, 1], [1, 1]),
        ([0, 3], [3, 2]),
        ([2, 3], [3, 0]),
        ([2, 0], [0, 3]),
        ([2, 2, 3], [2, 3, 4]),
        ([1, 2, 3], [4, 3, 2]),
        ([4, 2, 3], [1, 3, 2]),
        ([2, 3], [4, 3, 2]),
        ([4, 2, 3], [3, 2]),
        ([0, 2, 3], [3, 2]),
    ]
    for left, right in shapes:
        numbers = cases.numbers("matmul")
        cases.add("matmul", torch.matmul, [numbers.draw(left), numbers.draw(right)])
    for shape in [[3, 3], [2, 2, 2]]:
        same = [cases.numbers("matmul").draw(shape)]
        cases.add("matmul", lambda x: x @ x, same, {"repeated": True}, note="one tensor on both sides")
    many_axes = [
        ([2, 1, 2, 3], [3, 3, 2]),
        ([3, 1, 2, 3], [1, 2, 3, 1]),
        ([2, 2, 1, 3], [3, 2]),
        ([2, 3], [2, 2, 3, 2]),
        ([0, 2, 2, 3], [2, 3, 1]),
    ]
    vectors = [
        ([3], [3]),
        ([0], [0]),
        ([2, 3], [3]),
        ([0, 3], [3]),
        ([3], [3, 4]),
        ([2, 2, 3], [3]),
        ([3], [2, 3, 4]),
        ([3], [2, 1, 3, 2]),
    ]
    for left, right in many_axes + vectors:
        numbers = cases.numbers("matmul")
        cases.add("matmul", torch.matmul, [numbers.draw(left), numbers.draw(right)])


REDUCTIONS = [
    ([3, 4], [0]),
    ([3, 4], [1]),
    ([3, 4], [0, 1]),
    ([2, 3, 4], [1]),
    ([2, 3, 4], [0, 2]),
    ([2, 3, 4], [0, 1, 2]),
    ([3, 1], [1]),
    ([0, 3], [1]),
    ([], []),
]


def reductions():
    ops = {
        "sum": (torch.sum, {}),
        "mean": (torch.mean, {}),
        "var ddof 0": (partial(torch.var, correction=0), {"ddof": 0}),
        "var ddof 1": (partial(torch.var, correction=1), {"ddof": 1}),
        "max": (torch.amax, {}),
        "min": (torch.amin, {}),
        "logsumexp": (torch.logsumexp, {}),
    }
    for name, (f, extra) in ops.items():
        op = name.split()[0]

        def add(x, axes, keepdim, note=""):
            args = {"axes": axes, "keepdim": keepdim} | extra
            cases.add(op, lambda x: f(x, dim=axes, keepdim=keepdim), [x], args, note)

        for shape, axes in REDUCTIONS:
            if name == "var ddof 1" and shape in [[3, 1], []]:
                continue  # one value has no unbiased variance
            for keepdim in [False, True]:
                add(cases.numbers(op).draw(shape), axes, keepdim)
        if op == "sum":
            add(torch.zeros([0, 3]), [0], False, "the empty sum is zero")
        if op in ["max", "min"]:
            ties = t([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0], [0.0, 1.0, 1.0]])
            for axes in [[0], [1], [0, 1]]:
                add(ties, axes, False, "ties share the gradient equally")
        if op == "var":
            add(1e4 + cases.numbers(op).draw([2, 5]), [1], False, "a large mean")
            add(torch.full([2, 3], 0.5), [1], False, "a constant row")
        if op == "logsumexp":
            add(logits(), [1], False, "extreme values")


def deviations_and_norms():
    def add(op, f, x, axes, extra, keepdim=False, note=""):
        args = {"axes": axes, "keepdim": keepdim} | extra
        cases.add(op, lambda x: f(x, dim=axes, keepdim=keepdim), [x], args, note)

    for ddof in [0, 1]:
        f = partial(torch.std, correction=ddof)
        for shape, axes in REDUCTIONS:
            if shape not in [[3, 1], []]:
                add("std", f, cases.numbers("std").draw(shape), axes, {"ddof": ddof}, ddof == 1)
        add("std", f, torch.full([2, 3], 0.5), [1], {"ddof": ddof}, note="a constant row has no slope")
        add("std", f, 1e4 + cases.numbers("std").draw([2, 5]), [1], {"ddof": ddof}, note="a large mean")
    zeros = t([[0.0, 0.0, 0.0], [3.0, 0.0, -4.0], [2.0, 2.0, -2.0]])
    for p in [1.0, 1.5, 2.0, 3.0, float("inf")]:
        f = partial(torch.linalg.vector_norm, ord=p)
        for shape, axes in REDUCTIONS:
            add("norm", f, cases.numbers("norm").draw(shape), axes, {"p": number(p)}, p == 2.0)
        add("norm", f, zeros, [1], {"p": number(p)}, note="zeros and ties")


def products_and_order():
    zeros = t([[2.0, 3.0, 4.0], [0.0, 3.0, 4.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    for shape, axes in REDUCTIONS:
        args = {"axes": axes, "keepdim": False}

        def prod(x):
            for axis in sorted(axes, reverse=True):
                x = x.prod(axis)
            return x + 0.0

        cases.add("prod", prod, [cases.numbers("prod").draw(shape)], args)
    for axis in [0, 1]:
        args = {"axes": [axis], "keepdim": False}
        cases.add("prod", lambda x: x.prod(axis), [zeros], args, note="no, one and several zeros")
    for op, f in [("cumsum", torch.cumsum), ("cumprod", torch.cumprod)]:
        for shape, axis in [([5], 0), ([3, 4], 0), ([3, 4], 1), ([2, 3, 4], 1), ([0, 3], 1), ([3, 1], 1)]:
            x = cases.numbers(op).draw(shape)
            cases.add(op, lambda x: f(x, axis), [x], {"axis": axis})
        for axis in [0, 1]:
            cases.add(op, lambda x: f(x, axis), [zeros], {"axis": axis}, note="zeros")
    for shape, axis in [([5], 0), ([3, 4], 0), ([3, 4], 1), ([2, 3, 4], 1), ([0, 3], 1)]:
        for descending in [False, True]:
            f = lambda x: torch.sort(x, dim=axis, descending=descending).values
            args = {"axis": axis, "descending": descending}
            cases.add("sort", f, [cases.numbers("sort").draw(shape)], args)
        f = lambda x: torch.topk(x, 2, dim=axis).values
        cases.add("topk", f, [cases.numbers("topk").draw(shape)], {"axis": axis, "k": 2})
    scatters = [
        ([3, 4], 1, [[2], [0], [3]]),
        ([3, 4], 1, [[1, 1], [0, 3], [2, 2]]),
        ([3, 4], 0, [[0, 2, 1, 1], [0, 0, 2, 1]]),
        ([3, 4], 1, [[3, 0, 3]]),
        ([2, 2, 3], 2, [[[0], [2]], [[1], [1]]]),
    ]
    for shape, axis, index in scatters:
        index = torch.tensor(index)
        numbers = cases.numbers("scatter_add")
        inputs = [numbers.draw(shape), numbers.draw(list(index.shape))]
        f = lambda x, src: x.scatter_add(axis, index, src)
        cases.add("scatter_add", f, inputs, {"axis": axis, "index": tensor(index)})


def logits():
    return t(
        [
            [1e4, -1e4, 0.0, 1e4],
            [1e3, 999.0, -1e3, 0.0],
            [745.0, -745.0, 0.0, 744.0],
            [-1e4, -1e4, -1e4, -1e4],
            [-745.0, -746.0, -1e4, -744.0],
        ]
    )


def softmaxes():
    for op, f in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
        shapes = [([3, 4], 0), ([3, 4], 1), ([2, 3, 4], 1), ([5], 0), ([3, 1], 1), ([0, 3], 1)]
        for shape, axis in shapes:
            x = cases.numbers(op).draw(shape)
            cases.add(op, lambda x: f(x, dim=axis), [x], {"axis": axis})
        for axis in [0, 1]:
            cases.add(op, lambda x: f(x, dim=axis), [logits()], {"axis": axis}, note="extreme values")


def shape_ops():
    def one(op, f, shape, args, note=""):
        cases.add(op, f, [cases.numbers(op).draw(shape)], args, note)

    reshapes = [([3, 4], [2, 6]), ([2, 3], [6]), ([2, 1, 3], [3, 2]), ([], [1, 1]), ([0, 3], [3, 0])]
    for old, new in reshapes:
        one("reshape", lambda x: x.reshape(new), old, {"shape": new})
    orders = [([2, 3], [1, 0]), ([2, 3, 4], [2, 0, 1]), ([2, 1, 3, 2], [3, 1, 0, 2]), ([0, 3], [1, 0])]
    for shape, axes in orders:
        one("permute", lambda x: x.permute(axes), shape, {"axes": axes})
    swaps = [([2, 3], 0, 1), ([2, 3, 4], 0, 2), ([2, 3, 4], 2, 1), ([3, 1], 0, 1), ([0, 3], 0, 1)]
    for shape, a, b in swaps:
        one("transpose", lambda x: x.transpose(a, b), shape, {"axis0": a, "axis1": b})
    wider = [
        ([4], [3, 4]),
        ([3, 1], [3, 4]),
        ([], [2, 3]),
        ([2, 1, 3], [2, 4, 3]),
        ([4, 1], [2, 4, 3]),
        ([1, 3], [0, 3]),
    ]
    for old, new in wider:
        one("broadcast_to", lambda x: torch.broadcast_to(x, new), old, {"shape": new})
    slices = [
        ([5], 0, 1, 4),
        ([3, 4], 0, 1, 2),
        ([3, 4], 1, 0, 3),
        ([2, 3, 4], 1, 1, 3),
        ([3, 4], 1, 2, 2),
        ([3, 4], 0, 0, 3),
    ]
    for shape, axis, start, stop in slices:
        args = {"axis": axis, "start": start, "stop": stop}
        one("slice", lambda x: x.narrow(axis, start, stop - start), shape, args)


def joining_ops():
    joins = [
        ("concat", 0, [[2, 3], [1, 3]]),
        ("concat", 1, [[2, 3], [2, 1], [2, 2]]),
        ("concat", 1, [[2, 1, 3], [2, 2, 3]]),
        ("concat", 0, [[0, 3], [2, 3]]),
        ("concat", 0, [[3]]),
        ("stack", 0, [[3], [3]]),
        ("stack", 0, [[2, 3], [2, 3], [2, 3]]),
        ("stack", 1, [[2, 3], [2, 3]]),
        ("stack", 2, [[2, 3], [2, 3]]),
        ("stack", 0, [[], []]),
        ("stack", 0, [[0, 3], [0, 3]]),
    ]
    for op, axis, shapes in joins:
        f = torch.cat if op == "concat" else torch.stack
        numbers = cases.numbers(op)
        inputs = [numbers.draw(shape) for shape in shapes]
        cases.add(op, lambda *xs: f(xs, dim=axis), inputs, {"axis": axis})
    for shape, axis, sizes in [([5], 0, [2, 3]), ([2, 4], 1, [1, 0, 3]), ([3, 2], 0, [1, 1, 1]), ([2, 0], 1, [0])]:
        reversed_parts = lambda x: torch.cat(x.split(sizes, axis)[::-1], axis)
        cases.add("split", reversed_parts, [cases.numbers("split").draw(shape)], {"axis": axis, "sizes": sizes})
    for op, f in [("concat", torch.cat), ("stack", torch.stack)]:
        same = [cases.numbers(op).draw([2, 3])]
        args = {"axis": 0, "repeated": True}
        cases.add(op, lambda x: f([x, x]), same, args, note="one tensor twice")


def indexing_ops():
    rows = [
        ([4, 3], 0, [2, 0, 2, 2]),
        ([4, 3], 1, [1, 1]),
        ([5], 0, [4, 0, 4]),
        ([2, 3, 2], 1, [2, 0]),
        ([4, 3], 0, []),
    ]
    for shape, axis, indices in rows:
        f = lambda x: x.index_select(axis, torch.tensor(indices, dtype=torch.long))
        args = {"axis": axis, "indices": indices}
        cases.add("index_select", f, [cases.numbers("index_select").draw(shape)], args)
    picks = [
        ([3, 4], 1, [[2], [0], [3]]),
        ([3, 4], 1, [[1, 1], [0, 3], [2, 2]]),
        ([3, 4], 0, [[0, 2, 1, 1], [0, 0, 2, 1]]),
        ([3, 4], 1, [[3, 0]]),
        ([2, 2, 3], 2, [[[0], [2]], [[1], [1]]]),
    ]
    for shape, axis, index in picks:
        index = torch.tensor(index)
        args = {"axis": axis, "index": tensor(index)}
        f = lambda x: x.gather(axis, index)
        cases.add("gather", f, [cases.numbers("gather").draw(shape)], args)


if __name__ == "__main__":
    unary_ops()
    unary_ops_with_arguments()
    binary_ops()
    powers_and_angles()
    where_op()
    matmul_op()
    reductions()
    deviations_and_norms()
    products_and_order()
    softmaxes()
    shape_ops()
    joining_ops()
    indexing_ops()
    write(__file__, "ops.json", cases=cases.cases)
