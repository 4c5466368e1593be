"""Plays every recorded trajectory and clipping again with plain NumPy formulas; prints the largest difference per rule.

    python optim_replay.py

This is the check that the options of a recording mean what OPTIM.md says. A rule is a function of (options, framework)
that returns `update(p, g, s, t, k, lr)`: the new parameter from parameter, gradient, the tensor's state (a dict), the
tensor's own count of gradients t, the optimizer's count of steps k (both from 1) and the rate.
"""

import json
import pathlib
import sys

import numpy as np

from optim_format import gradients, steps


def rate(o):
    return o.get("lr", o.get("learning_rate"))


def decays(o, framework):
    """(L2, decoupled) weight decay of one case."""
    wd = o.get("weight_decay") or 0.0
    if isinstance(wd, dict):
        return wd.get("l2", 0.0), wd.get("decoupled", 0.0)
    decoupled = framework == "keras" or o.get("decoupled_decay") or o.get("decoupled_weight_decay")
    return (0.0, wd) if decoupled else (wd, 0.0)


def rmsprop(o, framework):
    rho = o.get("alpha", o.get("rho", o.get("decay")))
    eps = o.get("eps", o.get("epsilon"))
    mu = o["momentum"] or 0.0
    inside = framework in ("timm", "tf1", "dfdx", "keras") or o.get("eps_in_sqrt", False)
    rate_in_buffer = framework in ("keras", "tf1", "optax") or o.get("lr_in_momentum", False)
    v0 = 1.0 if framework in ("timm", "tf1", "dfdx") else o.get("initial_scale", 0.0)
    l2, decoupled = decays(o, framework)

    def update(p, g, s, t, k, lr):
        if o.get("maximize"):
            g = -g
        g = g + l2 * p
        scale = lr * lr / rate(o) if o.get("corrected_weight_decay") else lr
        # Only dfdx sets v to 1 at the optimizer's first step instead of the tensor's first gradient.
        first = v0 if framework != "dfdx" or k == 1 else 0.0
        v = s["v"] = rho * s.get("v", first) + (1 - rho) * g * g
        m = s["m"] = rho * s.get("m", 0.0) + (1 - rho) * g
        if o.get("bias_correction"):
            v, m = v / (1 - rho**t), m / (1 - rho**t)
        if o["centered"]:
            v = v - m * m
        u = g / (np.sqrt(v + eps) if inside else np.sqrt(v) + eps)
        if rate_in_buffer:
            u = lr * u
        b = s["b"] = mu * s.get("b", 0.0) + u
        if o.get("nesterov"):
            b = mu * b + u
        return p * (1 - scale * decoupled) - (b if rate_in_buffer else lr * b)

    return update


def scale_by(o, framework, centered):
    update = rmsprop(o | {"centered": centered, "momentum": 0.0}, framework)
    return lambda p, g, s, t, k, lr: p + (p - update(p, g, s, t, k, 1.0))


def sgd(o, framework):
    l2, decoupled = decays(o, framework)
    mu, damp = o["momentum"] or 0.0, o.get("dampening", 0.0)

    def update(p, g, s, t, k, lr):
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        u = lr * g if framework == "keras" else g
        # The first gradient enters the buffer undamped.
        b = s["b"] = mu * s["b"] + (1 - damp) * u if "b" in s else u
        if not mu:
            b = u
        elif o["nesterov"]:
            b = u + mu * b
        return p - (b if framework == "keras" else lr * b)

    return update


def adagrad(o, framework):
    l2, decoupled = decays(o, framework)
    eps = o.get("eps", o.get("epsilon"))

    def update(p, g, s, t, k, lr):
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        r = s["r"] = s.get("r", o["initial_accumulator_value"]) + g * g
        if framework == "torch":
            return p - lr / (1 + (t - 1) * o["lr_decay"]) * g / (np.sqrt(r) + eps)
        return p - lr * np.where(r > 0, g / np.sqrt(r + eps), 0.0)

    return update


def adadelta(o, framework):
    l2, decoupled = decays(o, framework)
    rho, eps = o["rho"], o.get("eps", o.get("epsilon"))

    def update(p, g, s, t, k, lr):
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        v = s["v"] = rho * s.get("v", 0.0) + (1 - rho) * g * g
        u = np.sqrt(s.get("x", 0.0) + eps) / np.sqrt(v + eps) * g
        s["x"] = rho * s.get("x", 0.0) + (1 - rho) * u * u
        return p - lr * u

    return update


def betas(o):
    return o["betas"] if "betas" in o else (o.get("b1", o.get("beta_1")), o.get("b2", o.get("beta_2")))


def moments(s, g, b1, b2):
    m = s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
    v = s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g * g
    return m, v


