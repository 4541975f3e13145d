"""Update rules that read like their formulas, the loops that run them, and the pages that show them.

>>> import optcore as oc
>>> path = oc.descend(oc.adam, oc.rosenbrock, [-1.5, 2.0], steps=500, lr=0.05)
"""

from .claims import *
from .constraints import *
from .curvature import *
from .data import *
from .descent import *
from .fisher import *
from .initializers import *
from .intervals import *
from .layers import *
from .line_search import *
from .links import *
from .losses import *
from .matrix_rules import *
from .network import *
from .optimizer import *
from .palette import *
from .precision import *
from .regularizers import *
from .rule_spec import *
from .rules import *
from .schedules import *
from .second_order import *
from .solvers import *
from .support import exported
from .surfaces import *
from .symbolic import *
from .training_loop import *
from .transformer import *

__version__ = "0.1.0"

# What needs more than NumPy loads when first used, so that `import optcore` stays quick.
_LAZY = {module: module for module in ("grading", "plotting", "widgets")}
_LAZY |= dict.fromkeys(("check", "hint", "progress", "solution"), "grading")
_LAZY |= {name: module for module in ("comparison", "sweeps", "verdicts") for name in exported(module)}
_LAZY |= {name: "widgets" for name in exported("widgets") if name.islower()}
del exported


def __getattr__(name: str):
    if name not in _LAZY:
        raise AttributeError(f"module 'optcore' has no attribute '{name}'")
    from importlib import import_module

    module = import_module(f"{__name__}.{_LAZY[name]}")
    value = module if name == _LAZY[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LAZY})
