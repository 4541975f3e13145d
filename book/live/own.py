"""Runs in the page's Python: an explorer of the page with rules and a landscape that the reader has written."""

import inspect
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import optcore as oc
from optcore.symbolic import TraceError
from optcore.widgets.base import to_json
from optcore.widgets.join import join

from .answers import Json, run, sentence


def said(asked: str) -> Json:
    """The explorer's new state as JSON, {"state", "joined", "rests"}, or what to change, {"kind", "text", "line"}.

    `asked` holds its stored state, and the source of rules and of a landscape, each of which may be empty; `kind` says
    in which of the two the fault lies.
    """
    state, sources = json.loads(asked)
    made: dict[str, Any] = {"rule": None, "landscape": None}
    for kind, read in (("landscape", _landscape), ("rule", _rules)):
        if not (code := sources.get(kind)):
            continue
        try:
            made[kind] = read(_defined(code))
            new, joined, rests = join(state, made["rule"], made["landscape"])
        except BaseException as error:
            return Json(to_json({"kind": kind, **_told(error, code)}))
    return Json(to_json({"state": new, "joined": joined, "rests": rests}))


def _defined(code: str) -> dict[str, Any]:
    """The names that the code defines."""
    begin = {"__name__": "__main__", "np": np, "oc": oc}
    space = dict(begin)
    run(code, space)
    return {name: value for name, value in space.items() if name not in begin and not name.startswith("_")}


def _functions(names: dict[str, Any]) -> Iterator[tuple[str, Callable]]:
    return ((name, f) for name, f in names.items() if callable(f) and not isinstance(f, type))


def _first(f: Callable) -> str:
    try:
        return next(iter(inspect.signature(f).parameters), "")
    except ValueError:  # a function of NumPy's
        return ""


def _rules(names: dict[str, Any]) -> dict[str, Callable]:
    """What takes a gradient g; else the last function, whatever it calls it."""
    functions = dict(_functions(names))
    if not functions:
        raise ValueError("There is no rule here: write one as def my_rule(g): return g.")
    return {name: f for name, f in functions.items() if _first(f) in ("g", "G")} or dict([functions.popitem()])


def _landscape(names: dict[str, Any]) -> oc.Surface:
    """The last function, of x and y or of one point, over `domain`."""
    functions = dict(_functions(names))
    if not functions:
        raise ValueError("There is no landscape here: write one as def my_landscape(x, y): return x**2 + y**2.")
    name, f = functions.popitem()
    if isinstance(f, oc.Surface):
        return f
    domain = _window(names.get("domain", ((-2, 2), (-2, 2))))
    start = [low + 0.75 * (high - low) for low, high in domain]
    surface = oc.Surface(_of_a_point(f, name), name=name, domain=domain, start=start)
    height = surface(start)
    if np.shape(height) != ():
        raise ValueError(f"{name} must return one number for a point; it returned {np.size(height)}.")
    if not np.isfinite(height):
        raise ValueError(
            f"{name} is {height} at ({start[0]:g}, {start[1]:g}), where the paths start; change the domain."
        )
    return surface


def _window(domain: Any) -> list[list[float]]:
    try:
        window = np.asarray(domain, float)
    except (TypeError, ValueError):
        window = np.empty(0)
    if window.shape != (2, 2) or not np.all(np.isfinite(window)) or not np.all(window[:, 0] < window[:, 1]):
        raise ValueError("domain must be a pair for each of the two axes, as in domain = (-2, 2), (-1, 3).")
    return window.tolist()


def _of_a_point(f: Callable, name: str) -> Callable:
    """f as a function of one point; its numbers with sliders are the keyword-only ones."""
    P = inspect.Parameter
    parameters = list(inspect.signature(f).parameters.values())
    numbers = [p for p in parameters if p.kind is P.KEYWORD_ONLY]
    axes = [p for p in parameters if p.kind in (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD) and p.default is P.empty]
    if len(axes) + len(numbers) < len(parameters) or len(axes) not in (1, 2):
        raise TypeError(
            f"{name} must take two coordinates, and after a star the numbers that get sliders: "
            f"def {name}(x, y, *, k=1.0)."
        )
    for p in numbers:
        if isinstance(p.default, bool) or not isinstance(p.default, (int, float)):
            raise TypeError(f"{name}: '{p.name}' needs a number to start from, as in {p.name}=1.0.")
    if len(axes) == 1:
        return f

    def of_a_point(w, **given):
        return f(w[..., 0], w[..., 1], **given)

    of_a_point.__signature__ = inspect.Signature([P("w", P.POSITIONAL_OR_KEYWORD), *numbers])  # type: ignore[attr-defined]
    of_a_point.__name__, of_a_point.__doc__ = name, f.__doc__
    return of_a_point


def _told(error: BaseException, code: str) -> dict:
    """One sentence, and the line of the code that it is about: optcore's own sentence where it has one."""
    told = sentence(error, code)
    own = isinstance(error, TraceError) or (
        isinstance(error, (TypeError, ValueError))
        and not _is_in_the_code(traceback.extract_tb(error.__traceback__)[-1])
    )
    if own and "\n" not in (text := str(error)):
        told["text"] = text[:1].upper() + text[1:] if text.startswith("line ") else text
    return told


def _is_in_the_code(frame: traceback.FrameSummary) -> bool:
    return frame.filename == "<answer>"
