"""The measurements of benches/programs/latency.rs in PyTorch, ONNX Runtime and JAX; prints the same JSON lines.

python inference.py --peer torch|torch-compile|onnxruntime|jax --threads 1 [--clients 2]

A call takes rows of a NumPy array to logits in another.
"""
import argparse
import statistics
import threading
import time

import common

ROWS = 1024
HIDDEN = (256, 128)
DROPOUT = 0.2
BATCH = 256


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", choices=["torch", "torch-compile", "onnxruntime", "jax"], required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clients", type=int, help="measure this many threads that share the model, and nothing else")
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    common.hold_to(args.threads, cores=max(args.threads, args.clients or 1))

    import numpy as np

    images = np.random.default_rng(0).random((ROWS, common.INPUT), np.float32)
    make = {"onnxruntime": onnxruntime_model, "jax": jax_model}.get(args.peer, torch_model)
    version, logits = make(args)

    def call(i, batch):
        start = i * batch % ROWS
        return logits(images[start : start + batch])

    def line(**fields):
        common.print_line(peer=args.peer, version=version, kind="inference", threads=args.threads, **fields)

    for batch in 1, BATCH:
        assert call(0, batch).shape == (batch, common.CLASSES)
    if args.clients:
        images_per_s = clients(args.clients, lambda i: call(i, 1), args.seconds)
        line(workload=f"{args.clients} clients", images_per_s=images_per_s)
        return
    times = measure(lambda i: call(i, 1), args.seconds)
    p99 = sorted(times)[int((len(times) - 1) * 0.99)]
    line(workload="batch 1", median_us=statistics.median(times) / 1e3, p99_us=p99 / 1e3, calls=len(times))
    times = measure(lambda i: call(i, BATCH), args.seconds)
    line(workload="batch 256", images_per_s=BATCH * len(times) / sum(times) * 1e9, calls=len(times))


def measure(call, seconds):
    """The time of every call in nanoseconds, after a tenth of `seconds` to warm up."""
    for limit in seconds / 10, seconds:
        times, end = [], time.perf_counter_ns() + limit * 1e9
        while not times or before < end:
            before = time.perf_counter_ns()
            call(len(times))
            times.append(time.perf_counter_ns() - before)
    return times


def clients(n, call, seconds):
    """Calls per second of `n` threads together."""
    together, rates = threading.Barrier(n), []

    def client():
        for limit in seconds / 10, seconds:
            together.wait()
            calls, start = 0, time.perf_counter()
            while time.perf_counter() - start < limit:
                call(calls)
                calls += 1
        rates.append(calls / (time.perf_counter() - start))

    threads = [threading.Thread(target=client) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rates)


def torch_model(args):
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = common.torch_network(HIDDEN, True, DROPOUT).eval()
    if args.peer == "torch-compile":
        torch._inductor.config.freezing = True  # weights become constants: batch norm may be folded into them
        # Tuned, calls of one image take two thirds of the time; the training loops gain nothing from it.
        model = torch.compile(model, dynamic=False, mode="max-autotune-no-cudagraphs")

    def logits(rows):
        with torch.inference_mode():
            return model(torch.from_numpy(rows)).numpy()

    return common.version(torch), logits


def onnxruntime_model(args):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(onnx_graph(), options, providers=["CPUExecutionProvider"])
    return common.version(onnxruntime), lambda rows: session.run(None, {"x": rows})[0]


def onnx_graph():
    """The network as an ONNX file's bytes, with the operators an exporter writes. Dropout is not in it: at inference it
    does nothing."""
    import numpy as np
    from onnx import TensorProto, checker, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights = [], []

    def weight(name, array):
        weights.append(numpy_helper.from_array(np.asarray(array, np.float32), name))
        return name

    width, x = common.INPUT, "x"
    for i, units in enumerate((*HIDDEN, common.CLASSES)):
        bound = width**-0.5
        w = weight(f"w{i}", rng.uniform(-bound, bound, (units, width)))
        b = weight(f"b{i}", rng.uniform(-bound, bound, units))
        last = i == len(HIDDEN)
        nodes.append(helper.make_node("Gemm", [x, w, b], ["logits" if last else f"dense{i}"], transB=1))
        if not last:
            norm = [weight(f"{name}{i}", np.full(units, value)) for name, value in
                    [("scale", 1), ("shift", 0), ("mean", 0), ("var", 1)]]
            nodes.append(helper.make_node("BatchNormalization", [f"dense{i}", *norm], [f"norm{i}"], epsilon=1e-5))
            nodes.append(helper.make_node("Relu", [f"norm{i}"], [f"relu{i}"]))
        width, x = units, f"relu{i}"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
            for name, size in [("x", common.INPUT), ("logits", common.CLASSES)]]
    graph = helper.make_graph(nodes, "mlp", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    checker.check_model(model)
    return model.SerializeToString()


def jax_model(args):
    import jax
    import numpy as np

    params, stats, forward = common.jax_network(HIDDEN, True, DROPOUT)
    jitted = jax.jit(lambda params, stats, x: forward(params, stats, x)[0])
    return common.version(jax), lambda rows: np.asarray(jitted(params, stats, rows))


if __name__ == "__main__":
    main()
