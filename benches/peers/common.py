"""What the scripts share: holding a process to its threads, the networks, the line they print."""
import json
import os

INPUT, CLASSES = 784, 10


def hold_to(threads, cores=None):
    """To be called before a framework is imported: NumPy and PyTorch read the variables, XLA counts the cores."""
    for library in "OMP", "MKL", "OPENBLAS":
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[: cores or threads])


def print_line(**fields):
    print(json.dumps(fields), flush=True)


def version(module):
    return module.__version__.split("+")[0]


def torch_network(hidden, batch_norm, dropout=0.0):
    """Linear, batch norm, ReLU and dropout for each hidden layer, then a linear layer to the classes."""
    from torch import nn

    layers, width = [], INPUT
    for units in hidden:
        layers.append(nn.Linear(width, units))
        if batch_norm:
            layers.append(nn.BatchNorm1d(units))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, CLASSES))


def jax_network(hidden, batch_norm, dropout=0.0):
    """The same network: its parameters, its running statistics, and `forward(params, stats, x, training, key)`, which
    returns the logits and the new statistics."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(0)
    params, stats, width = [], [], INPUT
    for units in *hidden, CLASSES:
        bound = width**-0.5
        layer = {"weight": rng.uniform(-bound, bound, (width, units)), "bias": rng.uniform(-bound, bound, units)}
        if batch_norm and len(params) < len(hidden):
            layer |= {"scale": np.ones(units), "shift": np.zeros(units)}
            stats.append({"mean": np.zeros(units), "var": np.ones(units)})
        params.append(layer)
        width = units
    params, stats = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), (params, stats))

    def forward(params, stats, x, training=False, key=None):
        new_stats = []
        for i, layer in enumerate(params[:-1]):
            x = x @ layer["weight"] + layer["bias"]
            if batch_norm:
                mean, var = stats[i]["mean"], stats[i]["var"]
                if training:
                    old, n = stats[i], len(x)
                    mean, var = x.mean(0), x.var(0)
                    unbiased = var * (n / (n - 1))
                    new_stats.append(
                        {"mean": 0.9 * old["mean"] + 0.1 * mean, "var": 0.9 * old["var"] + 0.1 * unbiased}
                    )
                x = (x - mean) * (jax.lax.rsqrt(var + 1e-5) * layer["scale"]) + layer["shift"]
            x = jax.nn.relu(x)
            if dropout and training:
                key, use = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(use, 1 - dropout, x.shape), x / (1 - dropout), 0)
        return x @ params[-1]["weight"] + params[-1]["bias"], new_stats

    return params, stats, forward
