"""The outputs of the networks in this folder, in double precision and without PyTorch: what the test expects.

`python3 reference.py` prints them, with the count of batches. README.md says where the files are from.
"""

import json
import math
import struct
from pathlib import Path

INPUTS = [[1.0, 2.0, 3.0], [-1.0, 0.5, 0.25]]
FORMATS = {"F16": "<e", "F32": "<f", "F64": "<d", "I64": "<q"}


def read(path):
    """The numbers of each tensor, row by row; of BF16 by its definition, the upper half of an F32."""
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__")
    tensors = {}
    for name, info in header.items():
        begin, end = (start + offset for offset in info["data_offsets"])
        if info["dtype"] == "BF16":
            halves = (data[at : at + 2] for at in range(begin, end, 2))
            tensors[name] = [struct.unpack("<f", b"\0\0" + half)[0] for half in halves]
        elif info["dtype"] in FORMATS:
            tensors[name] = [x for (x,) in struct.iter_unpack(FORMATS[info["dtype"]], data[begin:end])]
    return tensors


def dense(x, weight, bias):
    rows = [weight[i * len(x) : (i + 1) * len(x)] for i in range(len(bias))]
    return [sum(w * x for w, x in zip(row, x)) + b for row, b in zip(rows, bias)]


def forward(tensors, prefix, x):
    def of(name):
        return tensors[prefix + name]

    x = dense(x, of("fc1.weight"), of("fc1.bias"))
    norm = zip(x, of("bn.running_mean"), of("bn.running_var"), of("bn.weight"), of("bn.bias"))
    x = [max(0.0, (x - mean) / math.sqrt(var + 1e-5) * scale + shift) for x, mean, var, scale, shift in norm]
    return dense(x, of("fc2.weight"), of("fc2.bias"))


for path in sorted(Path(__file__).parent.glob("*.safetensors")):
    tensors = read(path)
    prefix = next((name.removesuffix("fc1.bias") for name in tensors if name.endswith("fc1.bias")), None)
    if prefix is not None:
        outputs = [forward(tensors, prefix, x) for x in INPUTS]
        print(path.name, outputs, tensors.get(prefix + "bn.num_batches_tracked"))
