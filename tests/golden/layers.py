"""Training steps and evaluation of every layer, from PyTorch in f64. Writes layers.json.

The parameters are not updated between the steps of a case: only running statistics change.
"""

import torch
from torch import nn

from record import Numbers, tensor, write

cases = []


def state(module):
    return {name: tensor(value) for name, value in module.state_dict().items()}


def randomize(module, numbers):
    """Replaces the parameters, so that a weight of ones or a bias of zeros hides no mistake."""
    for parameter in module.parameters():
        parameter.data = numbers.draw(parameter.shape)


def add(layer, module, config, inputs, eval_input, note=""):
    """Records one training step per input, then evaluation mode on eval_input."""
    numbers = Numbers(f"{layer} {len(cases)}")
    randomize(module, numbers)
    before = state(module)
    names, parameters = zip(*module.named_parameters()) if list(module.parameters()) else ((), ())
    steps = {key: [] for key in ["outputs", "upstream", "grad_input", "grad_params", "state_after"]}
    module.train()
    for x in inputs:
        x = x.clone().requires_grad_(x.is_floating_point())
        y = module(x)
        upstream = numbers.upstream(y.shape)
        grads = torch.autograd.grad(y, [p for p in [x, *parameters] if p.requires_grad], upstream)
        grad_x, grads = (grads[0], grads[1:]) if x.requires_grad else (None, grads)
        steps["outputs"].append(tensor(y))
        steps["upstream"].append(tensor(upstream))
        steps["grad_input"].append(None if grad_x is None else tensor(grad_x))
        steps["grad_params"].append({name: tensor(g) for name, g in zip(names, grads)})
        steps["state_after"].append(state(module))
    module.eval()
    case = {"layer": layer, "note": note, "config": config, "state": before}
    case |= {"inputs": [tensor(x) for x in inputs]} | steps
    case |= {"eval_input": tensor(eval_input), "eval_output": tensor(module(eval_input))}
    cases.append(case)


def draws(layer, *shapes):
    """One input per training step, and a last one for evaluation."""
    numbers = Numbers(f"{layer} inputs {len(cases)}")
    return [numbers.draw(shape) for shape in shapes]


def linear():
    shapes = [[4, 3], [1, 3], [2, 4, 3]]
    for bias in [True, False]:
        for shape in shapes:
            config = {"in_features": 3, "out_features": 2, "bias": bias}
            *inputs, last = draws("Linear", shape, shape)
            add("Linear", nn.Linear(3, 2, bias=bias), config, inputs, last)


def embedding():
    config = {"num_embeddings": 5, "embedding_dim": 3}
    rows = torch.tensor([2, 0, 2, 4, 2])
    add("Embedding", nn.Embedding(5, 3), config, [rows], torch.tensor([1, 1]), "repeated indices")
    table = torch.tensor([[1, 3], [3, 3], [0, 1]])
    add("Embedding", nn.Embedding(5, 3), config, [table], table, "two axes of indices")


def embedding_with_padding():
    config = {"num_embeddings": 4, "embedding_dim": 2, "padding_idx": 1}
    rows = torch.tensor([[1, 3], [0, 1]])
    note = "padding, of a row that is not 0"
    add("Embedding", nn.Embedding(4, 2, padding_idx=1), config, [rows], rows, note)


def prelu():
    for slopes, shape in [(1, [4, 3]), (1, [2, 3, 2]), (1, []), (3, [2, 3]), (3, [2, 3, 2]), (3, [0, 3])]:
        x = draws("PReLU", shape, shape)
        add("PReLU", nn.PReLU(slopes), {"num_parameters": slopes}, x[:1], x[1])


