"""Two-dimensional landscapes: formula, window to draw, minima as data. Derivatives come from `symbolic`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .support import known
from .symbolic import Differentiable

__all__ = [
    "SURFACES",
    "Surface",
    "beale",
    "bowl",
    "cliff",
    "hills",
    "himmelblau",
    "monkey_saddle",
    "plateau",
    "rastrigin",
    "rosenbrock",
    "saddle",
    "two_basins",
]


class Surface(Differentiable):
    """A function of a point `w`, shape `(…, 2)`, and what is needed to draw it.

    domain: ((x0, x1), (y0, y1)), the window. minima: the points where it has a local minimum, or a function of the
    parameters that gives them; points are those of the default parameters, and with others none is known. start: where
    a descent begins. ranges: parameter -> (low, high, "linear" or "log").
    """

    def __init__(
        self,
        fn: Callable,
        *,
        name: str = "",
        domain: Sequence = ((-2.0, 2.0), (-2.0, 2.0)),
        minima: Sequence | Callable = (),
        start: Sequence = (1.0, 1.0),
        ranges: dict[str, tuple[float, float, str]] | None = None,
        source: str = "",
    ):
        super().__init__(fn)
        self.__name__ = name or self.__name__
        self.__doc__ = fn.__doc__
        self.domain = tuple(tuple(map(float, side)) for side in domain)
        self._minima, self._defaults = minima, self.params
        self.start = np.array(start, float)
        self.ranges = ranges or {}
        self.source = source

    def at(self, **params: float) -> "Surface":
        """The same surface with other parameter values.

        >>> bowl.at(kappa=10.0).hess([0.0, 0.0], angle=0.0)
        array([[ 1.,  0.],
               [ 0., 10.]])
        """
        if unknown := sorted(set(params) - set(self.params)):
            raise TypeError(f"{self.__name__} has no parameter '{unknown[0]}'; it has: {', '.join(self.params)}.")
        other = object.__new__(Surface)
        other.__dict__ = self.__dict__ | {"params": self.params | params}
        return other

    def __reduce__(self):
        if self.__name__ not in SURFACES:
            return super().__reduce__()
        changed = {k: v for k, v in self.params.items() if v != self._defaults[k]}
        return _again, (self.__name__, changed)

    @property
    def minima(self) -> np.ndarray:
        """The known local minima (k, 2) at the present parameters."""
        if callable(self._minima):
            return np.array(self._minima(**self.params), float).reshape(-1, 2)
        return np.array(self._minima if self.params == self._defaults else [], float).reshape(-1, 2)

    @property
    def lowest(self) -> float | None:
        """Value at the lowest of the known minima; None when none is known."""
        return float(np.min(self(self.minima))) if len(self.minima) else None

    def _call(self, order: int, w: Any, params: dict):
        if np.shape(w)[-1:] != (2,):
            raise ValueError(f"{self.__name__} takes points (x, y), of shape (…, 2); it was given {np.shape(w)}.")
        return super()._call(order, w, params)

    def __repr__(self) -> str:
        inside = "".join(f", {k}={v:g}" for k, v in self.params.items())
        return f"Surface({self.__name__}{inside})"


def surface_named(name: str) -> "Surface":
    """The surface of that name; raises ValueError with the names there are.

    >>> surface_named("bowl") is bowl
    True
    """
    return known("surface", name, SURFACES)


def _again(name: str, params: dict[str, float]) -> "Surface":
    return surface_named(name).at(**params)


def _surface(**facts: Any) -> Callable[[Callable], Surface]:
    return lambda fn: Surface(fn, **facts)


@_surface(
    domain=((-3, 3), (-3, 3)),
    minima=lambda kappa, angle: [(0, 0)] if kappa > 0 else [],
    start=(-2.5, 1.5),
    ranges={"kappa": (1.0, 1000.0, "log"), "angle": (0.0, 90.0, "linear")},
    source="Boyd & Vandenberghe 2004, §9.3.2",
)
def bowl(w, *, kappa=20.0, angle=0.0):
    """Quadratic bowl ½(u² + κv²): (u, v) is w turned by `angle` degrees; eigenvalues 1 and κ, condition number κ."""
    c, s = np.cos(angle * (np.pi / 180)), np.sin(angle * (np.pi / 180))
    u, v = c * w[..., 0] + s * w[..., 1], c * w[..., 1] - s * w[..., 0]
    return 0.5 * (u**2 + kappa * v**2)


@_surface(
    domain=((-2, 2), (-1, 3)),
    minima=lambda a, b: [(a, a**2)] if b > 0 else [],
    start=(-1.5, 2.0),
    source="Rosenbrock 1960, The Computer Journal 3(3), 175-184",
)
def rosenbrock(w, *, a=1.0, b=100.0):
    """Rosenbrock's curved valley (a - x)² + b(y - x²)²; minimum (a, a²)."""
    x, y = w[..., 0], w[..., 1]
    return (a - x) ** 2 + b * (y - x**2) ** 2


