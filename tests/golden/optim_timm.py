"""timm's RMSpropTF, single-tensor path in float64."""

import itertools

import timm
from timm.optim import RMSpropTF

from optim_format import origin, write
from optim_torch import NOTE, VERSIONS, case


def cases():
    def play(problem="stream", **options):
        lr_changes = options.pop("lr_changes", None)
        got = case(RMSpropTF, problem, lr_changes, "timm", **options)
        got["rule"] = "rmsprop"
        # What corrected_weight_decay remembers as the largest rate: the rate at construction.
        got["options"].pop("max_lr_snapshot")
        return got

    got = [play(p) for p in ("stream", "missing", "steep_flat", "quadratic")]
    plain = ((1e-3, 0, True),)
    for eps, momentum, inside in plain + tuple(itertools.product((1e-10, 1e-3), (0.9,), (True, False))):
        common = {"eps": eps, "momentum": momentum, "lr_in_momentum": inside}
        got.append(play(lr_changes={"6": 0.005}, **common))
        for centered, decay in itertools.product((False, True), (None, "l2", "decoupled", "corrected")):
            more = {"centered": centered}
            if decay:
                more |= {
                    "weight_decay": 0.1,
                    "decoupled_decay": decay != "l2",
                    "corrected_weight_decay": decay == "corrected",
                }
            # The correction only shows once the rate has moved from the first one.
            got.append(play(**common, **more, **({"lr_changes": {"6": 0.005}} if decay == "corrected" else {})))
        got.append(play("missing", centered=True, weight_decay=0.1, **common))
    return got


def main():
    write("timm_rmsprop", origin(VERSIONS | {"timm": timm.__version__}, note=NOTE), cases())
