"""Gains, bounds and standard deviations of the initialisers. Writes init.json.

The numbers are formulas, not samples. torch.nn.init does not expose them, so each is checked here
against a large sample drawn by torch itself (LeCun's, which torch lacks, excepted).
"""

import math

import torch
from torch.nn import init

from record import write

FAN_OUT, FAN_IN = SHAPE = [64, 32]
# torch's fans come from the shape, so many draws of this one shape make the sample.
DRAWS = 500


def gains():
    kinds = ["linear", "conv1d", "conv2d", "conv3d", "sigmoid", "tanh", "relu", "selu"]
    rows = [(kind, None) for kind in kinds] + [("leaky_relu", 0.2), ("leaky_relu", None)]
    return [
        {"nonlinearity": kind, "param": param, "gain": float(init.calculate_gain(kind, param))}
        for kind, param in rows
    ]


def check(name, fill, bound, std):
    torch.manual_seed(0)
    sample = torch.stack([fill(torch.empty(*SHAPE)) for _ in range(DRAWS)])
    spread, largest = sample.std().item(), sample.abs().max().item()
    assert abs(spread / std - 1) < 5e-3, (name, spread, std)
    if bound is not None:
        assert 0.999 * bound < largest <= bound, (name, largest, bound)


def row(name, args, fill=None, bound=None, std=None):
    """A uniform has a bound and std = bound / √3; a normal has only its std."""
    if std is None:
        std = bound / math.sqrt(3)
    if fill is not None:
        check(name, fill, bound, std)
    return {"init": name, "shape": SHAPE, "args": args, "mean": 0.0, "std": std, "bound": bound}


def xavier():
    for gain in [1.0, 5 / 3]:
        args = {"gain": gain}
        std = gain * math.sqrt(2 / (FAN_IN + FAN_OUT))
        bound = math.sqrt(3) * std
        yield row("xavier_uniform", args, lambda w: init.xavier_uniform_(w, gain), bound=bound)
        yield row("xavier_normal", args, lambda w: init.xavier_normal_(w, gain), std=std)


def kaiming():
    for mode, fan in [("fan_in", FAN_IN), ("fan_out", FAN_OUT)]:
        for kind, a in [("relu", 0.0), ("leaky_relu", 0.0), ("leaky_relu", 0.2), ("linear", 0.0)]:
            args = {"mode": mode, "nonlinearity": kind, "a": a}
            gain = 1.0 if kind == "linear" else math.sqrt(2 / (1 + a**2))
            std = gain / math.sqrt(fan)
            bound = math.sqrt(3) * std
            uniform = lambda w: init.kaiming_uniform_(w, a, mode, kind)
            normal = lambda w: init.kaiming_normal_(w, a, mode, kind)
            yield row("kaiming_uniform", args, uniform, bound=bound)
            yield row("kaiming_normal", args, normal, std=std)


def lecun():
    std = 1 / math.sqrt(FAN_IN)
    yield row("lecun_uniform", {}, bound=math.sqrt(3) * std)
    yield row("lecun_normal", {}, std=std)


def linear_default():
    def weight(_):
        return torch.nn.Linear(FAN_IN, FAN_OUT).weight.detach()

    def bias(_):
        return torch.nn.Linear(FAN_IN, FAN_OUT).bias.detach()

    bound = 1 / math.sqrt(FAN_IN)
    yield row("linear_default_weight", {}, weight, bound=bound)
    yield row("linear_default_bias", {}, bias, bound=bound)


def truncated_normal():
    """Moments of N(mean, std²) conditioned on [a, b], with α = (a - mean)/std, β = (b - mean)/std:

    mean + std (φ(α) - φ(β)) / Z  and  std² (1 + (α φ(α) - β φ(β)) / Z - ((φ(α) - φ(β)) / Z)²).
    """
    density = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    cumulative = lambda x: math.erfc(-x / math.sqrt(2)) / 2
    rows = [(0.0, 1.0, -2.0, 2.0), (0.0, 0.02, -0.04, 0.04), (0.5, 1.0, -1.0, 1.0)]
    for mean, std, a, b in rows:
        alpha, beta = (a - mean) / std, (b - mean) / std
        mass = cumulative(beta) - cumulative(alpha)
        shift = (density(alpha) - density(beta)) / mass
        narrow = 1 + (alpha * density(alpha) - beta * density(beta)) / mass - shift**2
        args = {"mean": mean, "std": std, "a": a, "b": b}
        fill = lambda w: init.trunc_normal_(w, mean, std, a, b)
        recorded = row("trunc_normal", args, fill, bound=b, std=std * math.sqrt(narrow))
        yield recorded | {"mean": mean + std * shift}


if __name__ == "__main__":
    weights = [*xavier(), *kaiming(), *lecun(), *linear_default(), *truncated_normal()]
    write(__file__, "init.json", gains=gains(), inits=weights)
