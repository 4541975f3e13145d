"""`constrained()`: slide along a constraint until the gradients align; multiplier, price, projection."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..constraints import project_ball, project_halfspace
from ..support import explains
from ..symbolic import Differentiable, trace
from .allowed import choice, flag, number, point, positive
from .base import Goal, Setting, Widget, rounded

__all__ = ["Constrained", "constrained"]

ONES = np.ones(2)
WINDOW = 2.5  # the plot shows at least [-WINDOW, WINDOW] in both directions
KAPPA = (1.0, 20.0)


def objective(w, *, m1=0.0, m2=0.0, kappa=1.0):
    """f = (w₁ − m₁)² + κ(w₂ − m₂)², whose minimum m the reader drags."""
    return (w[..., 0] - m1) ** 2 + kappa * (w[..., 1] - m2) ** 2


class _Constraint(NamedTuple):
    """g(w, level) = 0 or ≤ 0, its boundary as a curve s -> point, and the projection onto the feasible points."""

    label: str
    g: Callable
    curve: Callable
    project: Callable
    s: tuple[float, float]
    levels: tuple[float, float]
    equality: bool = False


def _sum(w, *, level=1.0):
    return w[..., 0] + w[..., 1] - level


def _line(s, level):
    return np.stack([level / 2 + s / np.sqrt(2), level / 2 - s / np.sqrt(2)], axis=-1)


def _onto_line(v, level):
    """Onto the half-plane on one side, then the one on the other."""
    return project_halfspace(project_halfspace(v, ONES, level), -ONES, -level)


CONSTRAINTS: dict[str, _Constraint] = {
    "line": _Constraint("w₁ + w₂ = c", _sum, _line, _onto_line, (-4.0, 4.0), (-2.0, 3.0), True),
    "halfplane": _Constraint(
        "w₁ + w₂ ≤ c", _sum, _line, lambda v, level: project_halfspace(v, ONES, level), (-4.0, 4.0), (-2.0, 3.0)
    ),
    "disk": _Constraint(
        "‖w‖² ≤ R²",
        lambda w, *, level=1.0: w[..., 0] ** 2 + w[..., 1] ** 2 - level**2,
        lambda s, level: np.stack([level * np.cos(s), level * np.sin(s)], axis=-1),
        lambda v, level: level * project_ball(v / level, 1.0),
        (-np.pi, np.pi),
        (0.2, 2.4),
    ),
}


def along(constraint: _Constraint) -> Differentiable:
    """f on the boundary as a function of the position s, a point of shape (…, 1)."""

    def f_of_s(s, *, level=1.0, m1=0.0, m2=0.0, kappa=1.0):
        return objective(constraint.curve(s[..., 0], level), m1=m1, m2=m2, kappa=kappa)

    return Differentiable(f_of_s)


class Constrained(Widget):
    """A quadratic bowl and a constraint; a point on the constraint with both gradients."""

    name = "constrained"
    line = "Slide the point along the constraint to where f is lowest. How do the two arrows stand there?"
    constraint = Setting('"line", "halfplane" or "disk".', choice(CONSTRAINTS))
    level = Setting("The c of the line or half-plane, the R of the disk.", number())
    centre = Setting("Where f has its unconstrained minimum.", point((-WINDOW, WINDOW)))
    kappa = Setting("Condition number of f.", number(*KAPPA))
    s = Setting("Position along the constraint: distance on a line, angle on the circle.", number())
    projected = Setting("Whether projected gradient descent is drawn.", flag())
    start = Setting("Where projected gradient descent begins.", point((-WINDOW, WINDOW)))
    lr = Setting("Its learning rate η.", positive())

    def __init__(self, value: dict):
        value = self.checked(value)
        f = Differentiable(objective)
        spec = {
            "title": "Constrained minimum",
            "f": f.program(),
            "constraints": [
                {
                    "value": key,
                    "label": c.label,
                    "g": Differentiable(c.g).program(),
                    "along": along(c).program(1),
                    "curve": trace(c.curve, (), level=()).program(),
                    "project": trace(c.project, (2,), level=()).program(),
                    "s": c.s,
                    "levels": c.levels,
                    "equality": c.equality,
                }
                for key, c in CONSTRAINTS.items()
            ],
            "kappa": KAPPA,
            "window": WINDOW,
            "steps": 40,
        }
        label = CONSTRAINTS[value["constraint"]].label
        summary = (
            f"Contours of a bowl with minimum ({value['centre'][0]:g}, {value['centre'][1]:g}), the constraint "
            f"{label} at {value['level']:g}, and at a point on it the gradients of both, which align at the best point."
        )
        super().__init__(spec=spec, value=value, label=f"Constrained({label})", summary=summary)

    def checked(self, value: dict) -> dict:
        value = super().checked(value)
        low, high = CONSTRAINTS[value["constraint"]].levels
        if not low <= value["level"] <= high:
            raise ValueError(f"level must be between {low:g} and {high:g} here; it was {value['level']}.")
        return value

    def goal(self) -> Goal | None:
        c, v = CONSTRAINTS[self.constraint], self.value
        given = {"level": v["level"], "m1": v["centre"][0], "m2": v["centre"][1], "kappa": v["kappa"]}
        f = along(c)(np.linspace(*c.s, 401)[:, None], **given)
        now, best, worst = along(c)(np.array([v["s"]]), **given), f.min(), f.max()
        limit = rounded(float(best + (worst - best) / 200))
        if not best < limit < now:
            return None
        return Goal(
            f"Find where f is below {limit:g} on the constraint.",
            [(key, "=", v[key]) for key in ("constraint", "level", "kappa", "centre")] + [("f", "<", limit)],
            "f is {f}, and the gradients enclose {angle}°.",
        )

    def still(self):
        from .. import plotting

        v, c = self.value, CONSTRAINTS[self.value["constraint"]]
        params = {"m1": v["centre"][0], "m2": v["centre"][1], "kappa": v["kappa"]}
        figure, (left, right) = plotting.plt.subplots(1, 2, figsize=(7.2, 3.2))
        points, x, y = plotting.grid([(-WINDOW, WINDOW)] * 2, 80)
        height = objective(points, **params)
        plotting.shade(left, x, y, height)
        s = np.linspace(*c.s, 201)
        left.plot(*c.curve(s, v["level"]).T, color="#1d2630")
        w = c.curve(np.array(v["s"]), v["level"])
        for fn, color, extra in ((objective, "#a8321a", params), (c.g, "#0b63b5", {"level": v["level"]})):
            left.annotate(
                "", w + 0.35 * Differentiable(fn).grad(w, **extra), w, arrowprops={"color": color, "width": 1.5}
            )
        left.set(xlim=(-WINDOW, WINDOW), ylim=(-WINDOW, WINDOW), aspect="equal")
        right.plot(s, along(c)(s[:, None], level=v["level"], **params))
        right.set(xlabel="position along the constraint", ylabel="f")
        return figure


@explains
def constrained(
    constraint: str = "line",
    level: float | None = None,
    *,
    centre: Sequence[float] | Any = None,
    kappa: float = 1.0,
    s: float = 0.9,
    projected: bool = False,
    start: Sequence[float] | Any = (-1.8, 1.6),
    lr: float = 0.1,
) -> Constrained:
    """Slide along a constraint: f can fall until ∇f and ∇c are parallel; the factor between them is the multiplier.

    constraint: "line" (w₁ + w₂ = level), "halfplane" (w₁ + w₂ ≤ level) or "disk" (‖w‖ ≤ level); level is 1 by
    default. f = (w₁ − m₁)² + κ(w₂ − m₂)² with (m₁, m₂) = centre, by default (0, 0) for the line, (1.6, 1)
    otherwise, and κ = kappa from 1 to 20. s: position on the constraint. projected: draw 40 steps of projected
    gradient descent with learning rate lr from start.

    What the reader did can be read back: `.constraint`, `.level`, `.centre`, `.kappa`, `.s`, `.projected`,
    `.start`, `.lr`. Raises ValueError for an unknown constraint, or numbers outside the ranges of the controls.

    >>> constrained("disk", 1.5)
    Constrained(‖w‖² ≤ R²)
    """
    default = (0.0, 0.0) if constraint == "line" else (1.6, 1.0)
    value = {
        "constraint": constraint,
        "level": 1.0 if level is None else float(level),
        "centre": np.asarray(default if centre is None else centre, float).tolist(),
        "kappa": float(kappa),
        "s": float(s),
        "projected": projected,
        "start": np.asarray(start, float).tolist(),
        "lr": float(lr),
    }
    return Constrained(value)
