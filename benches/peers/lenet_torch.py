"""LeNet-5 on MNIST in PyTorch: `python lenet_torch.py DIR [threads] [epochs] [FILE]`; see benches/programs/lenet.rs.

FILE gets the weights as safetensors in half precision: `examples/lenet_mnist_f16.safetensors` is from
`python lenet_torch.py DIR 1 10 examples/lenet_mnist_f16.safetensors` with torch 2.15.0.
"""

import gzip
import pathlib
import sys
import time

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

BATCH = 128


def read(directory, name, header):
    for path in [directory / name, directory / (name + ".gz")]:
        if path.exists():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            return numpy.frombuffer(data, numpy.uint8, offset=header)
    raise SystemExit(f"{directory / name} is missing")


def load(directory, part):
    images = read(directory, f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
    labels = read(directory, f"{part}-labels-idx1-ubyte", 8)
    return torch.tensor(images / numpy.float32(255)), torch.tensor(labels.astype(numpy.int64))


def main():
    directory = pathlib.Path(sys.argv[1])
    threads, epochs, file = (sys.argv[2:] + ["1", "1", ""][len(sys.argv) - 2 :])[:3]
    threads, epochs = int(threads), int(epochs)
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    (x, y), (x_test, y_test) = load(directory, "train"), load(directory, "t10k")
    net = nn.Sequential(
        *[nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)],
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-4)
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
        seconds = time.perf_counter() - start
        with torch.no_grad():
            right = (net(x_test).argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch}: {seconds:.3f} s with {threads} threads, reads {100 * right:.2f} % of the test images")
    if file:
        save_file({name: value.half() for name, value in net.state_dict().items()}, file)


main()
