"""What a setting of a widget may be: a test, and the words that say it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Allowed",
    "choice",
    "flag",
    "number",
    "pairs",
    "point",
    "positive",
    "series",
    "subset",
    "table",
    "text",
    "whole",
]


@dataclass(frozen=True)
class Allowed:
    """A condition on one value, its words: "must be …", and the first and last values, or all where they are few."""

    words: str
    holds: Callable[[Any], bool]
    ends: tuple = ()

    def check(self, name: str, v: Any) -> None:
        """Raise ValueError, in one sentence, where `v` is not allowed.

        >>> number(0, 1).check("t", "nonsense")
        Traceback (most recent call last):
        ValueError: t must be a number from 0 to 1; it was 'nonsense'.
        """
        if not self.holds(v):
            raise ValueError(f"{name} must be {self.words}; it was {v!r}.")

    def or_none(self) -> "Allowed":
        """The same, or None."""
        return Allowed(f"None or {self.words}", lambda v: v is None or self.holds(v), (None, *self.ends))


def _is_number(v: Any) -> bool:
    return isinstance(v, (int, float, np.number)) and not isinstance(v, bool) and bool(np.isfinite(v))


def _finite(*ends: float) -> tuple:
    return tuple(end for end in ends if np.isfinite(end))


def _range(low: float, high: float) -> str:
    if np.isinf(high):
        return "" if np.isinf(low) else f", {low:g} or more"
    return f" from {low:g} to {high:g}"


def number(low: float = -np.inf, high: float = np.inf) -> Allowed:
    """A finite number in a closed interval."""
    words = "a finite number" if np.isinf(low) and np.isinf(high) else f"a number{_range(low, high)}"
    return Allowed(words, lambda v: _is_number(v) and bool(low <= v <= high), _finite(low, high))


def positive(high: float = np.inf) -> Allowed:
    """A number above 0."""
    words = "positive" if np.isinf(high) else f"positive and at most {high:g}"
    return Allowed(words, lambda v: _is_number(v) and bool(0 < v <= high), _finite(high))


def whole(low: float = 0, high: float = np.inf) -> Allowed:
    """A whole number in a closed interval.

    >>> whole(1, 20).words, whole().holds(2.0), whole().holds(-1)
    ('a whole number from 1 to 20', True, False)
    """
    words = f"a whole number{_range(low, high)}"
    return Allowed(words, lambda v: _is_number(v) and v == int(v) and bool(low <= v <= high), _finite(low, high))


def flag() -> Allowed:
    """True or False."""
    return Allowed("True or False", lambda v: isinstance(v, (bool, np.bool_)))


def text() -> Allowed:
    """Words."""
    return Allowed("a text", lambda v: isinstance(v, str))


def choice(options: Collection) -> Allowed:
    """One of a few."""
    words = f"one of {', '.join(map(str, options))}"
    holds = lambda v: isinstance(v, (str, int, float)) and not isinstance(v, bool) and v in options
    return Allowed(words, holds, tuple(options))


def subset(options: Collection) -> Allowed:
    """A list of some of a few."""
    words = f"a list out of {', '.join(map(str, options))}"
    return Allowed(
        words, lambda v: isinstance(v, (list, tuple)) and all(isinstance(one, str) and one in options for one in v)
    )


def table() -> Allowed:
    """A dict."""
    return Allowed("a dict", lambda v: isinstance(v, dict))


def _floats(v: Any) -> np.ndarray | None:
    try:
        array = np.asarray(v, float)
    except (TypeError, ValueError):
        return None
    return array if np.isfinite(array).all() else None


def point(window: Any = None) -> Allowed:
    """Two numbers, each in its interval (or both in the one that is given)."""
    if window is None:
        return Allowed("a pair of finite numbers", lambda v: (a := _floats(v)) is not None and a.shape == (2,))
    (x0, x1), (y0, y1) = np.broadcast_to(window, (2, 2))
    words = f"two numbers{_range(x0, x1)}" if (x0, x1) == (y0, y1) else f"a point in {x0:g}…{x1:g} × {y0:g}…{y1:g}"
    low, high = np.array([x0, y0]), np.array([x1, y1])

    def holds(v: Any) -> bool:
        a = _floats(v)
        return a is not None and a.shape == (2,) and bool(np.all((low <= a) & (a <= high)))

    return Allowed(words, holds)


def series(least: int, most: int, low: float = -np.inf) -> Allowed:
    """A list of finite numbers, all above `low`."""
    count = f"{least}" if least == most else f"{least} to {most}"
    words = f"{count} {'finite' if np.isinf(low) else 'positive'} numbers"

    def holds(v: Any) -> bool:
        a = _floats(v)
        return a is not None and a.ndim == 1 and least <= len(a) <= most and bool(np.all(a > low))

    return Allowed(words, holds)


def pairs(least: int, most: int, window: Any = None) -> Allowed:
    """A list of points.

    >>> pairs(2, 9, ((-1, 1), (0, 5))).words
    '2 to 9 pairs [x, y], each a point in -1…1 × 0…5'
    """
    one = point(window)
    words = f"{least} to {most} pairs [x, y]{'' if window is None else f', each {one.words}'}"
    lists = (list, tuple, np.ndarray)
    return Allowed(words, lambda v: isinstance(v, lists) and least <= len(v) <= most and all(map(one.holds, v)))
