"""Hyper-parameters: the values that make sense, and the value at a step of what may be a schedule."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .rule_spec import name_of, spec

#: The values that make sense for a hyper-parameter of the course's rules: name -> (lowest, highest, highest allowed?).
RANGES: dict[str, tuple[float, float, bool]] = {
    "lr": (0.0, np.inf, False),
    "beta": (0.0, 1.0, False),
    "beta1": (0.0, 1.0, False),
    "beta2": (0.0, 1.0, False),
    "rho": (0.0, 1.0, False),
    "beta3": (0.0, 1.0, False),
    "memory": (0.0, 1.0, False),
    "psi": (0.0, np.inf, False),
    "alpha": (0.0, np.inf, False),
    "up": (1.0, np.inf, False),
    "down": (0.0, 1.0, True),
    "least": (0.0, np.inf, False),
    "most": (0.0, np.inf, True),
    "period": (1.0, np.inf, False),
    "pull": (0.0, 1.0, True),
    "eps": (0.0, np.inf, False),
    "weight_decay": (0.0, np.inf, False),
    "max_norm": (0.0, np.inf, True),
    "max_value": (0.0, np.inf, True),
    "coefficient": (0.0, np.inf, False),
    "std": (0.0, np.inf, False),
}


def check_hyper(rule: Callable, given: Mapping[str, Any]) -> None:
    """Raises TypeError for a hyper-parameter that the rule has not, or that is no number; ValueError out of range."""
    defaults = spec(rule).hyper
    for name in given:
        if name != "lr" and name not in defaults:
            has = ", ".join(defaults) or "none"
            raise TypeError(f"{name_of(rule)} has no hyper-parameter '{name}'; it has: {has}.")
    bound = {name: value for name, value in defaults.items() if name in RANGES}  # by a partial, perhaps
    for name, value in {**bound, **given}.items():
        if not callable(value):
            check_value(name, value)


def check_value(name: str, value: Any) -> None:
    """The same for one value that is no schedule."""
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a number, an array or a schedule, not {value!r}.")
    low, high, closed = RANGES.get(name, (-np.inf, np.inf, True))
    if not np.all((numbers >= low) & ((numbers <= high) if closed else (numbers < high))):
        raise ValueError(f"{name} must be in [{low:g}, {high:g}{']' if closed else ')'}; it was {value}.")


def at(name: str, value: Any, step: int) -> Any:
    """The value at a step, from 0: the schedule's, which may leave the range, or the value itself.

    >>> at("lr", lambda t: 0.5**t, 2)
    0.25
    """
    if not callable(value):
        return value
    now = value(step)
    numbers = np.asarray(now)
    if numbers.dtype.kind not in "iuf" or np.isnan(numbers).any():
        raise TypeError(f"The schedule of {name} must give a number for every step; at step {step} it gave {now!r}.")
    return now
