"""The training loops of benches/programs/steps.rs in PyTorch and JAX; prints the same JSON line.

python train.py --peer torch|torch-compile|jax --workload S|M|M-BN|L --threads 1
"""
import argparse
import time

import common

ROWS = 8192
LOSS_EVERY = 50
WORKLOADS = {  # hidden layers, batch, batch norm, steps to warm up
    "S": ((128, 64), 32, False, 50),
    "M": ((512, 512), 128, False, 20),
    "M-BN": ((512, 512), 128, True, 20),
    "L": ((2048, 2048), 512, False, 3),
}


def main():
    args = arguments()
    common.hold_to(args.threads)
    hidden, batch, batch_norm, warm_up = WORKLOADS[args.workload]
    make = jax_step if args.peer == "jax" else torch_step
    version, note, step = make(hidden, batch, batch_norm, *data(), args)

    steps, losses = 0, []

    def one():
        nonlocal steps
        loss = step(steps * batch % ROWS)
        if steps % LOSS_EVERY == 0:
            losses.append(float(loss))
        steps += 1
        return loss

    while steps < warm_up:
        float(one())
    rates = []
    while len(rates) < args.reps and steps < args.max_steps:
        start, before = time.perf_counter(), steps
        while steps < args.max_steps and (steps == before or time.perf_counter() - start < args.seconds):
            loss = one()
        float(loss)  # JAX may still be at work
        rates.append((steps - before) / (time.perf_counter() - start))
    median = sorted(rates)[len(rates) // 2]
    common.print_line(
        peer=args.peer,
        version=version,
        workload=args.workload,
        threads=args.threads,
        steps_per_s=median,
        samples_per_s=median * batch,
        peak_rss_mb=peak_rss_mb(),
        note=note,
        rep_steps_per_s=rates,
        steps=steps,
        loss_first=losses[0],
        loss_last=losses[-1],
    )


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", choices=["torch", "torch-compile", "jax"], required=True)
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--reps", type=int, default=1)
    parser.add_argument("--max-steps", type=int, default=4000)
    return parser.parse_args()


def torch_step(hidden, batch, batch_norm, x, labels, args):
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    x, labels = torch.from_numpy(x), torch.from_numpy(labels)
    model = common.torch_network(hidden, batch_norm)
    compiled = args.peer == "torch-compile"
    # Of eager steps the plain loop over tensors is the faster on a CPU, and the default; compiled, the fused list is.
    opt = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.99, foreach=True if compiled else None)

    def forward(x, labels):
        return cross_entropy(model(x), labels)

    update = opt.step
    if compiled:
        forward, update = torch.compile(forward), torch.compile(opt.step)

    def step(start):
        opt.zero_grad()
        loss = forward(x[start : start + batch], labels[start : start + batch])
        loss.backward()
        update()
        return loss.detach()

    note = "loss and optimizer step compiled" if compiled else "eager"
    return common.version(torch), note, step


def jax_step(hidden, batch, batch_norm, x, labels, args):
    import functools

    import jax
    import numpy as np
    import optax

    params, stats, forward = common.jax_network(hidden, batch_norm)
    opt = optax.rmsprop(1e-3, decay=0.99, eps=1e-8, eps_in_sqrt=False)
    state = params, stats, opt.init(params)
    x, labels = jax.device_put(x), jax.device_put(labels.astype(np.int32))

    def loss_of(params, stats, x, labels):
        logits, stats = forward(params, stats, x, training=True)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), stats

    @functools.partial(jax.jit, donate_argnums=0)
    def update(state, x, labels, start):
        params, stats, memory = state
        rows = [jax.lax.dynamic_slice_in_dim(a, start, batch) for a in (x, labels)]
        (loss, stats), grads = jax.value_and_grad(loss_of, has_aux=True)(params, stats, *rows)
        change, memory = opt.update(grads, memory)
        return (optax.apply_updates(params, change), stats, memory), loss

    def step(start):
        nonlocal state
        state, loss = update(state, x, labels, start)
        return loss

    return common.version(jax), f"one jitted step, donated state, optax {common.version(optax)}", step


def data():
    """The rows and labels of benches/programs/steps.rs."""
    import numpy as np

    x = np.empty((ROWS, common.INPUT), np.float32)
    for first in range(0, ROWS, 256):  # piecewise: the integers need more memory than anything that is measured
        counter = np.arange(first * common.INPUT, (first + 256) * common.INPUT, dtype=np.uint64)
        x[first : first + 256] = ((mix(counter) >> np.uint64(40)) / 2.0**24).reshape(256, -1)
    labels = mix(np.uint64(1 << 40) + np.arange(ROWS, dtype=np.uint64)) % np.uint64(common.CLASSES)
    return x, labels.astype(np.int64)


def mix(i):
    """SplitMix64; NumPy's integers wrap around."""
    import numpy as np

    z = (i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def peak_rss_mb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
