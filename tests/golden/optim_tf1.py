"""The TF1 RMSPropOptimizer (tf.compat.v1, eager) with float64 variables.

Its hyper-parameters are given as float64 constants: Python floats would become float32 tensors and be widened again, so
that a decay of 0.9 would act as 0.89999998.
"""

import itertools

import tensorflow as tf

from optim_format import SHAPES, START, origin, record, write


class Player:
    """A TF1 optimizer and its two variables."""

    def __init__(self, options):
        self.rate = tf.constant(options["learning_rate"], tf.float64)
        exact = {k: tf.constant(v, tf.float64) for k, v in options.items() if k not in ("learning_rate", "centered")}
        self.optimizer = tf.compat.v1.train.RMSPropOptimizer(lambda: self.rate, centered=options["centered"], **exact)
        self.params = {
            n: tf.Variable(tf.reshape(tf.constant(p, tf.float64), SHAPES[n]), name=n) for n, p in START.items()
        }

    def read(self):
        return {n: p.numpy().flatten().tolist() for n, p in self.params.items()}

    def step(self, grads):
        pairs = [
            (None if g is None else tf.reshape(tf.constant(g, tf.float64), SHAPES[n]), self.params[n])
            for n, g in grads.items()
        ]
        self.optimizer.apply_gradients(pairs)

    def set_lr(self, lr):
        self.rate = tf.constant(lr, tf.float64)

    def state(self):
        return {
            n: {s: self.optimizer.get_slot(p, s).numpy().flatten().tolist() for s in self.optimizer.get_slot_names()}
            for n, p in self.params.items()
        }


def case(problem="stream", lr_changes=None, **options):
    defaults = {"learning_rate": 1e-2, "decay": 0.9, "momentum": 0.0, "epsilon": 1e-10, "centered": False}
    options = defaults | options
    return record("rmsprop", "tf1", options, problem, Player(options), lr_changes)


def main():
    cases = [case(p) for p in ("stream", "missing", "steep_flat", "quadratic")]
    for momentum, epsilon, centered in itertools.product((0.0, 0.9), (1e-10, 1e-3), (False, True)):
        options = {"momentum": momentum, "epsilon": epsilon, "centered": centered}
        cases.append(case(**options))
        cases.append(case(lr_changes={"6": 0.005}, **options))
        cases.append(case("missing", **options))
    cases.append(case(decay=0.99, momentum=0.9))
    write("tf1_rmsprop", origin({"tensorflow": tf.__version__}, note=__doc__.strip()), cases)
