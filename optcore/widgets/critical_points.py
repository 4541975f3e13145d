"""`critical_points()`: walk a surface, read its gradient and curvature, see where descent goes from everywhere."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..palette import color_of
from ..rule_spec import rule_program
from ..rules import gd
from ..support import explains
from ..surfaces import SURFACES, Surface, hills, surface_named
from .allowed import choice, flag, number, point, positive
from .base import Goal, Setting, Widget, titled

__all__ = ["CriticalPoints", "critical_points"]

STEPS = 400
FLAT = 0.1  # a gradient shorter than this part of the typical one counts as flat


def find_critical_points(surface: Surface, count: int = 21) -> np.ndarray:
    """The points of the window where the gradient vanishes, (k, 2): Newton's method from a grid of starts.

    Points with a singular Hessian are found only when they lie on the grid, as those of symmetry do.

    >>> find_critical_points(SURFACES["saddle"]).round(6).tolist()
    [[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]]
    """
    (x0, x1), (y0, y1) = surface.domain
    axes = np.meshgrid(np.linspace(x0, x1, count), np.linspace(y0, y1, count), indexing="ij")
    grid = w = np.stack(axes, axis=-1).reshape(-1, 2)
    for _ in range(50):
        g, H = surface.grad(w), surface.hess(w)
        regular = np.isfinite(H).all(axis=(1, 2)) & np.isfinite(g).all(axis=1)
        regular[regular] = np.abs(np.linalg.det(H[regular])) > 1e-12
        w = w[regular] - np.linalg.solve(H[regular], g[regular][..., None])[..., 0]
    w = np.concatenate([w, grid])
    size = np.median(np.linalg.norm(surface.grad(grid), axis=-1))
    inside = np.all((w > [x0, y0]) & (w < [x1, y1]), axis=-1)
    found: list[np.ndarray] = []
    for p in w[inside & (np.linalg.norm(surface.grad(w), axis=-1) < 1e-9 * size)]:
        if all(np.abs(p - q).max() > 1e-4 * (x1 - x0) for q in found):
            found.append(np.where(np.abs(p) < 1e-12, 0.0, p))
    return np.array(sorted(found, key=lambda p: (round(p[0], 6), p[1]))).reshape(-1, 2)


class CriticalPoints(Widget):
    """A point on a surface: gradient, eigenvalues of the Hessian, sections along them, the descent from there."""

    name = "critical_points"
    line = "Drag the point to where the gradient vanishes, and read from the two curvatures what you have found."
    surface = Setting("Name of the surface.")
    point = Setting("The point, [x, y].", point())
    lr = Setting("Learning rate η of the descent.", positive())
    noise = Setting("Standard deviation of the noise in each component of the gradient.", number(0))
    basins = Setting("Whether the map of basins is drawn.", flag())

    def __init__(self, surfaces: dict[str, Surface], value: dict):
        self._surfaces = surfaces
        value = self.checked(value)
        point, surface = value["point"], surfaces[value["surface"]]
        spec = {
            "title": "Critical points",
            "surfaces": [_sent(name, s) for name, s in surfaces.items()],
            "rule": rule_program(gd),
            "colors": [color_of("", k) for k in range(6)],
            "steps": STEPS,
            "draws": np.random.default_rng(0).standard_normal((STEPS, 2)).round(4).ravel(),
        }
        low, high = np.linalg.eigvalsh(surface.hess(point))
        summary = (
            f"Contours of {surface.__name__} with a point at ({point[0]:g}, {point[1]:g}), where the Hessian has "
            f"eigenvalues {low:.3g} and {high:.3g}, and the surface cut along its two eigenvectors."
        )
        label = f"CriticalPoints({surface.__name__})"
        super().__init__(spec=spec, value=value, label=label, summary=summary)

    def checked(self, value: dict) -> dict:
        choice(self._surfaces).check("surface", value["surface"])
        return super().checked(value)

    def goal(self) -> Goal | None:
        surface = self._surfaces[self.surface]
        points = next(np.array(s["points"]) for s in self.spec["surfaces"] if s["value"] == self.surface)
        bends = np.linalg.eigvalsh(surface.hess(points)) if len(points) else np.empty((0, 2))
        strict = points[(bends[:, 0] < -1e-6) & (bends[:, 1] > 1e-6)]
        if not len(strict) or self.lr < 0.1:
            return None
        return Goal(
            "Hold descent up: on a saddle, or beside it, so that it leaves after more than 50 steps.",
            [("surface", "=", self.surface), ("lr", ">", 0.0999), ("leave", ">", 50)],
            "it needs {leave} steps, with η = {lr}.",
        )

    def still(self):
        from .. import plotting

        surface, point = self._surfaces[self.value["surface"]], np.array(self.value["point"])
        figure, (left, right) = plotting.plt.subplots(1, 2, figsize=(7.2, 3.2))
        plotting.draw_landscape(surface, left)
        left.plot(*point, "o", color="#1d2630")
        values, vectors = np.linalg.eigh(surface.hess(point))
        s = np.linspace(-1, 1, 101)
        for value, vector, color in zip(values, vectors.T, ("#a8321a", "#0b63b5"), strict=True):
            right.plot(s, surface(point + s[:, None] * vector), color=color, label=f"eigenvalue {value:.3g}")
        right.set(xlabel="distance from the point")
        right.legend()
        return figure


def _sent(name: str, surface: Surface) -> dict:
    (x0, x1), (y0, y1) = surface.domain
    sample = np.random.default_rng(1).uniform([x0, y0], [x1, y1], (400, 2))
    slope = np.linalg.norm(surface.grad(sample), axis=-1)
    return {
        "value": name,
        "label": titled(name),
        "program": surface.program(),
        "window": surface.domain,
        "lowest": surface.lowest,
        "start": surface.start,
        "points": find_critical_points(surface),
        "flat": FLAT * float(np.median(slope)),
    }


@explains
def critical_points(
    surface: str | Surface | Callable = hills,
    *,
    point: Sequence[float] | Any = None,
    lr: float = 0.1,
    noise: float = 0.0,
    basins: bool = False,
    others: Sequence[str] = ("hills", "saddle", "monkey_saddle", "himmelblau", "two_basins"),
) -> CriticalPoints:
    """Walk a surface and classify its points: gradient, Hessian eigenvalues, sections, and where descent goes.

    surface: a Surface, its name, or a traceable function of one point. point: where to begin (by default the
    surface's start). lr, noise: of the 400 steps of gradient descent drawn from there, with normal noise in the
    gradient. basins: colour every start by the minimum that descent reaches from it. others: names of the
    surfaces that the menu offers besides.

    What the reader did can be read back: `.surface`, `.point`, `.lr`, `.noise`, `.basins`. Raises ValueError for
    an unknown surface, a point that is none, lr that is not positive or noise that is negative.

    >>> critical_points("saddle", point=(0, 0.01))
    CriticalPoints(saddle)
    """
    own = surface_named(surface) if isinstance(surface, str) else surface
    own = own if isinstance(own, Surface) else Surface(own)
    for name in others:
        surface_named(name)
    value = {
        "surface": own.__name__,
        "point": np.asarray(own.start if point is None else point, float).tolist(),
        "lr": float(lr),
        "noise": float(noise),
        "basins": basins,
    }
    return CriticalPoints({own.__name__: own} | {name: SURFACES[name] for name in others}, value)
