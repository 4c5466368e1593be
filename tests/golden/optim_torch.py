"""torch.optim, single-tensor path (foreach=False) in float64."""

import itertools

import torch

from optim_format import SHAPES, START, origin, record, write

# NAdam keeps its product of momenta in the default type: without this line it would be rounded to f32 at every step.
torch.set_default_dtype(torch.float64)

VERSIONS = {"torch": torch.__version__}
NOTE = "foreach=False (single-tensor path), CPU, default dtype float64"
# Options that choose a code path and not a formula.
PATHS = {"foreach", "capturable", "differentiable", "fused"}


class Player:
    """A torch optimizer and its two parameters."""

    def __init__(self, optimizer_class, options):
        self.params = {n: torch.tensor(p).reshape(SHAPES[n]).requires_grad_() for n, p in START.items()}
        self.optimizer = optimizer_class(self.params.values(), foreach=False, **options)

    def options(self):
        return {k: v for k, v in self.optimizer.defaults.items() if k not in PATHS}

    def read(self):
        return {n: p.detach().flatten().tolist() for n, p in self.params.items()}

    def step(self, grads):
        for n, p in self.params.items():
            p.grad = None if grads[n] is None else torch.tensor(grads[n]).reshape(SHAPES[n])
        self.optimizer.step()

    def set_lr(self, lr):
        for group in self.optimizer.param_groups:
            group["lr"] = lr

    def state(self):
        def slots(state):
            return {k: v.flatten().tolist() if v.dim() else v.item() for k, v in state.items() if v is not None}

        return {n: slots(self.optimizer.state[p]) for n, p in self.params.items()}


def case(optimizer_class, problem="stream", lr_changes=None, framework="torch", **options):
    player = Player(optimizer_class, options)
    return record(optimizer_class.__name__.lower(), framework, player.options(), problem, player, lr_changes)


def rmsprop():
    f = torch.optim.RMSprop
    sets = ({"lr": 1e-2, "alpha": 0.99, "eps": 1e-8}, {"lr": 1e-2, "alpha": 0.9, "eps": 1e-3})
    cases = [case(f, p) for p in ("stream", "missing", "steep_flat", "quadratic")]
    for centered, momentum, decay, maximize in itertools.product((False, True), (0, 0.9), (0, 0.1), (False, True)):
        more = {"centered": centered, "momentum": momentum, "weight_decay": decay, "maximize": maximize}
        cases += [case(f, **s, **more) for s in sets]
    for centered, momentum in itertools.product((False, True), (0, 0.9)):
        more = {"centered": centered, "momentum": momentum}
        cases += [case(f, lr_changes={"6": 0.005}, **s, **more) for s in sets]
        cases += [case(f, p, **sets[1], **more, weight_decay=0.1) for p in ("missing", "steep_flat", "quadratic")]
    return cases


def sgd():
    f = torch.optim.SGD
    rates = {"lr": 1e-3}
    variants = [{}, {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.5}, {"momentum": 0.9, "nesterov": True}]
    cases = []
    for variant, decay, maximize in itertools.product(variants, (0, 0.1), (False, True)):
        cases.append(case(f, **rates, **variant, weight_decay=decay, maximize=maximize))
    for variant in variants:
        cases += [case(f, lr_changes={"6": 5e-4}, **rates, **variant)]
        cases += [case(f, p, **rates, **variant, weight_decay=0.1) for p in ("missing", "steep_flat", "quadratic")]
    return cases


def adaptive():
    """Options of the other rules; every one also with missing gradients, closed loop and a rate change.

    Beside the defaults the rate is large, so that a wrong update is not lost in the digits of the parameter.
    """
    o = torch.optim
    l2 = {"weight_decay": 0.1}
    up = {"maximize": True}
    grids = {
        o.Adagrad: [{}, {"lr_decay": 0.1}, {"initial_accumulator_value": 0.1}, {"eps": 1e-3}, l2, up,
                    {"lr_decay": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-3, **l2}],
        o.Adadelta: [{}, {"rho": 0.95}, {"eps": 1e-3}, l2, up, {"lr": 0.1, "rho": 0.95, "eps": 1e-3, **l2}],
        o.Adam: [{}, {"betas": (0.0, 0.999)}, {"betas": (0.8, 0.9)}, {"eps": 1e-3}, l2, up, {"amsgrad": True},
                 {"betas": (0.8, 0.9), "eps": 1e-3, "amsgrad": True, **l2, **up}],
        o.AdamW: [{}, {"weight_decay": 0}, l2, up, {"betas": (0.8, 0.9), "eps": 1e-3, "amsgrad": True, **l2}],
        o.Adamax: [{}, {"betas": (0.0, 0.999)}, {"betas": (0.8, 0.9)}, {"eps": 1e-3}, l2, up],
        o.NAdam: [{}, {"momentum_decay": 0.5}, {"eps": 1e-3}, l2, {"decoupled_weight_decay": True, **l2}, up],
        # rho_t passes 5 within a dozen steps for beta2 = 0.999 and never for 0.7.
        o.RAdam: [{}, {"betas": (0.8, 0.9)}, {"betas": (0.8, 0.7)}, {"eps": 1e-3}, l2,
                  {"decoupled_weight_decay": True, **l2}, up],
        o.Rprop: [{}, {"etas": (0.7, 1.5)}, {"step_sizes": (5e-3, 0.02)}, up],
    }
    cases = []
    for f, grid in grids.items():
        cases.append(case(f))
        large = {"lr": 0.05}
        cases += [case(f, **large | options) for options in grid]
        cases += [case(f, p, **large | grid[-1]) for p in ("missing", "quadratic", "steep_flat")]
        if f is not o.Rprop:  # whose rate is only its first step size
            cases.append(case(f, lr_changes={"6": 0.02}, **large))
        cases.append(case(f, "missing"))
    return cases


def main():
    about = origin(VERSIONS, note=NOTE)
    write("torch_rmsprop", about, rmsprop())
    write("torch_sgd", about, sgd())
    write("torch_adaptive", about, adaptive())