def batch_norm():
    def case(inputs, last, momentum=0.1, affine=True, eps=1e-5, note=""):
        channels = last.shape[1]
        module = nn.BatchNorm1d(channels, eps=eps, momentum=momentum, affine=affine)
        config = {"num_features": channels, "eps": eps, "momentum": momentum, "affine": affine}
        config["track_running_stats"] = True
        add("BatchNorm", module, config, inputs, last, note)

    for momentum in [0.1, None]:
        for affine in [True, False]:
            note = "" if momentum else "momentum null: running statistics are cumulative averages"
            *inputs, last = draws("BatchNorm", [4, 3], [5, 3], [2, 3], [3, 3])
            case(inputs, last, momentum, affine, note=note)
            *inputs, last = draws("BatchNorm", [2, 3, 4], [4, 3, 2], [2, 3, 2])
            case(inputs, last, momentum, affine, note=note)
    *inputs, last = draws("BatchNorm", [1, 2, 4], [1, 2, 1])
    case(inputs, last, note="one sample, several positions")
    *inputs, last = draws("BatchNorm", [4, 1], [4, 1], [1, 1])
    case(inputs, last, momentum=0.25, eps=1e-3, note="other constants; one sample in evaluation")
    *inputs, last = draws("BatchNorm", [4, 2], [3, 2])
    inputs[0][:, 0] = 0.5
    case(inputs, last, note="a constant channel")
    *inputs, last = draws("BatchNorm", [4, 2], [3, 2])
    case([inputs[0] + 1e4], last, note="a large mean")

    one_sample = nn.BatchNorm1d(2)
    try:
        one_sample(torch.ones(1, 2))
    except ValueError as error:
        print("BatchNorm1d, one value per channel: ValueError:", error)
    else:
        raise AssertionError("README.md says that torch refuses one value per channel")


def layer_norm():
    for shape, normalized in [([4, 3], [3]), ([2, 3, 4], [4]), ([2, 3, 4], [3, 4]), ([1, 5], [5])]:
        for affine in [True, False]:
            config = {"normalized_shape": normalized, "eps": 1e-5, "affine": affine}
            *inputs, last = draws("LayerNorm", shape, shape)
            module = nn.LayerNorm(normalized, elementwise_affine=affine)
            add("LayerNorm", module, config, inputs, last)
    config = {"normalized_shape": [3], "eps": 1e-5, "affine": True}
    rows = torch.tensor([[0.5, 0.5, 0.5], [1e4, 1e4 + 1, 1e4 - 1], [1e-6, -1e-6, 0.0]])
    note = "a constant row, a large mean, a small variance"
    add("LayerNorm", nn.LayerNorm(3), config, [rows], rows, note)


def rms_norm():
    default = torch.finfo(torch.float64).eps  # what nn.RMSNorm(eps=None) adds to the mean square
    for eps in [1e-6, None]:
        used, note = (default, "eps=None in torch: the epsilon of f64") if eps is None else (eps, "")
        for shape, normalized in [([4, 3], [3]), ([2, 3, 4], [4]), ([2, 3, 4], [3, 4])]:
            for affine in [True, False]:
                config = {"normalized_shape": normalized, "eps": used, "affine": affine}
                *inputs, last = draws("RMSNorm", shape, shape)
                module = nn.RMSNorm(normalized, eps=eps, elementwise_affine=affine)
                add("RMSNorm", module, config, inputs, last, note)
        # Rows so small that eps decides.
        config = {"normalized_shape": [3], "eps": used, "affine": True}
        rows = torch.tensor([[1e-8, -2e-8, 1e-8], [1e-3, 2e-3, -1e-3], [0.0, 0.0, 0.0]])
        module = nn.RMSNorm(3, eps=eps)
        add("RMSNorm", module, config, [rows], rows, note or "rows so small that eps decides")


def group_norm():
    shapes = [([3, 4], 2), ([2, 4, 3], 2), ([2, 4, 3], 1), ([2, 4, 3], 4), ([1, 6, 2], 3)]
    for shape, groups in shapes:
        for affine in [True, False]:
            channels = shape[1]
            config = {"num_groups": groups, "num_channels": channels, "eps": 1e-5, "affine": affine}
            *inputs, last = draws("GroupNorm", shape, shape)
            module = nn.GroupNorm(groups, channels, affine=affine)
            add("GroupNorm", module, config, inputs, last)


if __name__ == "__main__":
    linear()
    embedding()
    batch_norm()
    layer_norm()
    rms_norm()
    group_norm()
    embedding_with_padding()
    prelu()
    write(__file__, "layers.json", cases=cases)
