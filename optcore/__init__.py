"""Update rules that read like their formulas, the loops that run them, and the pages that show them.

>>> import optcore as oc
>>> path = oc.descend(oc.adam, oc.rosenbrock, [-1.5, 2.0], steps=500, lr=0.05)
"""

from importlib import import_module

from .claims import *
from .constrained import *
from .descent import *
from .initializers import *
from .losses import *
from .network import *
from .palette import *
from .regularizers import *
from .rules import *
from .schedules import *
from .second_order import *
from .surfaces import *
from .symbolic import *

__version__ = "0.1.0"

# What needs more than NumPy loads when first used, so that `import optcore` stays quick.
_LAZY = {
    "plotting": ".plotting",
    "widgets": ".widgets",
    "grading": ".grading",
    "check": ".grading",
    "hint": ".grading",
    "solution": ".grading",
    "progress": ".grading",
    "compare": ".comparison",
    "t_interval": ".comparison",
    "t_quantile": ".comparison",
    "Table": ".sweeps",
    "mean_se": ".sweeps",
    "sweep": ".sweeps",
    "quiz": ".widgets",
    "explore": ".widgets",
    "regression": ".widgets",
    "schedule": ".widgets",
    "feedback": ".widgets",
    "newton": ".widgets",
    "moments": ".widgets",
    "signal": ".widgets",
    "gradient_cloud": ".widgets",
    "spectrum": ".widgets",
    "fit": ".widgets",
    "training": ".widgets",
    "loss_curves": ".widgets",
    "chord": ".widgets",
    "critical_points": ".widgets",
    "backprop": ".widgets",
    "constrained": ".widgets",
}

# `oc.constrained(…)` is the widget; the room of that name is left to `from optcore.constrained import …`
del globals()["constrained"]


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module 'optcore' has no attribute '{name}'")
    module = import_module(_LAZY[name], __name__)
    value = module if module.__name__ == f"{__name__}.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LAZY})
