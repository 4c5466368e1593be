"""Records what the optimizers of other frameworks do. See OPTIM.md.

    python optim.py torch|timm|optax|keras|tf1 ...

Each name writes its files into optim/. Frameworks may live in separate environments, so each is imported only when
named.
"""

import importlib
import os
import sys

RECORDERS = {
    "torch": ["optim_torch.main", "optim_clipping.with_torch", "optim_schedules.with_torch"],
    "timm": ["optim_timm.main"],
    "optax": ["optim_optax.main", "optim_clipping.with_optax", "optim_schedules.with_optax"],
    "keras": ["optim_keras.main", "optim_clipping.with_keras"],
    "tf1": ["optim_tf1.main"],
}

if __name__ == "__main__":
    if len(sys.argv) == 1 or set(sys.argv[1:]) - RECORDERS.keys():
        sys.exit(__doc__)
    os.environ.update(KERAS_BACKEND="jax", JAX_ENABLE_X64="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    for framework in sys.argv[1:]:
        for recorder in RECORDERS[framework]:
            module, function = recorder.split(".")
            getattr(importlib.import_module(module), function)()
