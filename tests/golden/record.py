"""The format shared by the recorded files: inputs, tensors, and one case per line.

Inputs are odd multiples of 1/64: exact in f32 as well as f64, short in decimal, and never 0, an
integer or a half, so that no regular case sits on a kink. Upstream gradients are odd multiples of
1/8. Each case seeds its own generator from its name, so adding one leaves the others unchanged.
"""

import datetime
import json
import math
import pathlib
import platform
import random

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


class Numbers:
    """Random tensors that depend on nothing but the label."""

    def __init__(self, label):
        self.rng = random.Random(label)

    def draw(self, shape, lo=-2.0, hi=2.0, denominator=64):
        """A tensor of distinct odd multiples of 1/denominator in (lo, hi)."""
        odd = [k for k in range(math.ceil(lo * denominator), int(hi * denominator) + 1) if k % 2]
        values = self.rng.sample(odd, math.prod(shape))
        return torch.tensor([k / denominator for k in values]).reshape(shape)

    def upstream(self, shape):
        """A tensor of odd multiples of 1/8 in (-2, 2), repeats allowed."""
        values = [self.rng.randrange(-15, 16, 2) / 8 for _ in range(math.prod(shape))]
        return torch.tensor(values).reshape(shape)

    def labels(self, n, classes):
        return [self.rng.randrange(classes) for _ in range(n)]


def number(x):
    """JSON has no nan or inf: they are written as strings."""
    return x if isinstance(x, int) or math.isfinite(x) else str(x)


def tensor(t):
    """Row-major data; integers (labels, counts) stay integers."""
    # PyTorch's gradient of what is constant has a shape and no elements.
    t = torch.zeros(t.shape) if t._is_zerotensor() else t.detach()
    data = t.reshape(-1).tolist()
    return {"shape": list(t.shape), "data": [number(x) for x in data]}


def direction(i, x):
    """Where input i goes: cos(0.8 j + 0.5 i) for its element j."""
    return torch.cos(0.8 * torch.arange(x.numel()) + 0.5 * i).reshape(x.shape)


def along(inputs, grads, directions):
    """The derivative of the gradients as the inputs go in their directions."""
    total = sum((g * v).sum() for g, v in zip(grads, directions))
    if not total.requires_grad:  # the gradient is the same everywhere
        return [torch.zeros_like(x) for x in inputs]
    products = torch.autograd.grad(total, inputs, allow_unused=True)
    return [torch.zeros_like(x) if p is None else p for x, p in zip(inputs, products)]


class Cases:
    """Collects cases of the form: op, args, inputs, output, upstream, grads."""

    def __init__(self):
        self.cases = []

    def numbers(self, op):
        """The generator of the next case of this op."""
        count = sum(case["op"] == op for case in self.cases)
        return Numbers(f"{op} {count}")

    def add(self, op, f, inputs, args=None, note="", constant=()):
        """Runs f on inputs and records its value, its vector-Jacobian products, and of these the derivative along
        `direction`, which is the product of the Hessian of <upstream, output> with it.

        `constant` lists the inputs whose gradient is not recorded.
        """
        leaves = [x.clone().requires_grad_(i not in constant) for i, x in enumerate(inputs)]
        output = f(*leaves)
        upstream = self.numbers(op + " upstream").upstream(output.shape)
        wanted = [x for x in leaves if x.requires_grad]
        grads = torch.autograd.grad(output, wanted, upstream, create_graph=True)
        products = iter(along(wanted, grads, [direction(i, x) for i, x in enumerate(leaves) if x.requires_grad]))
        grads = iter(grads)
        self.cases.append(
            {
                "op": op,
                "note": note,
                "args": args or {},
                "inputs": [tensor(x) for x in leaves],
                "output": tensor(output),
                "upstream": tensor(upstream),
                "grads": [tensor(next(grads)) if x.requires_grad else None for x in leaves],
                "products": [tensor(next(products)) if x.requires_grad else None for x in leaves],
            }
        )


def origin(script):
    return {
        "script": "tests/golden/" + pathlib.Path(script).name,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }


def write(script, name, **lists):
    """Writes `{"origin": ..., key: [one item per line], ...}` beside the script."""

    def compact(x):
        return json.dumps(x, separators=(",", ":"), allow_nan=False)

    parts = ['"origin":' + compact(origin(script))]
    for key, items in lists.items():
        parts.append(f'"{key}":[\n' + ",\n".join(map(compact, items)) + "\n]")
    path = pathlib.Path(script).with_name(name)
    path.write_text("{" + ",\n".join(parts) + "}\n")
    counts = ", ".join(f"{len(items)} {key}" for key, items in lists.items())
    print(f"{path.name}: {counts}, {path.stat().st_size} bytes")