def adam(o, framework, always_decoupled=False, amsgrad=False):
    b1, b2 = betas(o)
    eps, root = o.get("eps", o.get("epsilon")), o.get("eps_root", 0.0)
    l2, decoupled = decays(o, framework)
    if always_decoupled:
        l2, decoupled = 0.0, o["weight_decay"] or 0.0
    amsgrad = amsgrad or o.get("amsgrad")

    def update(p, g, s, t, k, lr):
        # torch counts per tensor; Keras counts the optimizer's steps.
        t = k if framework == "keras" else t
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        m, v = moments(s, g, b1, b2)
        c1, c2 = 1 - b1**t, 1 - b2**t
        m_hat = m / c1
        if o.get("nesterov"):
            m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / c1
        if framework == "optax":
            v = v / c2
        if amsgrad:
            v = s["x"] = np.maximum(s.get("x", 0.0), v)
        if framework == "keras":
            return p - lr * np.sqrt(c2) * m_hat / (np.sqrt(v) + eps)
        if framework == "torch":
            v = v / c2
        return p - lr * m_hat / (np.sqrt(v + root) + eps)

    return update


def adamax(o, framework, always_decoupled=False):
    b1, b2 = betas(o)
    eps = o.get("eps", o.get("epsilon"))
    l2, decoupled = decays(o, framework)
    if always_decoupled:
        l2, decoupled = 0.0, o["weight_decay"]

    def update(p, g, s, t, k, lr):
        t = k if framework == "keras" else t
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        m = s["m"] = b1 * s.get("m", 0.0) + (1 - b1) * g
        if framework == "keras":
            u = s["u"] = np.maximum(b2 * s.get("u", 0.0), abs(g))
            u = u + eps
        else:
            u = s["u"] = np.maximum(b2 * s.get("u", 0.0), abs(g) + eps)
        return p - lr / (1 - b1**t) * m / u

    return update


def nadam(o, framework):
    b1, b2 = betas(o)
    eps, decay = o.get("eps", o.get("epsilon")), o.get("momentum_decay", 1.0)
    l2, decoupled = decays(o, framework)

    def momentum(t):
        return b1 * (1 - 0.5 * 0.96 ** (t * decay))

    def update(p, g, s, t, k, lr):
        t = k if framework == "keras" else t
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        m, v = moments(s, g, b1, b2)
        product = s["product"] = np.prod([momentum(i + 1) for i in range(t)])
        m_hat = momentum(t + 1) * m / (1 - product * momentum(t + 1)) + (1 - momentum(t)) * g / (1 - product)
        return p - lr * m_hat / (np.sqrt(v / (1 - b2**t)) + eps)

    return update


def radam(o, framework):
    b1, b2 = betas(o)
    eps, root = o["eps"], o.get("eps_root", 0.0)
    l2, decoupled = decays(o, framework)
    longest = 2 / (1 - b2) - 1

    def update(p, g, s, t, k, lr):
        g = (-g if o.get("maximize") else g) + l2 * p
        p = p * (1 - lr * decoupled)
        m, v = moments(s, g, b1, b2)
        c1, c2 = 1 - b1**t, 1 - b2**t
        m_hat = m / c1
        if o.get("nesterov"):
            m_hat = b1 * m / (1 - b1 ** (t + 1)) + (1 - b1) * g / c1
        length = longest - 2 * t * b2**t / c2
        rectified = length > 5 if framework == "torch" else length >= o["threshold"]
        if not rectified:
            return p - lr * m_hat
        r = np.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
        if framework == "torch":  # eps joins sqrt(v) before the bias correction
            return p - lr * r * m_hat * np.sqrt(c2) / (np.sqrt(v) + eps)
        return p - lr * r * m_hat / (np.sqrt(v / c2 + root) + eps)

    return update


def lion(o, framework):
    b1, b2 = betas(o)
    decoupled = o["weight_decay"] or 0.0

    def update(p, g, s, t, k, lr):
        m = s.get("m", 0.0)
        s["m"] = b2 * m + (1 - b2) * g
        return p * (1 - lr * decoupled) - lr * np.sign(b1 * m + (1 - b1) * g)

    return update


def rprop(o, framework):
    down, up = o["etas"] if "etas" in o else (o["eta_minus"], o["eta_plus"])
    low, high = o["step_sizes"] if "step_sizes" in o else (o["min_step_size"], o["max_step_size"])

    def update(p, g, s, t, k, lr):
        g = -g if o.get("maximize") else g
        before = s.get("g", np.zeros_like(p))
        sign = np.sign(g * before)
        size = s.get("size", np.full_like(p, rate(o)))
        factor = np.where(sign > 0, up, np.where(sign < 0, down, 1.0))
        clipped = np.clip(size * factor, low, high)
        # torch clips at every step, optax only where the step size was just scaled.
        size = s["size"] = clipped if framework == "torch" else np.where(sign == 0, size, clipped)
        g = s["g"] = np.where(sign < 0, 0.0, g)
        if framework == "torch":
            return p - size * np.sign(g)
        # optax 0.2.8 applies the step it computed one call earlier.
        moved, s["pending"] = s.get("pending", np.zeros_like(p)), size * np.sign(g)
        s["g"] = s["pending"]
        return p - np.where(sign < 0, 0.0, moved)

    return update


