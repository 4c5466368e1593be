"""optax in float64 (JAX_ENABLE_X64=1).

There are no missing gradients here: optax has no notion of a parameter that is skipped for one step (a None leaf loses
its state), so the problem `missing` is not recorded.
"""

import inspect
import itertools

import jax
import jax.numpy as jnp
import optax

from optim_format import SHAPES, START, origin, record, write

VERSIONS = {"jax": jax.__version__, "optax": optax.__version__}


class Player:
    """An optax transformation applied to the two parameters."""

    def __init__(self, make, options, lr_changes):
        if lr_changes:
            ((first, later),) = lr_changes.items()
            # optax counts steps from 0.
            rate = lambda count: jnp.where(count + 1 >= int(first), later, options["learning_rate"])
            self.rule = make(**options | {"learning_rate": rate})
        else:
            self.rule = make(**options)
        self.params = {n: jnp.array(p).reshape(SHAPES[n]) for n, p in START.items()}
        self.slots = self.rule.init(self.params)

    def read(self):
        return {n: p.flatten().tolist() for n, p in self.params.items()}

    def step(self, grads):
        grads = {n: jnp.array(g).reshape(SHAPES[n]) for n, g in grads.items()}
        updates, self.slots = self.rule.update(grads, self.slots, self.params)
        self.params = optax.apply_updates(self.params, updates)
        assert all(p.dtype == jnp.float64 for p in self.params.values())

    def set_lr(self, lr):
        """The schedule given to the constructor does it."""

    def state(self):
        slots = {n: {} for n in SHAPES}

        def collect(node):
            for field in getattr(node, "_fields", ()):
                value = getattr(node, field)
                if isinstance(value, dict):
                    for n in SHAPES:
                        slots[n][field] = value[n].flatten().tolist()
            if isinstance(node, tuple):
                for child in node:
                    collect(child)

        collect(self.slots)
        return slots


def case(make, problem="stream", lr_changes=None, **options):
    bound = inspect.signature(make).bind(**options)
    bound.apply_defaults()
    # Not part of any formula.
    stated = {
        k: v
        for k, v in bound.arguments.items()
        if k not in ("mu_dtype", "accumulator_dtype", "mask", "weight_decay_mask")
    }
    # nadam and nadamw are adam and adamw with nesterov=True; the option says so.
    name = getattr(make, "__name__", None) or make.func.__name__
    return record(name, "optax", stated, problem, Player(make, options, lr_changes), lr_changes)


def rmsprop():
    f = optax.rmsprop
    lr = {"learning_rate": 1e-2}
    cases = [case(f, p, **lr) for p in ("stream", "steep_flat", "quadratic")]
    sets = ({"decay": 0.9, "eps": 1e-8}, {"decay": 0.99, "eps": 1e-3})
    momenta = ({"momentum": None}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True})
    flags = (False, True)
    for centered, corrected, inside, scale, momentum, s in itertools.product(
        flags, flags, flags, (0.0, 1.0), momenta, sets
    ):
        options = lr | s | momentum
        options |= {"centered": centered, "bias_correction": corrected, "eps_in_sqrt": inside, "initial_scale": scale}
        # See `calm`: only there is a centered, corrected variance safely positive.
        cases.append(case(f, "calm" if centered and corrected else "stream", **options))
    for momentum, inside in itertools.product(momenta, flags):
        cases.append(case(f, lr_changes={"6": 0.005}, **lr, **momentum, eps_in_sqrt=inside))
    return cases + scalings()


def scalings():
    """The parts without rate or sign: what is added to the parameter is +g / denominator."""
    cases = []
    for centered, corrected, inside, scale in itertools.product(
        (False, True), (False, True), (False, True), (0.0, 1.0)
    ):
        f = optax.scale_by_stddev if centered else optax.scale_by_rms
        problem = "calm" if centered and corrected else "stream"
        cases.append(
            case(f, problem, decay=0.95, eps=1e-6, bias_correction=corrected, eps_in_sqrt=inside, initial_scale=scale)
        )
    return cases


def others():
    lr = {"learning_rate": 0.05}
    o = optax
    grids = {
        o.sgd: [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
        o.adagrad: [{}, {"initial_accumulator_value": 0.0}, {"eps": 1e-3}],
        o.adadelta: [{}, {"rho": 0.95}, {"eps": 1e-3}, {"weight_decay": 0.1}],
        o.adam: [{}, {"b1": 0.0}, {"b1": 0.8, "b2": 0.9}, {"eps": 1e-3}, {"eps_root": 1e-3}, {"nesterov": True},
                 {"nesterov": True, "b1": 0.8, "b2": 0.9, "eps": 1e-3}],
        o.adamw: [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "nesterov": True, "eps_root": 1e-3}],
        o.amsgrad: [{}, {"b1": 0.8, "b2": 0.9, "eps": 1e-3}],
        o.adamax: [{}, {"b1": 0.8, "b2": 0.9, "eps": 1e-3}],
        o.adamaxw: [{"weight_decay": 0.1}],
        o.radam: [{}, {"b1": 0.8, "b2": 0.9}, {"b2": 0.7}, {"eps": 1e-3, "eps_root": 1e-3}, {"threshold": 4.0},
                  {"nesterov": True}],
        o.lion: [{}, {"b1": 0.8, "b2": 0.9}, {"weight_decay": 0.0}, {"weight_decay": 0.1}],
        o.rprop: [{}, {"eta_minus": 0.7, "eta_plus": 1.5}, {"min_step_size": 0.02, "max_step_size": 0.1}],
    }
    cases = []
    for f, grid in grids.items():
        cases += [case(f, **lr, **options) for options in grid]
        cases += [case(f, p, **lr, **grid[-1]) for p in ("quadratic", "steep_flat")]
        if f is not o.rprop:
            cases.append(case(f, lr_changes={"6": 0.02}, **lr, **grid[-1]))
    return cases


def main():
    about = origin(VERSIONS, note="JAX_ENABLE_X64=1, CPU")
    write("optax_rmsprop", about, rmsprop())
    write("optax_others", about, others())
