"""Records what the optimizers of other frameworks do. See OPTIM.md.

    python optim.py torch|timm|optax|keras|tf1|clipping|schedules ...

Each name writes its files into optim/. Frameworks may live in separate environments, so each is imported only when named.
"""

import importlib
import os
import sys

MODULES = {
    "torch": "optim_torch",
    "timm": "optim_timm",
    "optax": "optim_optax",
    "keras": "optim_keras",
    "tf1": "optim_tf1",
    "clipping": "optim_clipping",
    "schedules": "optim_schedules",
}

if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - MODULES.keys()
    if unknown or len(sys.argv) == 1:
        sys.exit(__doc__)
    os.environ.update(KERAS_BACKEND="jax", JAX_ENABLE_X64="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    for name in sys.argv[1:]:
        importlib.import_module(MODULES[name]).main()
