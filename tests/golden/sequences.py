"""Recurrent layers, attention and transformers, from PyTorch in f64. Writes sequences.json."""

import itertools

import torch
import torch.nn.functional as F
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


def boolean(*rows):
    return torch.tensor(rows) == 1


def dot_product_attention():
    mask = boolean([1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1])
    nothing = boolean([1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1])
    bias = {"bias": [3, 4]}
    runs = [
        ([2, 3, 5], [2, 4, 5], [2, 4, 2], None, {}, ""),
        ([3, 5], [4, 5], [4, 1], mask, {}, ""),
        ([2, 2, 3, 5], [2, 2, 4, 5], [2, 2, 4, 3], mask, {}, ""),
        ([2, 3, 5], [2, 4, 5], [2, 4, 2], mask[None], {}, ""),
        ([2, 3, 5], [2, 4, 5], [2, 4, 2], nothing, {}, "a query that may attend to nothing"),
        ([2, 2, 3, 1], [2, 2, 4, 1], [2, 2, 4, 3], nothing, {}, "a query that may attend to nothing"),
        ([3, 5], [4, 5], [4, 2], torch.ones(4, 4).tril()[:3] == 1, {}, "causal"),
        ([2, 3, 5], [2, 4, 5], [2, 4, 2], None, bias, ""),
        ([1, 2, 3, 5], [1, 2, 4, 5], [1, 2, 4, 2], None, {"bias": [1, 2, 3, 4]}, ""),
        ([1, 1, 1], [1, 1, 1], [1, 1, 1], None, {}, ""),
        ([0, 3, 2], [0, 4, 2], [0, 4, 2], None, {}, ""),
    ]
    for q, k, v, mask, more, note in runs:
        inputs = draw("attention", x=q, k=k, v=v, **more)

        def run(_, x, k, v, bias=None):
            return F.scaled_dot_product_attention(x, k, v, attn_mask=bias if mask is None else mask)

        config = {"mask": None if mask is None else tensor(mask.long())}
        add("attention", nn.Module(), config, inputs, run, note)


def multihead_attention():
    def case(x, key=None, value=None, heads=2, allowed=None, padding=None, added=None, **options):
        width, k, v = x[-1], key or x, value or key or x
        widths = {} if (k[-1], v[-1]) == (width, width) else {"kdim": k[-1], "vdim": v[-1]}
        module = nn.MultiheadAttention(width, heads, **widths, **options)
        config = {"width": width, "heads": heads, "kdim": k[-1], "vdim": v[-1]}
        config |= {"bias": options.get("bias", True), "batch_first": options.get("batch_first", False)}
        config |= {"allowed": None if allowed is None else tensor(allowed.long())}
        config |= {"padding": None if padding is None else tensor(padding.long())}
        shapes = {"x": x} | ({"k": k, "v": v} if key else {}) | ({"bias": added} if added else {})

        def run(module, x, k=None, v=None, bias=None):
            mask = None if allowed is None else ~allowed
            k, v = (x, x) if k is None else (k, v)
            return module(x, k, v, key_padding_mask=padding, attn_mask=mask if bias is None else bias)

        add("MultiheadAttention", module, config, draw("MultiheadAttention", **shapes), run)

    mask = boolean([1, 0, 0], [1, 1, 0], [1, 0, 1])
    padding = boolean([0, 0, 1], [0, 1, 0])
    for batch_first in [False, True]:
        x = [2, 3, 4] if batch_first else [3, 2, 4]
        for bias in [False, True]:
            case(x, bias=bias, batch_first=batch_first)
        case(x, allowed=mask, batch_first=batch_first)
        case(x, padding=padding, batch_first=batch_first)
        case(x, allowed=mask, padding=boolean([0, 0, 0], [0, 0, 1]), batch_first=batch_first)
        case(x, added=[3, 3], batch_first=batch_first)
        case(x, [2, 5, 4] if batch_first else [5, 2, 4], batch_first=batch_first)
        key, value = ([2, 5, 3], [2, 5, 6]) if batch_first else ([5, 2, 3], [5, 2, 6])
        case(x, key, value, heads=1, batch_first=batch_first)
    case([3, 6], heads=3)
    case([3, 4], [2, 4], [2, 3], bias=False)
    case([1, 1, 1], heads=1)


def transformer():
    padding = boolean([0, 0, 1], [0, 1, 1])
    causal = torch.ones(3, 3).tril() == 1
    for norm_first, activation, masked in itertools.product([False, True], ["relu", "gelu"], [False, True]):
        options = {"dim_feedforward": 5, "dropout": 0.0, "activation": activation, "norm_first": norm_first}
        layer = nn.TransformerEncoderLayer(4, 2, batch_first=masked, **options)
        config = {"width": 4, "heads": 2, "inner": 5, "activation": activation, "norm_first": norm_first}
        config |= {"batch_first": masked, "allowed": tensor(causal.long()) if masked else None}
        config |= {"padding": tensor(padding.long()) if masked else None}
        masks = {"src_key_padding_mask": padding} if masked else {}
        x = draw("encoder", x=[2, 3, 4] if masked else [3, 2, 4])
        masks_of_layer = masks | ({"src_mask": ~causal} if masked else {})
        add("TransformerEncoderLayer", layer, config, x, lambda m, x: m(x, **masks_of_layer))
        encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(4) if norm_first else None)
        masks_of_stack = masks | ({"mask": ~causal} if masked else {})
        add("TransformerEncoder", encoder, config, x, lambda m, x: m(x, **masks_of_stack))


if __name__ == "__main__":
    recurrent_layers()
    recurrent_cells()
    dot_product_attention()
    multihead_attention()
    transformer()
    write(__file__, "sequences.json", cases=cases)
