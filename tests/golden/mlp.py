"""Five RMSProp steps of a small network, end to end, from PyTorch in f64. Writes mlp.json."""

import torch
import torch.nn.functional as F
from torch import nn

from record import Numbers, tensor, write

STEPS = 5
CONFIG = {"sizes": [6, 5, 4, 3], "batch": 8, "bn_eps": 1e-5, "bn_momentum": 0.1}
RMSPROP = {
    "lr": 1e-2,
    "alpha": 0.99,
    "eps": 1e-8,
    "momentum": 0.0,
    "weight_decay": 0.0,
    "centered": False,
}


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 5)
        self.norm = nn.BatchNorm1d(5)
        self.second = nn.Linear(5, 4)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        h = self.norm(self.first(x)).tanh()
        h = self.second(h).tanh()
        return self.out(h)


def state(model):
    return {name: tensor(value) for name, value in model.state_dict().items()}


if __name__ == "__main__":
    numbers = Numbers("mlp")
    model = Mlp()
    for parameter in model.parameters():
        parameter.data = numbers.draw(parameter.shape, -1.0, 1.0)
    case = {"config": CONFIG, "rmsprop": RMSPROP, "state": state(model)}
    optimizer = torch.optim.RMSprop(model.parameters(), **RMSPROP)

    steps = []
    for _ in range(STEPS):
        x, labels = numbers.draw([CONFIG["batch"], 6]), numbers.labels(CONFIG["batch"], 3)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), torch.tensor(labels))
        loss.backward()
        grads = {name: tensor(p.grad) for name, p in model.named_parameters()}
        optimizer.step()
        steps.append({"input": tensor(x), "labels": labels, "loss": loss.item(), "grads": grads})

    model.eval()
    x = numbers.draw([3, 6])
    square_avg = {n: tensor(optimizer.state[p]["square_avg"]) for n, p in model.named_parameters()}
    case |= {
        "state_after": state(model),
        "square_avg": square_avg,
        "eval_input": tensor(x),
        "eval_logits": tensor(model(x)),
    }
    write(__file__, "mlp.json", steps=steps, cases=[case])
