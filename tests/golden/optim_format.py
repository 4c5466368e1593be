"""The problems every framework is given, and the recording format. Described in OPTIM.md."""

import datetime
import json
import pathlib
import random

OUT = pathlib.Path(__file__).parent / "optim"
SHAPES = {"a": [2, 3], "b": [2]}
START = {"a": [0.5, -1.2, 2.0, 0.8, -0.35, 1.5], "b": [0.25, -0.75]}


def tensor(name, data):
    return {"shape": SHAPES[name], "data": data}


def of_stream(grads):
    return {
        "params": {n: tensor(n, p) for n, p in START.items()},
        "grads": [{n: None if g is None else tensor(n, g) for n, g in step.items()} for step in grads],
    }


def draw(rng, low, high, zeros):
    """A number of random sign with four digits, between 10^low and 10^high, or an exact zero."""
    if rng.random() < zeros:
        return 0.0
    return float(f"{rng.choice([-1, 1]) * 10 ** rng.uniform(low, high):.3e}")


def each(f):
    return {n: [f() for _ in p] for n, p in START.items()}


def stream():
    """Twelve steps from 1e-6 to 1e3, any sign, exact zeros; a[0] and b[1] stay zero for the first three steps."""
    rng = random.Random(1)
    grads = [each(lambda: draw(rng, -6, 3, 0.12)) for _ in range(12)]
    for step in grads[:3]:
        step["a"][0] = step["b"][1] = 0.0
    return of_stream(grads)


def missing():
    """Fourteen steps; b has no gradient at steps 1, 2, 3, 7, 8 and 12, a has none at step 5."""
    rng = random.Random(2)
    grads = [each(lambda: draw(rng, -2, 1, 0.05)) for _ in range(14)]
    for step in (1, 2, 3, 7, 8, 12):
        grads[step - 1]["b"] = None
    grads[4]["a"] = None
    return of_stream(grads)


def steep_flat():
    """Six steps of about 10, then eight of about 0.1, always of the same sign."""
    rng = random.Random(3)
    factor = each(lambda: rng.choice([-1, 1]) * round(rng.uniform(0.8, 1.2), 3))
    return of_stream(
        [{n: [float(f"{f * g:.4g}") for f in fs] for n, fs in factor.items()} for g in [10] * 6 + [0.1] * 8]
    )


def calm():
    """Twelve steps of 0.1 to 3; the first is exactly zero everywhere.

    With bias correction the variance of a centered rule is 0 at the first non-zero gradient if that comes at step 1,
    and rounding alone decides what 0 is divided by. Here it comes later, so the variance is safely positive.
    """
    rng = random.Random(4)
    return of_stream([each(lambda: 0.0)] + [each(lambda: draw(rng, -1, 0.5, 0)) for _ in range(11)])


def quadratic():
    """The gradient is `curvature * p`, elementwise, at the current parameters."""
    curvature = {"a": [1.0, 10.0, 0.1, 50.0, 2.0, 1e-3], "b": [100.0, 0.5]}
    return {
        "params": {n: tensor(n, p) for n, p in START.items()},
        "curvature": {n: tensor(n, h) for n, h in curvature.items()},
        "steps": 12,
    }


PROBLEMS = {f.__name__: f() for f in (stream, missing, steep_flat, calm, quadratic)}


def gradients(problem, step, params):
    """Gradients of step `step` (from 0) at `params` as flat lists; None where there is none."""
    if "curvature" in problem:
        return {n: [h * p for h, p in zip(problem["curvature"][n]["data"], params[n])] for n in SHAPES}
    return {n: None if g is None else g["data"] for n, g in problem["grads"][step].items()}


def steps(problem):
    return problem.get("steps") or len(problem["grads"])


def record(rule, framework, options, problem, player, lr_changes=None):
    """Plays `problem` and returns the case.

    `player` has `read()` → flat lists by name, `step(grads)` and, for `lr_changes`, `set_lr(lr)`; `state()` may
    give None.
    """
    after = []
    for t in range(steps(PROBLEMS[problem])):
        if lr_changes and str(t + 1) in lr_changes:
            player.set_lr(lr_changes[str(t + 1)])
        player.step(gradients(PROBLEMS[problem], t, player.read()))
        after.append(player.read())
    case = {"rule": rule, "framework": framework, "options": options, "problem": problem}
    if lr_changes:
        case["lr_changes"] = lr_changes
    case["params_after"] = after
    state = player.state()
    if state:
        case["state_after"] = state
    return case


def origin(versions, **more):
    return {
        "script": "tests/golden/optim.py",
        "versions": versions,
        "date": str(datetime.date.today()),
        "dtype": "f64",
        **more,
    }


def compact(value):
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def write(name, origin, cases, key="cases", with_problems=True):
    """Writes OUT/name.json: one problem and one case per line, floats in their shortest exact form."""
    text = '{"origin":' + compact(origin)
    if with_problems:
        used = {c["problem"] for c in cases}
        lines = (f"{compact(n)}:{compact(p)}" for n, p in PROBLEMS.items() if n in used)
        text += ',\n"problems":{\n' + ",\n".join(lines) + "\n}"
    text += f',\n"{key}":[\n' + ",\n".join(map(compact, cases)) + "\n]}\n"
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(text)
    print(f"{name}.json: {len(cases)} {key}, {len(text)} bytes")
