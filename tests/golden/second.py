"""Hessian-vector products of networks by their parameters, from PyTorch in f64. Writes second.json.

Everything is a formula of its place: element j of parameter k (by name) is 0.6 sin(1.7 j + 0.9 k + 0.4), the direction
cos(0.8 j + 0.5 k), the input 1.5 sin(0.37 j + 0.2). The loss is sum w (y + 0.3 y^2) with w = sin(0.7 (j + 1)) + 0.2.
"""

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from record import tensor, write


class First(nn.Module):
    """The outputs of a recurrent layer, without its state."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)[0]


def attention():
    return nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, activation="gelu")


NETS = {
    "dense_tanh": ([6, 5], lambda: nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))),
    "batch_norm": ([6, 5], lambda: nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Sigmoid(), nn.Linear(7, 3))),
    "layer_norm": ([4, 5], lambda: nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.GELU(), nn.Linear(6, 3))),
    "rms_norm": ([4, 5], lambda: nn.Sequential(nn.Linear(5, 6), nn.RMSNorm(6, eps=1e-6), nn.SiLU(), nn.Linear(6, 3))),
    "activations": (
        [4, 5],
        lambda: nn.Sequential(
            nn.Linear(5, 5),
            nn.ELU(0.7),
            nn.Linear(5, 5),
            nn.Softplus(),
            nn.Linear(5, 5),
            nn.GELU("tanh"),
            nn.PReLU(5),
            nn.Linear(5, 2),
            nn.LeakyReLU(0.1),
        ),
    ),
    "conv2d": (
        [2, 2, 6, 6],
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1),
            nn.GroupNorm(3, 3),
            nn.Softplus(),
            nn.AvgPool2d(2),
            nn.Conv2d(3, 2, 2),
            nn.Flatten(),
        ),
    ),
    "max_pool": (
        [2, 2, 6, 6],
        lambda: nn.Sequential(
            nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.Tanh(), nn.Flatten(), nn.Linear(12, 2)
        ),
    ),
    "transposed": (
        [2, 2, 3, 3],
        lambda: nn.Sequential(nn.ConvTranspose2d(2, 2, 2, stride=2), nn.InstanceNorm2d(2, affine=True), nn.Tanh()),
    ),
    "conv1d": ([2, 2, 7], lambda: nn.Sequential(nn.Conv1d(2, 3, 3, stride=2), nn.Tanh(), nn.ConvTranspose1d(3, 2, 2))),
    "rnn": ([2, 4, 3], lambda: First(nn.RNN(3, 4))),
    "gru": ([2, 4, 3], lambda: First(nn.GRU(3, 4))),
    "lstm": ([2, 4, 3], lambda: First(nn.LSTM(3, 4, num_layers=2, bidirectional=True))),
    "transformer": ([2, 3, 4], attention),
}


def filled(shape, formula):
    count = torch.Size(shape).numel()
    return formula(torch.arange(count, dtype=torch.float64)).reshape(shape)


def case(name, shape, build):
    net = build().double().train()
    names = sorted(name for name, _ in net.named_parameters())
    parameters = dict(net.named_parameters())
    with torch.no_grad():
        for k, key in enumerate(names):
            parameters[key].copy_(
                filled(parameters[key].shape, lambda j, k=k: 0.6 * torch.sin(1.7 * j + 0.9 * k + 0.4))
            )
    ordered = [parameters[key] for key in names]
    direction = [filled(p.shape, lambda j, k=k: torch.cos(0.8 * j + 0.5 * k)) for k, p in enumerate(ordered)]
    x = filled(shape, lambda j: 1.5 * torch.sin(0.37 * j + 0.2))
    y = net(x)
    w = filled(y.shape, lambda j: torch.sin(0.7 * (j + 1)) + 0.2)
    loss = (w * (y + 0.3 * y * y)).sum()
    grads = torch.autograd.grad(loss, ordered, create_graph=True)
    along = sum((g * v).sum() for g, v in zip(grads, direction))
    products = torch.autograd.grad(along, ordered)
    by_name = {key.removeprefix("inner."): tensor(product) for key, product in zip(names, products)}
    return {"name": name, "input": shape, "loss": loss.item(), "products": by_name}


if __name__ == "__main__":
    with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no second derivative
        write(__file__, "second.json", cases=[case(name, *net) for name, net in NETS.items()])
