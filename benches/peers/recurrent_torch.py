"""The twin of benches/programs/recurrent.rs in PyTorch: `python recurrent_torch.py [threads]`."""

import statistics
import sys
import time

import torch
from torch import nn


def measure(name, layer, x, steps=200):
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(steps):
            layer.zero_grad()
            layer(x)[0].square().mean().backward()
        rounds.append((time.perf_counter() - start) / steps)
    print(f"{name}: {1e6 * statistics.median(rounds):.0f} µs")


torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
torch.manual_seed(0)
x = torch.rand(50, 32, 64) * 2 - 1
measure("GRU", nn.GRU(64, 64), x)
measure("LSTM", nn.LSTM(64, 64), x)
