"""One widget of each kind that the package exports, for tests that walk over all of them."""

from collections.abc import Callable

import numpy as np

from optcore import widgets
from optcore.widgets import Quiz, Widget

from .test_quiz import QUESTIONS

EXPORTED = [getattr(widgets, name) for name in widgets.__all__]
KINDS = [kind for kind in EXPORTED if isinstance(kind, type) and issubclass(kind, Widget) and kind is not Widget]
NAMES = sorted(kind.name for kind in KINDS)

# What cannot be made without arguments.
_MADE: dict[str, Callable[[], Widget]] = {
    "explore": lambda: widgets.explore("rosenbrock", ["gd", "adam"], lr=1e-3),
    "quiz": lambda: Quiz("3.1", QUESTIONS),
    "training": lambda: widgets.training(
        {k: {"loss": np.arange(1, 100.0) ** -k, "end": 1 / k} for k in range(1, 9)}, curves=["loss"], values=["end"]
    ),
}


def example(name: str) -> Widget:
    """The widget that the factory of this name makes."""
    return _MADE.get(name, getattr(widgets, name))()