@_surface(
    domain=((-5, 5), (-5, 5)),
    minima=[
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.283185991286170),
        (3.584428340330492, -1.848126526964404),
    ],
    start=(-0.5, -1.0),
    source="Himmelblau 1972, Applied Nonlinear Programming",
)
def himmelblau(w):
    """Himmelblau's four equal minima: (x² + y - 11)² + (x + y² - 7)²."""
    x, y = w[..., 0], w[..., 1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@_surface(domain=((-1, 4.5), (-2, 2)), minima=[(3, 0.5)], start=(1.0, 1.5), source="Beale 1958")
def beale(w):
    """Beale's function (1.5 - x + xy)² + (2.25 - x + xy²)² + (2.625 - x + xy³)²: steep edges, flat middle."""
    x, y = w[..., 0], w[..., 1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


@_surface(
    domain=((-3, 3), (-3, 3)),
    minima=lambda depth: [(0, 0)] if depth >= 0 else [],
    start=(2.2, -1.7),
    source="Rastrigin 1974, Systems of Extremal Control",
)
def rastrigin(w, *, depth=10.0):
    """Rastrigin's egg box Σ wᵢ² + depth·(1 - cos 2πwᵢ): about one local minimum at every integer point."""
    x, y = w[..., 0], w[..., 1]
    return x**2 + y**2 + depth * (2 - np.cos(2 * np.pi * x) - np.cos(2 * np.pi * y))


@_surface(domain=((-2, 2), (-2, 2)), minima=[(0, -1), (0, 1)], start=(1.5, 0.001))
def saddle(w):
    """Saddle at the origin with walls: ½x² - ½y² + ¼y⁴; minima (0, ±1), value -¼."""
    x, y = w[..., 0], w[..., 1]
    return 0.5 * x**2 - 0.5 * y**2 + 0.25 * y**4


@_surface(domain=((-1.5, 1.5), (-1.5, 1.5)), start=(1.0, 0.001))
def monkey_saddle(w):
    """Monkey saddle x³ - 3xy²: three ways down, and a Hessian that is zero at the critical point (0, 0)."""
    x, y = w[..., 0], w[..., 1]
    return x**3 - 3 * x * y**2


@_surface(domain=((-6, 6), (-6, 6)), minima=[(0, 0)], start=(4.0, 3.0), source="Geman & McClure 1985")
def plateau(w):
    """A dip in a plateau r²/(1 + r²), with r² = x² + y²: the gradient fades like 2/r³ far from the minimum."""
    r2 = w[..., 0] ** 2 + w[..., 1] ** 2
    return r2 / (1 + r2)


@_surface(
    domain=((-4, 4), (-2, 2)),
    minima=lambda height: [(-2, 0)] if height >= 0 else [],
    start=(3.0, 1.0),
    ranges={"height": (0.0, 20.0, "linear")},
    source="the shape discussed in Pascanu, Mikolov & Bengio 2013, §2.3",
)
def cliff(w, *, height=10.0):
    """A gentle bowl around (-2, 0) with a cliff at x = 1: 0.1(x + 2)² + ½y² + height·(1 + tanh(20(x - 1)))/2."""
    x, y = w[..., 0], w[..., 1]
    return 0.1 * (x + 2) ** 2 + 0.5 * y**2 + height * (0.5 + 0.5 * np.tanh(20 * (x - 1)))


@_surface(
    domain=((-4, 4), (-3, 3)),
    minima=[(-1.99186377613869, 0.0), (1.5437304893757, 0.0)],
    start=(-0.2, 1.5),
    source="after Hochreiter & Schmidhuber 1997",
)
def two_basins(w):
    """Two minima: a wide well near (1.7, 0) and a narrow one near (-2, 0), in a shallow bowl."""
    x, y = w[..., 0], w[..., 1]
    wide = np.exp(-((x - 1.7) ** 2 + y**2) / 2.0)
    narrow = np.exp(-((x + 2.0) ** 2 + y**2) / 0.08)
    return 0.05 * (x**2 + y**2) - wide - narrow


@_surface(
    domain=((-3, 3), (-3, 3)),
    minima=[(-0.0508849119080629, 1.4375699842103888), (-0.049115205831668333, -1.387757955171591)],
    start=(-0.1, 0.06),
    source="a saddle under a Gaussian, tilted so that no two critical points are equally high",
)
def hills(w):
    """Two hills, two hollows and the saddle between them: (x² - y² + 0.2x + 0.1y)·exp(-(x² + y²)/2)."""
    x, y = w[..., 0], w[..., 1]
    return (x**2 - y**2 + 0.2 * x + 0.1 * y) * np.exp(-(x**2 + y**2) / 2)


#: Every surface by name.
SURFACES: dict[str, Surface] = {
    s.__name__: s
    for s in (bowl, rosenbrock, himmelblau, beale, rastrigin, saddle, monkey_saddle, plateau, cliff, two_basins, hills)
}