def adamw(o, framework):
    return adam(o, framework, always_decoupled=True)


RULES = {
    "rmsprop": rmsprop,
    "rmsproptf": rmsprop,
    "sgd": sgd,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adamw,
    "adamax": adamax,
    "nadam": nadam,
    "radam": radam,
    "lion": lion,
    "rprop": rprop,
    "adamaxw": lambda o, f: adamax(o, f, always_decoupled=True),
    "amsgrad": lambda o, f: adam(o, f, amsgrad=True),
    "scale_by_rms": lambda o, f: scale_by(o, f, False),
    "scale_by_stddev": lambda o, f: scale_by(o, f, True),
}


# RMSProp's state: what each framework calls it, and its sign. optax's trace accumulates -lr u.
SLOTS = {
    "square_avg": ("v", 1), "velocity": ("v", 1), "nu": ("v", 1), "rms": ("v", 1),
    "grad_avg": ("m", 1), "average_gradient": ("m", 1), "mu": ("m", 1), "mg": ("m", 1),
    "momentum_buffer": ("b", 1), "momentum": ("b", 1), "trace": ("b", -1),
}


def state_difference(slots, state):
    offs = [0.0]
    for name in slots.keys() - {"step"}:
        key, sign = SLOTS[name]
        recorded = np.array(slots[name])
        offs.append(np.max(abs(sign * state[key] - recorded)) / np.max(abs(recorded)))
    return np.max(offs)


def difference(case, problem):
    """The largest difference of a parameter, relative to the largest value it ever had (at least its start)."""
    update = RULES[case["rule"]](case["options"], case["framework"])
    params = {n: np.array(t["data"]) for n, t in problem["params"].items()}
    size = {n: abs(p) for n, p in params.items()}
    states, counts = {n: {} for n in params}, dict.fromkeys(params, 0)
    lr, offs = rate(case["options"]), []
    for k in range(1, steps(problem) + 1):
        lr = case.get("lr_changes", {}).get(str(k), lr)
        for n, g in gradients(problem, k - 1, params).items():
            if g is not None:
                counts[n] += 1
                params[n] = update(params[n], np.array(g), states[n], counts[n], k, lr)
            recorded = np.array(case["params_after"][k - 1][n])
            size[n] = np.maximum(size[n], abs(recorded))
            offs.append(np.max(abs(params[n] - recorded) / size[n]))
    if case["rule"] == "rmsprop":
        offs += [state_difference(slots, states[n]) for n, slots in case.get("state_after", {}).items()]
    return float(np.max(offs))  # NaN if any is


def clip_difference(case):
    """The largest relative difference of a clipped gradient or of the returned norm."""
    o, framework, rule = case["options"], case["framework"], case["rule"]
    grads = {n: np.array(g) for n, g in case["input"].items() if g is not None}
    limit = next(iter(o.values()))

    def norm(*gs):
        return np.linalg.norm(np.concatenate(gs), float(o.get("norm_type", 2)))

    whole = rule in ("clip_grad_norm_", "clip_by_global_norm", "global_clipnorm")
    norms = {n: norm(*grads.values()) if whole else norm(g) for n, g in grads.items()}
    if rule == "clip_by_block_rms":
        norms = {n: norms[n] / np.sqrt(len(g)) for n, g in grads.items()}
    floor = 1e-6 if framework == "torch" else sys.float_info.min
    offs = []
    for n, g in grads.items():
        if rule in ("clip_grad_value_", "clip", "clipvalue", "Value"):
            want = np.clip(g, -limit, limit)
        else:
            with np.errstate(over="ignore"):  # a zero gradient in Keras, optax and burn
                want = g * min(1.0, limit / (norms[n] + floor))
        got = np.array(case["output"][n])
        offs.append(np.max(abs(want - got) / np.where(got == 0, 1, abs(got))))
    if "norm" in case:
        per_tensor = case["norm"] if isinstance(case["norm"], dict) else dict.fromkeys(grads, case["norm"])
        offs += [abs(norms[n] - per_tensor[n]) / (norms[n] or 1) for n in grads]
    return float(np.max(offs))


def main():
    failed = False
    for path in sorted((pathlib.Path(__file__).parent / "optim").glob("*.json")):
        recording = json.loads(path.read_text())
        if path.name.startswith("schedules"):
            continue
        worst = {}
        for case in recording["cases"]:
            clipping = "input" in case
            off = clip_difference(case) if clipping else difference(case, recording["problems"][case["problem"]])
            worst.setdefault(case["rule"], []).append(off)
            if not off < 1e-12:
                failed = True
                where = case["input_name"] if clipping else case["problem"]
                print(f"{path.name}: {case['rule']} {case['options']} on {where}: {off:.1e}")
        for rule, offs in worst.items():
            print(f"{path.name:22} {rule:27} {len(offs):3} cases  worst {max(offs):.1e}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
