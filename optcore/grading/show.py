"""Show a case that fails in a few lines, the same on every processor."""

import inspect
from typing import Any

import numpy as np

from .compare import Difference
from .exercise import Exercise
from .run import Outcome


def show(value: Any) -> str:
    """A plain value, short, and the same on every processor.

    >>> show(np.array([1/3, 1e-17])), show(0.1 + 0.2), show([1, np.arange(100)])
    ('[0.33333, 0.     ]', '0.3', '[1, [ 0,  1, ..., 98, 99]]')
    """
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and value.size:
            finite = np.abs(value[np.isfinite(value)])
            value = np.where(np.abs(value) < 1e-12 * finite.max(initial=0.0), 0.0, value)
        return np.array2string(value, precision=5, separator=", ", threshold=24, edgeitems=2, max_line_width=80)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        shown = [show(item) for item in value[:6]] + ["…"] * (len(value) > 6)
        return ("[{}]" if isinstance(value, list) else "({})").format(", ".join(shown))
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(item)}" for name, item in value.items())
    return repr(value)


def show_case(exercise: Exercise, case: tuple, difference: Difference, got: Outcome) -> str:
    """A failing case in a few lines: how it is called, inputs, what was expected, what came back, what was printed."""
    rows = [(f"{name} =", show(value)) for name, value in zip(exercise.inputs, case, strict=False)]
    if exercise.kind != "explain" and (difference.expected is not None or difference.got is not None):
        if exercise.kind != "measure":
            rows.append(("expected", _around(difference.expected, difference)))
        rows.append(("got", _around(difference.got, difference)))
        alike = len(rows) > 1 and rows[-1][1] == rows[-2][1] and not difference.text
        if alike:
            rows.append(("apart by", show(float(np.max(np.abs(np.subtract(difference.got, difference.expected)))))))
    if got.printed:
        rows.append(("printed", got.printed.rstrip()))
    width = max((len(label) for label, _ in rows), default=0) + 1
    lines = [label.ljust(width) + text.replace("\n", "\n" + " " * width) for label, text in rows]
    doc = inspect.getdoc(exercise.probe) if exercise.probe else None
    return "\n".join(([doc] if doc and rows else []) + lines)


def _around(value: Any, difference: Difference) -> str:
    """A value, or of long arrays of one shape the entry where they first part."""
    a, b = difference.expected, difference.got
    arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    if not arrays or a.shape != b.shape or a.size <= 24:
        return show(value)
    with np.errstate(all="ignore"):
        gap = ~(np.abs(a.astype(float) - b) <= 1e-9 * np.abs(a.astype(float)))
    where = np.unravel_index(int(np.argmax(gap)), a.shape)
    return f"{show(float(value[where]))} at [{', '.join(map(str, where))}]"
