"""keras.optimizers on the JAX backend, floatx float64."""

import itertools

import jax
import keras

from optim_format import SHAPES, START, origin, record, write

keras.config.set_floatx("float64")
VERSIONS = {"jax": jax.__version__, "keras": keras.__version__}
# Options common to every Keras optimizer that this recording does not vary (clipping: clipping.json).
COMMON = {
    "name", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps",
}


class Player:
    """A Keras optimizer and its two variables."""

    def __init__(self, optimizer_class, options):
        self.params = {
            n: keras.Variable(keras.ops.reshape(keras.ops.array(p), SHAPES[n]), name=n) for n, p in START.items()
        }
        self.optimizer = optimizer_class(**options)
        self.optimizer.build(list(self.params.values()))
        assert all(p.dtype == "float64" for p in self.params.values())

    def options(self):
        # get_config reads the rate back from its variable; it must still be exact.
        return {k: v for k, v in self.optimizer.get_config().items() if k not in COMMON}

    def read(self):
        return {n: p.numpy().flatten().tolist() for n, p in self.params.items()}

    def step(self, grads):
        present = [
            (keras.ops.reshape(keras.ops.array(g), SHAPES[n]), self.params[n])
            for n, g in grads.items()
            if g is not None
        ]
        self.optimizer.apply(*zip(*present))

    def set_lr(self, lr):
        self.optimizer.learning_rate = lr

    def state(self):
        slots = {n: {} for n in SHAPES}
        for v in self.optimizer.variables:
            owner, _, slot = v.path.split("/")[-1].partition("_")
            if owner in SHAPES:
                slots[owner][slot] = v.numpy().flatten().tolist()
        return slots


def case(optimizer_class, problem="stream", lr_changes=None, **options):
    player = Player(optimizer_class, options)
    return record(optimizer_class.__name__.lower(), "keras", player.options(), problem, player, lr_changes)


def rmsprop():
    f = keras.optimizers.RMSprop
    cases = [case(f, p) for p in ("stream", "missing", "steep_flat", "quadratic")]
    for momentum, centered, epsilon, decay in itertools.product((0.0, 0.9), (False, True), (1e-7, 1e-3), (None, 0.1)):
        cases.append(
            case(f, learning_rate=1e-2, momentum=momentum, centered=centered, epsilon=epsilon, weight_decay=decay)
        )
    for momentum, centered in itertools.product((0.0, 0.9), (False, True)):
        options = {"learning_rate": 1e-2, "rho": 0.99, "momentum": momentum, "centered": centered, "weight_decay": 0.1}
        cases += [case(f, p, **options) for p in ("missing", "steep_flat", "quadratic")]
        cases.append(case(f, lr_changes={"6": 0.005}, **options))
    return cases


def others():
    o = keras.optimizers
    wd = {"weight_decay": 0.1}
    grids = {
        o.SGD: [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, wd],
        o.Adagrad: [{}, {"initial_accumulator_value": 0.0}, {"epsilon": 1e-3}, wd],
        o.Adadelta: [{}, {"rho": 0.9}, {"epsilon": 1e-3}, wd],
        o.Adam: [{}, {"beta_1": 0.0}, {"beta_1": 0.8, "beta_2": 0.9}, {"epsilon": 1e-3}, {"amsgrad": True}, wd],
        o.AdamW: [{}, {"epsilon": 1e-3, **wd}],
        o.Adamax: [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}, wd],
        o.Nadam: [{}, {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}, wd],
        o.Lion: [{}, {"beta_1": 0.8, "beta_2": 0.9}, wd],
    }
    cases = []
    for f, grid in grids.items():
        cases.append(case(f))
        lr = {"learning_rate": 0.05}
        cases += [case(f, **lr, **options) for options in grid]
        cases += [case(f, p, **lr, **grid[-1]) for p in ("missing", "quadratic", "steep_flat")]
        cases.append(case(f, lr_changes={"6": 0.02}, **lr, **grid[-1]))
    return cases


def main():
    about = origin(VERSIONS, note="JAX backend with JAX_ENABLE_X64=1, floatx float64, CPU")
    write("keras_rmsprop", about, rmsprop())
    write("keras_others", about, others())
