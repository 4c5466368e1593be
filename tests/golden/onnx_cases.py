"""Writes ONNX's node tests as JSON, one test per line, for the program in `onnx/`: see README.md.

    .venv/bin/pip install -r tests/golden/requirements-onnx.txt
    .venv/bin/python tests/golden/onnx_cases.py onnx_cases.jsonl

The tests come from the package `onnx`: graphs of one node, and the same functions decomposed (`_expanded`). A tensor is
`{"type", "shape", "data"}` as in the other recordings, without `data` where Wengert has nothing that could hold it:
half and quarter precision, strings, complex numbers. What is not a tensor has the type `sequence` or `optional`, and an
attribute that is a graph the value `null`.
"""

import json
import math
import sys
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOATS = {TensorProto.FLOAT, TensorProto.DOUBLE}
INTEGERS = {
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
}


def number(x):
    """JSON has no nan or inf: they are written as strings."""
    return x if math.isfinite(x) else str(x)


def tensor(value):
    """A tensor of the test's data or of an attribute."""
    if value is None:
        return {"type": "optional", "shape": []}
    if isinstance(value, (list, tuple)):
        return {"type": "sequence", "shape": [len(value)]}
    if isinstance(value, TensorProto):
        kind, value = value.data_type, numpy_helper.to_array(value)
    else:
        value = np.asarray(value)
        kind = TensorProto.STRING if value.dtype.kind in "OUS" else helper.np_dtype_to_tensor_dtype(value.dtype)
    written = {"type": TensorProto.DataType.Name(kind).lower(), "shape": list(value.shape)}
    if kind in FLOATS:
        written["data"] = [number(x) for x in value.reshape(-1).tolist()]
    elif kind in INTEGERS or kind == TensorProto.BOOL:
        written["data"] = [int(x) for x in value.reshape(-1).tolist()]
    return written


def attribute(a):
    value = helper.get_attribute_value(a)
    if a.type == onnx.AttributeProto.TENSOR:
        return tensor(value)
    if a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS, onnx.AttributeProto.SPARSE_TENSOR):
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return value
    return [v.decode(errors="replace") if isinstance(v, bytes) else attribute_element(v) for v in value]


def attribute_element(v):
    return tensor(v) if isinstance(v, TensorProto) else number(v)


def node(n):
    return {
        "op": n.op_type,
        "inputs": list(n.input),
        "outputs": list(n.output),
        "attributes": {a.name: attribute(a) for a in n.attribute},
    }


def case(test):
    graph = test.model.graph
    assert not graph.initializer and not test.model.functions and len(test.data_sets) == 1, test.name
    inputs, outputs = test.data_sets[0]
    return {
        "name": test.name,
        "rtol": test.rtol,
        "atol": test.atol,
        "inputs": dict(zip((i.name for i in graph.input), map(tensor, inputs), strict=True)),
        "nodes": [node(n) for n in graph.node],
        "outputs": dict(zip((o.name for o in graph.output), map(tensor, outputs), strict=True)),
    }


def main(path):
    warnings.simplefilter("ignore", RuntimeWarning)  # the tests divide by zero on purpose
    from onnx.backend.test.case.node import collect_testcases

    tests = collect_testcases(None)
    with open(path, "w", encoding="utf-8") as out:
        out.write(json.dumps({"origin": {"script": "onnx_cases.py", "onnx": onnx.__version__}}) + "\n")
        for test in sorted(tests, key=lambda test: test.name):
            out.write(json.dumps(case(test), separators=(",", ":"), allow_nan=False) + "\n")
    print(f"{len(tests)} tests in {path}")


main(*sys.argv[1:])
