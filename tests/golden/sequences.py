"""Recurrent and attention layers, from PyTorch in f64. Writes sequences.json."""

import itertools

import torch
from torch import nn

from record import Numbers, tensor, write

cases = []


def add(layer, module, config, inputs, run=None, note=""):
    """Records the outputs and the gradients of all inputs and parameters, in training mode.

    `inputs` is {name: tensor}; `run(module, **inputs)` returns the outputs.
    """
    numbers = Numbers(f"{layer} {len(cases)}")
    for parameter in module.parameters():
        parameter.data = numbers.draw(parameter.shape, -1.0, 1.0, 256)
    leaves = {name: x.clone().requires_grad_() for name, x in inputs.items()}
    outputs = (run or (lambda module, **xs: module(**xs)))(module, **leaves)
    outputs = flat(outputs)
    upstream = [numbers.upstream(y.shape) for y in outputs]
    names, parameters = zip(*module.named_parameters()) if list(module.parameters()) else ((), ())
    grads = torch.autograd.grad(outputs, [*leaves.values(), *parameters], upstream, allow_unused=True)
    grads = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, [*leaves.values(), *parameters])]
    case = {"layer": layer, "note": note, "config": config}
    case["state"] = {name: tensor(value) for name, value in module.state_dict().items()}
    case["inputs"] = {name: tensor(x) for name, x in leaves.items()}
    case["outputs"] = [tensor(y) for y in outputs]
    case["upstream"] = [tensor(g) for g in upstream]
    case["grad_inputs"] = {name: tensor(g) for name, g in zip(leaves, grads)}
    case["grad_params"] = {name: tensor(g) for name, g in zip(names, grads[len(leaves) :])}
    cases.append(case)


def flat(outputs):
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [y for part in outputs if part is not None for y in flat(part)]


def draw(name, **shapes):
    numbers = Numbers(f"{name} inputs {len(cases)}")
    return {key: numbers.draw(shape) for key, shape in shapes.items()}


def with_state(module, x, h=None, c=None):
    if c is not None:
        return module(x, (h, c))
    return module(x) if h is None else module(x, h)


KINDS = {
    "RNN tanh": lambda *a, **k: nn.RNN(*a, **k),
    "RNN relu": lambda *a, **k: nn.RNN(*a, nonlinearity="relu", **k),
    "GRU": nn.GRU,
    "LSTM": nn.LSTM,
}


def recurrent(kind, x, inputs, units, layers, bidirectional, batch_first, bias, state):
    config = {"inputs": inputs, "units": units, "layers": layers, "bidirectional": bidirectional}
    config |= {"batch_first": batch_first, "bias": bias}
    options = {"num_layers": layers, "bidirectional": bidirectional, "batch_first": batch_first, "bias": bias}
    module = KINDS[kind](inputs, units, **options)
    cells = layers * (2 if bidirectional else 1)
    batch = [] if len(x) == 2 else [x[0 if batch_first else 1]]
    of_state = [cells, *batch, units]
    shapes = {"x": x} | ({"h": of_state} if state else {})
    shapes |= {"c": of_state} if state and kind == "LSTM" else {}
    add(kind, module, config, draw(kind, **shapes), with_state)


def recurrent_layers():
    for kind in KINDS:
        for layers, two, batch_first, bias in itertools.product([1, 2], *[[False, True]] * 3):
            if kind.startswith("RNN") and batch_first != bias:
                continue
            state = (layers == 2) != two
            recurrent(kind, [5, 3, 3], 3, 2, layers, two, batch_first, bias, state)
        recurrent(kind, [1, 1, 1], 1, 1, 1, False, False, True, True)
        recurrent(kind, [4, 3], 3, 2, 2, True, True, True, True)
        recurrent(kind, [4, 3], 3, 2, 1, False, False, True, False)
        recurrent(kind, [7, 1, 2], 2, 5, 1, True, False, True, True)


CELLS = {
    "RNN tanh cell": lambda *a, **k: nn.RNNCell(*a, **k),
    "RNN relu cell": lambda *a, **k: nn.RNNCell(*a, nonlinearity="relu", **k),
    "GRU cell": nn.GRUCell,
    "LSTM cell": nn.LSTMCell,
}


def recurrent_cells():
    for kind, make in CELLS.items():
        for batch, bias, state in itertools.product([[], [1], [4]], [False, True], [False, True]):
            shapes = {"x": [*batch, 3]} | ({"h": [*batch, 2]} if state else {})
            shapes |= {"c": [*batch, 2]} if state and kind == "LSTM cell" else {}
            config = {"inputs": 3, "units": 2, "bias": bias}
            add(kind, make(3, 2, bias=bias), config, draw(kind, **shapes), with_state)


if __name__ == "__main__":
    recurrent_layers()
    recurrent_cells()
    write(__file__, "sequences.json", cases=cases)
