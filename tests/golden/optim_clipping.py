"""Gradient clipping: by value, by the norm of one tensor, by the global norm. One file per framework."""

from optim_format import SHAPES, origin, write

INPUTS = {
    "large": {"a": [3.0, -4.0, 0.0, 12.0, -0.5, 1e-3], "b": [-2.0, 7.0]},
    "small": {"a": [0.1, -0.2, 0.05, 0.0, 0.3, -0.01], "b": [0.2, -0.1]},
    "wide": {"a": [1e-6, -1e3, 0.25, -3.0, 1e9, 0.0], "b": [1e-3, 2.0]},
    "zero": {"a": [0.0] * 6, "b": [0.0] * 2},
    "no_b": {"a": [3.0, -4.0, 0.0, 12.0, -0.5, 1e-3], "b": None},
}


def case(rule, framework, options, name, output, norm=None):
    got = {
        "rule": rule,
        "framework": framework,
        "options": options,
        "input_name": name,
        "input": INPUTS[name],
        "output": output,
    }
    return got if norm is None else got | {"norm": norm}


def flat(arrays):
    return {n: None if v is None else v.flatten().tolist() for n, v in arrays.items()}


def torch_cases():
    import torch
    from torch.nn import utils

    def params(name):
        made = {n: torch.zeros(SHAPES[n], requires_grad=True) for n in SHAPES}
        for n, g in INPUTS[name].items():
            made[n].grad = None if g is None else torch.tensor(g).reshape(SHAPES[n])
        return made

    cases = []
    for name in INPUTS:
        for clip in (0.5, 5.0):
            ps = params(name)
            utils.clip_grad_value_(ps.values(), clip, foreach=False)
            cases.append(
                case("clip_grad_value_", "torch", {"clip_value": clip}, name, flat({n: p.grad for n, p in ps.items()}))
            )
        for max_norm in (1.0, 14.0):
            for norm_type in (2.0, 1.0, "inf"):
                ps = params(name)
                norm = utils.clip_grad_norm_(ps.values(), max_norm, float(norm_type), foreach=False).item()
                options = {"max_norm": max_norm, "norm_type": norm_type}
                cases.append(
                    case("clip_grad_norm_", "torch", options, name, flat({n: p.grad for n, p in ps.items()}), norm)
                )
            # One call per tensor: the per-tensor norm, with torch's 1e-6.
            ps = params(name)
            norms = {n: utils.clip_grad_norm_([p], max_norm, foreach=False).item() for n, p in ps.items()}
            options = {"max_norm": max_norm, "norm_type": 2.0}
            got = flat({n: p.grad for n, p in ps.items()})
            cases.append(case("clip_grad_norm_ per tensor", "torch", options, name, got, norms))
    return cases


def with_torch():
    from optim_torch import NOTE, VERSIONS

    write("clipping_torch", origin(VERSIONS, note=NOTE), torch_cases(), with_problems=False)


def with_optax():
    import jax.numpy as jnp
    import optax

    from optim_optax import VERSIONS

    cases = []
    for name, inputs in INPUTS.items():
        grads = {n: None if g is None else jnp.array(g).reshape(SHAPES[n]) for n, g in inputs.items()}
        norm = optax.global_norm(grads).item()
        for rule, option in (
            ("clip", "max_delta"),
            ("clip_by_global_norm", "max_norm"),
            ("clip_by_block_rms", "threshold"),
        ):
            for limit in (1.0, 14.0):
                transform = getattr(optax, rule)(limit)
                output, _ = transform.update(grads, transform.init(grads))
                got = norm if rule == "clip_by_global_norm" else None
                cases.append(case(rule, "optax", {option: limit}, name, flat(output), got))
    write("clipping_optax", origin(VERSIONS, note="JAX_ENABLE_X64=1, CPU"), cases, with_problems=False)


def with_keras():
    import keras

    from optim_keras import VERSIONS

    cases = []
    for name, inputs in INPUTS.items():
        grads = {n: keras.ops.reshape(keras.ops.array(g), SHAPES[n]) for n, g in inputs.items() if g is not None}
        for rule in ("clipvalue", "clipnorm", "global_clipnorm"):
            for limit in (1.0, 14.0):
                # Clipping is a step of Keras's optimizers without a public function of its own.
                clipped = keras.optimizers.SGD(**{rule: limit})._clip_gradients(list(grads.values()))
                output = {n: None for n in SHAPES} | dict(zip(grads, clipped))
                cases.append(case(rule, "keras", {rule: limit}, name, flat(output)))
    write("clipping_keras", origin(VERSIONS, note="JAX backend, floatx float64, CPU"), cases, with_problems=False)
