"""Weights and state between PyTorch and Wengert, as safetensors.

`roundtrip.py make` writes what PyTorch saves of an MLP with batch norm, `torch_mlp.safetensors`, and an input with the
outputs that the model evaluates to, `torch_mlp_io.safetensors`; the test `tests/exchange.rs` loads both.
`roundtrip.py check DIRECTORY` loads into PyTorch what that test writes to `target/tmp` and compares the outputs.

Versions: requirements.txt.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent


class Mlp(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = torch.nn.Linear(6, 8)
        self.norm = torch.nn.BatchNorm1d(8)
        self.out = torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.out(torch.tanh(self.norm(self.hidden(x))))


def make():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Mlp()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2)
    x, labels = torch.randn(32, 6), torch.arange(32) % 3
    for _ in range(5):  # so that the running statistics and the scale of the norm are not where they start
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
    model.eval()
    save_file(model.state_dict(), HERE / "torch_mlp.safetensors")
    save_file({"x": x, "y": model(x).detach()}, HERE / "torch_mlp_io.safetensors")


def check(directory):
    model = Mlp()
    model.load_state_dict(load_file(directory / "wengert_mlp.safetensors"), strict=True)
    model.eval()
    io = load_file(directory / "wengert_mlp_io.safetensors")
    difference = (model(io["x"]) - io["y"]).abs().max().item()
    print(f"outputs: largest difference {difference:.1e}, largest output {io['y'].abs().max().item():.2f}")
    assert difference <= 1e-6

    with safe_open(directory / "wengert_run.safetensors", "pt") as run:
        names = sorted(run.keys())
        metadata = json.loads(run.metadata()["wengert"])
        state = {name: run.get_tensor(name) for name in names if "/" in name}
    optimizer = metadata["optimizer"]
    print(f"{optimizer['kind']}, {optimizer['steps']} steps, extra {metadata['extra']}")
    print(f"given {optimizer['rules'][0]['given']}")
    for name, tensor in state.items():
        print(f"  {name}: {tensor.dtype} {list(tensor.shape)}")
    assert state["hidden.weight/v"].shape == model.hidden.weight.shape
    assert state["hidden.weight/steps"].item() == optimizer["steps"]


if __name__ == "__main__":
    if sys.argv[1:] == ["make"]:
        make()
    elif len(sys.argv) == 3 and sys.argv[1] == "check":
        check(Path(sys.argv[2]))
    else:
        sys.exit("usage: roundtrip.py make | roundtrip.py check DIRECTORY")
