"""`chord()`: the chord test of convex functions, the segment test of convex sets, and parabolas below and above."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..losses import softplus
from ..palette import LANDSCAPE
from ..support import explains
from ..symbolic import Differentiable, trace
from .allowed import choice, number, point
from .base import Goal, Setting, Widget

__all__ = ["Chord", "chord"]


class _Shape(NamedTuple):
    label: str
    fn: Callable
    domain: tuple[float, float]
    a: tuple[float, float]
    b: tuple[float, float]
    is_set: bool = False


def _function(label: str, fn: Callable, domain: tuple, a: float, b: float) -> _Shape:
    return _Shape(label, fn, domain, (a, 0.0), (b, 0.0))


def _set(label: str, fn: Callable, a: tuple, b: tuple) -> _Shape:
    """The points w where fn(w) ≤ 0."""
    return _Shape(label, fn, (-1.5, 1.5), a, b, True)


def _norm(w):
    return np.sqrt(w[..., 0] ** 2 + w[..., 1] ** 2)


def _crescent(w):
    inner = np.sqrt((w[..., 0] - 0.5) ** 2 + w[..., 1] ** 2)
    return np.maximum(_norm(w) - 1.2, 0.9 - inner)


SHAPES: dict[str, _Shape] = {
    "square": _function("x²", lambda x: x**2, (-3, 3), -2.0, 1.5),
    "abs": _function("|x|", lambda x: np.abs(x), (-3, 3), -2.0, 1.0),
    "exp": _function("eˣ", lambda x: np.exp(x), (-3, 2), -2.5, 1.5),
    "softplus": _function("ln(1 + eˣ)", softplus, (-5, 5), -3.0, 4.0),
    "sqrt_abs": _function("√|x|", lambda x: np.sqrt(np.abs(x)), (-2, 2), 0.0, 1.0),
    "sine_bowl": _function("x² + 3 sin² x", lambda x: x**2 + 3 * np.sin(x) ** 2, (-5, 5), 0.2, 3.2),
    "double_well": _function("x⁴/4 − x²/2", lambda x: x**4 / 4 - x**2 / 2, (-2, 2), -1.2, 1.4),
    "disk": _set("disk", lambda w: _norm(w) - 1.2, (-0.9, -0.4), (0.5, 0.9)),
    "diamond": _set("ℓ₁ ball", lambda w: np.abs(w[..., 0]) + np.abs(w[..., 1]) - 1.2, (-0.8, 0.2), (0.2, 0.8)),
    "star": _set(
        "ℓ½ ball",
        lambda w: np.sqrt(np.abs(w[..., 0])) + np.sqrt(np.abs(w[..., 1])) - 1.2**0.5,
        (-0.9, 0.0),
        (0.0, 0.8),
    ),
    "ring": _set("ring", lambda w: np.abs(_norm(w) - 0.95) - 0.3, (-0.9, -0.1), (0.6, 0.7)),
    "crescent": _set("crescent", _crescent, (-0.1, 1.0), (-0.1, -1.0)),
}
BOUNDS = {"none": "nothing", "tangent": "the tangent", "parabolas": "parabolas with μ and L"}
CURVATURE = (-6.0, 20.0)  # limits of μ and L


def _sent(key: str, shape: _Shape) -> dict:
    """A shape as the page needs it: program, window, points, and for functions the curvatures found in the window."""
    sent = {"value": key, "domain": shape.domain, "a": shape.a, "b": shape.b, "set": shape.is_set}
    if shape.is_set:
        program = trace(shape.fn, (2,)).program()
        return sent | {"label": f"Set: {shape.label}", "program": program, "range": shape.domain}
    f = _of_point(shape.fn)
    points = np.linspace(*shape.domain, 1001)[:, None]
    y, bend = f(points), f.hess(points).ravel()
    if not np.all(np.isfinite(y)):
        raise ValueError(f"The function must be finite on its domain {shape.domain}.")
    pad = 0.08 * max(np.ptp(y), 1e-3)
    bend = bend[np.isfinite(bend)]
    return sent | {
        "label": shape.label,
        "program": f.program(1),
        "range": (y.min() - pad, y.max() + pad),
        "bend": (bend.min(), bend.max()),
    }


def _of_point(fn: Callable) -> Differentiable:
    """A function of one number as a function of points (…, 1)."""
    return Differentiable(lambda w: fn(w[..., 0]))


class Chord(Widget):
    """Two points and the segment between them, on a curve or in a plane set."""

    name = "chord"
    line = "Drag A and B: does the straight way between them pass the test? It fails where the line is thick."
    f = Setting("Name of the function or set.")
    a = Setting("Point A; on a curve only its first coordinate counts.", point())
    b = Setting("Point B; on a curve only its first coordinate counts.", point())
    t = Setting("Share of A in the marked point tA + (1 − t)B.", number(0, 1))
    bounds = Setting('What is drawn at A: "none", "tangent" or "parabolas".', choice(BOUNDS))
    mu = Setting("Curvature of the lower parabola.", number())
    L = Setting("Curvature of the upper parabola.", number())

    def __init__(self, shapes: dict[str, _Shape], value: dict):
        self._shapes = shapes
        value = self.checked(value)
        shape = shapes[value["f"]]
        spec = {
            "title": "Chord test",
            "shapes": [_sent(key, s) for key, s in shapes.items()],
            "bounds": [{"value": k, "label": v} for k, v in BOUNDS.items()],
            "curvature": CURVATURE,
        }
        what = "A plane set with" if shape.is_set else "The curve of"
        summary = (
            f"{what} {shape.label}, two points A and B and the segment between them, coloured where the test fails."
        )
        super().__init__(spec=spec, value=value, label=f"Chord({shape.label})", summary=summary)

    def checked(self, value: dict) -> dict:
        if not isinstance(value["f"], str) or value["f"] not in self._shapes:
            raise ValueError(f"f must be a function or one of {', '.join(self._shapes)}; it was {value['f']!r}.")
        return super().checked(value)

    def goal(self) -> Goal | None:
        shape, s = self._shapes[self.f], np.linspace(0, 1, 401)[:, None]
        A, B = np.array(self.a), np.array(self.b)
        if shape.is_set:
            fails = np.any(shape.fn(s * A + (1 - s) * B) > 0)
            test, words = ("a segment of length 0.8 or more that stays inside", "this one, of length {length}, stays.")
            long = ("length", ">", 0.8)
        else:
            f, x = shape.fn, s[1:-1] * A[0] + (1 - s[1:-1]) * B[0]
            fails = np.any(f(x) > s[1:-1] * f(A[0]) + (1 - s[1:-1]) * f(B[0]) + 1e-9)
            test, words = ("a chord, 1 wide or more, that stays above the curve", "this one, {length} wide, stays.")
            long = ("length", ">", 0.999)
        if fails:
            return Goal(f"Find {test}.", [("f", "=", self.f), ("failed", "=", 0), long, *self._inside(shape)], words)
        if self._convex(shape):
            return None
        return Goal(
            "Find two points where the test fails.",
            [("f", "=", self.f), ("failed", ">", 0.01), *self._inside(shape)],
            "this one does, so it is not convex.",
        )

    @staticmethod
    def _inside(shape: _Shape) -> list[tuple]:
        return [("outside", "=", 0)] if shape.is_set else []

    @staticmethod
    def _convex(shape: _Shape) -> bool:
        """Whether no pair out of many points of the window fails the test at its middle."""
        if not shape.is_set:
            x = np.linspace(*shape.domain, 201)
            f = shape.fn(x)
            return bool(np.all(shape.fn((x[:, None] + x) / 2) <= (f[:, None] + f) / 2 + 1e-9))
        w = np.stack(np.meshgrid(*2 * [np.linspace(*shape.domain, 41)]), axis=-1).reshape(-1, 2)
        w = w[shape.fn(w) <= 0]
        return bool(np.all(shape.fn((w[:, None] + w) / 2) <= 1e-9))

    def still(self):
        from .. import plotting

        shape, v = self._shapes[self.value["f"]], self.value
        figure, ax = plotting.plt.subplots(figsize=(5.2, 3.0))
        a, b = np.array(v["a"]), np.array(v["b"])
        if shape.is_set:
            points, x, y = plotting.grid((shape.domain, shape.domain))
            ax.contourf(x, y, shape.fn(points), [-np.inf, 0], colors=[LANDSCAPE[0]])
            ax.set_aspect("equal")
        else:
            x = np.linspace(*shape.domain, 401)
            ax.plot(x, shape.fn(x), color="#1d2630")
            a[1], b[1] = shape.fn(a[0]), shape.fn(b[0])
        ax.plot(*np.transpose([a, b]), "o-", color="#0b63b5")
        for name, place in (("A", a), ("B", b)):
            ax.annotate(name, tuple(place), (6, 6), textcoords="offset points")
        return figure


@explains
def chord(
    f: str | Callable = "sine_bowl",
    a: float | Sequence[float] | Any = None,
    b: float | Sequence[float] | Any = None,
    *,
    t: float = 0.5,
    bounds: str = "none",
    mu: float = 0.0,
    L: float = 8.0,
    domain: tuple[float, float] = (-3.0, 3.0),
) -> Chord:
    """Drag two points: does the chord stay above the curve, does the segment stay in the set?

    f: a function by name (square, abs, exp, softplus, sqrt_abs, sine_bowl, double_well), a set by name (disk,
    diamond, star, ring, crescent), or your own NumPy function of one number, drawn over `domain`. a, b: the
    points, numbers on a curve, pairs in a set. t: share of A in the marked point tA + (1 − t)B. bounds: at A
    "none", the "tangent", or "parabolas" of curvature mu below and L above.

    What the reader did can be read back: `.f`, `.a`, `.b`, `.t`, `.bounds`, `.mu`, `.L`. Raises ValueError for an
    unknown name, a point that is none, or a function that is not finite on its domain; TraceError for a function
    that cannot be traced.

    >>> chord("sqrt_abs", 0, 1, t=0.75)
    Chord(√|x|)
    """
    shapes = SHAPES
    if callable(f):
        middle, half = np.mean(domain), np.ptp(domain) / 3
        own = _function(getattr(f, "__name__", "f(x)"), f, domain, middle - half, middle + half)
        shapes, f = {"own": own, **SHAPES}, "own"
    first = shapes.get(f, SHAPES["square"])
    pair = lambda p, default: default if p is None else (p, 0.0) if np.ndim(p) == 0 else tuple(p)
    value = {
        "f": f,
        "a": pair(a, first.a),
        "b": pair(b, first.b),
        "t": float(t),
        "bounds": bounds,
        "mu": float(mu),
        "L": float(L),
    }
    return Chord(shapes, value)
