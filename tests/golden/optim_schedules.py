"""Learning rates over 30 steps: `rates[t]` is the rate step t (from 0) uses."""

import inspect

from optim_format import origin, write

STEPS = 30
BASE = 0.1


def resolved(make, options):
    """`options` with the defaults of `make` filled in."""
    bound = inspect.signature(make).bind_partial(**options)
    bound.apply_defaults()
    return {k: v for k, v in bound.arguments.items() if k not in ("optimizer", "last_epoch", "scale_fn")}


def torch_schedule(name, **options):
    """One scheduler that only counts steps; SequentialLR and ChainedScheduler take `schedulers` as [name, options]."""
    import torch
    from torch.optim import lr_scheduler

    momentum = 0.9
    param = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([param], lr=BASE, momentum=momentum)

    def make(name, options):
        options = dict(options)
        if "schedulers" not in options:
            return getattr(lr_scheduler, name)(optimizer, **options)
        parts = [make(*part) for part in options.pop("schedulers")]
        if name == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(parts)
        return lr_scheduler.SequentialLR(optimizer, parts, **options)

    def stated(name, options):
        parts = [[part, stated(part, more)] for part, more in options.get("schedulers", [])]
        options = resolved(getattr(lr_scheduler, name), options)
        return options | {"schedulers": parts} if parts else options

    metrics = options.pop("metrics", None)
    scheduler = make(name, options)
    rates, momenta = [], []
    for t in range(STEPS):
        group = optimizer.param_groups[0]
        rates.append(float(group["lr"]))
        momenta.append(group["momentum"])
        optimizer.step()
        scheduler.step(*([metrics[t]] if metrics else []))
    got = {"schedule": name, "framework": "torch", "base_lr": BASE, "options": stated(name, options), "rates": rates}
    if metrics:
        got["metrics"] = metrics
    if set(momenta) != {momentum}:
        got["momenta"] = momenta
    return got


def torch_cases():
    s = torch_schedule
    # Falls, then stalls with changes below and above the thresholds, then rises.
    metrics = [1.0, 0.8, 0.7, 0.69999, 0.7, 0.71, 0.7, 0.65, 0.65, 0.65, 0.6499, 0.66, 0.64, 0.5, 0.5]
    metrics += [0.5 + 0.01 * t for t in range(15)]
    plateau = {"metrics": metrics}
    one_cycle = {"max_lr": 1.0, "total_steps": 31}
    cyclic = {"base_lr": 0.01, "max_lr": 0.1}
    warmup = ["LinearLR", {"start_factor": 0.1, "total_iters": 5}]
    cosine, exponential = ["CosineAnnealingLR", {"T_max": 25}], ["ExponentialLR", {"gamma": 0.9}]

    def constant(total_iters):
        return ["ConstantLR", {"factor": 0.5, "total_iters": total_iters}]

    return [
        s("ConstantLR"),
        s("ConstantLR", factor=0.5, total_iters=7),
        s("LinearLR"),
        s("LinearLR", start_factor=0.1, end_factor=0.8, total_iters=10),
        s("StepLR", step_size=10),
        s("StepLR", step_size=4, gamma=0.5),
        s("MultiStepLR", milestones=[3, 10, 10, 21], gamma=0.5),
        s("ExponentialLR", gamma=0.9),
        s("PolynomialLR"),
        s("PolynomialLR", total_iters=20, power=2.0),
        s("CosineAnnealingLR", T_max=30),
        s("CosineAnnealingLR", T_max=30, eta_min=0.01),
        s("CosineAnnealingLR", T_max=10, eta_min=0.01),
        s("CosineAnnealingWarmRestarts", T_0=10),
        s("CosineAnnealingWarmRestarts", T_0=4, T_mult=2, eta_min=0.01),
        s("OneCycleLR", **one_cycle),
        s("OneCycleLR", **one_cycle, anneal_strategy="linear", pct_start=0.4, div_factor=10.0, final_div_factor=100.0),
        s("OneCycleLR", **one_cycle, three_phase=True),
        s("CyclicLR", **cyclic, step_size_up=5),
        s("CyclicLR", **cyclic, step_size_up=4, step_size_down=6, mode="triangular2"),
        s("SequentialLR", schedulers=[warmup, cosine], milestones=[5]),
        s("SequentialLR", schedulers=[warmup, exponential, constant(3)], milestones=[5, 15]),
        s("ChainedScheduler", schedulers=[constant(7), exponential]),
        s("ReduceLROnPlateau", **plateau),
        s("ReduceLROnPlateau", **plateau, patience=2),
        s("ReduceLROnPlateau", **plateau, patience=1, factor=0.5, cooldown=2),
        s("ReduceLROnPlateau", **plateau, patience=0, factor=0.5, threshold=0.01, threshold_mode="abs", min_lr=0.005),
        s("ReduceLROnPlateau", **plateau, mode="max", patience=3, threshold=0.0),
    ]


def with_torch():
    from optim_torch import VERSIONS

    write("schedules_torch", origin(VERSIONS, note=__doc__), torch_cases(), with_problems=False)


def with_optax():
    import optax

    from optim_optax import VERSIONS

    def s(name, **options):
        schedule_of = getattr(optax, name)
        schedule = schedule_of(**options)
        rates = [float(schedule(t)) for t in range(STEPS)]
        return {"schedule": name, "framework": "optax", "options": resolved(schedule_of, options), "rates": rates}

    cycle = {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 3, "decay_steps": 10, "end_value": 0.01}
    later = cycle | {"init_value": 0.01, "peak_value": 0.05, "decay_steps": 15, "exponent": 2.0}
    between = {"init_value": 0.1, "end_value": 0.01, "transition_steps": 20, "transition_begin": 4}
    stairs = {"transition_steps": 4, "decay_rate": 0.5, "transition_begin": 3, "staircase": True, "end_value": 0.005}
    warmup = {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 5}
    cases = [
        s("constant_schedule", value=0.1),
        s("linear_schedule", **between),
        s("polynomial_schedule", **between, power=2),
        s("piecewise_constant_schedule", init_value=0.1, boundaries_and_scales={3: 0.5, 10: 0.1}),
        s("exponential_decay", init_value=0.1, transition_steps=10, decay_rate=0.5),
        s("exponential_decay", init_value=0.1, **stairs),
        s("cosine_decay_schedule", init_value=0.1, decay_steps=30),
        s("cosine_decay_schedule", init_value=0.1, decay_steps=20, alpha=0.1, exponent=2.0),
        s("warmup_constant_schedule", **warmup),
        s("warmup_cosine_decay_schedule", **warmup, decay_steps=30),
        s(
            "warmup_cosine_decay_schedule",
            **warmup | {"init_value": 0.01},
            decay_steps=25,
            end_value=0.001,
            exponent=2.0,
        ),
        s("warmup_exponential_decay_schedule", **warmup, transition_steps=10, decay_rate=0.5),
        s("cosine_onecycle_schedule", transition_steps=30, peak_value=1.0),
        s("linear_onecycle_schedule", transition_steps=30, peak_value=1.0),
        s("sgdr_schedule", cosine_kwargs=[cycle, later]),
    ]
    write("schedules_optax", origin(VERSIONS, note=__doc__), cases, with_problems=False)
