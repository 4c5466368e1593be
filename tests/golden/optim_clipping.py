"""Gradient clipping: torch (value, global norm), Keras and burn's rule (norm of one tensor), optax and Keras (global norm)."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax

from optim_format import SHAPES, origin, write

keras.config.set_floatx("float64")

INPUTS = {
    "large": {"a": [3.0, -4.0, 0.0, 12.0, -0.5, 1e-3], "b": [-2.0, 7.0]},
    "small": {"a": [0.1, -0.2, 0.05, 0.0, 0.3, -0.01], "b": [0.2, -0.1]},
    "wide": {"a": [1e-6, -1e3, 0.25, -3.0, 1e150, 0.0], "b": [1e-3, 2.0]},
    "zero": {"a": [0.0] * 6, "b": [0.0] * 2},
    "no_b": {"a": [3.0, -4.0, 0.0, 12.0, -0.5, 1e-3], "b": None},
}


def as_lists(arrays):
    return {n: None if v is None else np.asarray(v).flatten().tolist() for n, v in arrays.items()}


def case(rule, framework, options, name, output, returned=None):
    got = {"rule": rule, "framework": framework, "options": options, "input_name": name, "input": INPUTS[name], "output": output}
    return got if returned is None else got | {"returned": returned}


def with_keras(name):
    grads = {n: None if g is None else keras.ops.reshape(keras.ops.array(g), SHAPES[n]) for n, g in INPUTS[name].items()}
    cases = []
    for option in ("clipvalue", "clipnorm", "global_clipnorm"):
        if option == "global_clipnorm" and name == "zero":
            continue  # 1/0 inside Keras: min(inf, 1/c), then inf - inf does not arise; covered by optax and torch
        optimizer = keras.optimizers.SGD(**{option: 1.0})
        cases.append(case(option, "keras", {option: 1.0}, name, as_lists(dict(zip(grads, optimizer._clip_gradients(list(grads.values())))))))
    return cases
