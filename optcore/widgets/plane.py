"""`plane()`: the plane through three points of a network's weight space, with the losses of every mixture of them."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..support import explains
from .allowed import choice, flag, point
from .base import Goal, Setting, Widget

__all__ = ["Plane", "plane"]

SIZE = 27  # values along a side of the grid
LEVELS = 2**16 - 1  # steps between the lowest and the highest logarithm
MARGIN = 0.25  # of the triangle, on every side of it


def _laid_out(corners: np.ndarray) -> tuple[float, list[float], np.ndarray]:
    """The second corner (d, 0) and the third (u, v) of a triangle in its plane, and the orthonormal basis (2, n)."""
    first, second = corners[1] - corners[0], corners[2] - corners[0]
    d = float(np.linalg.norm(first))
    u = float(second @ first) / d if d else 0.0
    rest = second - u * first / d if d else second
    v = float(np.linalg.norm(rest))
    if not d or v < 1e-9 * np.linalg.norm(second) or v == 0:
        raise ValueError("The three points of a plane must not lie on one line.")
    return d, [u, v], np.stack([first / d, rest / v])


class Plane(Widget):
    """A point on a plane through three networks: both losses there and along a line to it; `plane` makes it."""

    name = "plane"
    line = "Drag the point over the plane, and read what a mixture of three networks loses, here and on the way here."
    plane = Setting("Name of the plane.")
    point = Setting("Weights of the second and the third corner; the first has what is left of 1.", point())
    start = Setting("The corner that the line starts from: 1, 2 or 3.", choice(("1", "2", "3")))
    held = Setting("Whether the map shows the held-out loss.", flag())

    def __init__(self, planes: list[dict], value: dict):
        self._planes = {p["value"]: p for p in planes}
        value = self.checked(value)
        training, held_out = self.losses(value["plane"], value["point"])
        summary = (
            f"The loss of a network on the plane through three points of its weight space, '{value['plane']}', "
            f"with a point where the training loss is {training:.3g} and the held-out loss {held_out:.3g}."
        )
        super().__init__(
            spec={"title": "A plane through three networks", "planes": planes, "size": SIZE},
            value=value,
            label=f"Plane({', '.join(self._planes)})",
            summary=summary,
        )

    def checked(self, value: dict) -> dict:
        choice(self._planes).check("plane", value["plane"])
        return super().checked(value)

    def _grid(self, name: str) -> np.ndarray:
        """Logarithms of the losses on the grid, (2, SIZE, SIZE): training, held out; rows from below."""
        p = self._planes[name]
        steps = np.frombuffer(base64.b64decode(p["data"]), "<u2").reshape(2, SIZE, SIZE)
        return p["low"] + (p["high"] - p["low"]) / LEVELS * steps

    def losses(self, name: str, weights: Any) -> np.ndarray:
        """Training and held-out loss, (…, 2), at weights (…, 2) of the second and third corner, as the page has them.

        Between the values of the grid: bilinear in the logarithms.
        """
        p, w = self._planes[name], np.asarray(weights, float)
        places = np.stack([w[..., 0] * p["side"] + w[..., 1] * p["third"][0], w[..., 1] * p["third"][1]])
        at = [
            np.clip((q - lo) / (hi - lo), 0, 1) * (SIZE - 1)
            for q, (lo, hi) in zip(places, (p["x"], p["y"]), strict=True)
        ]
        i, j = (np.minimum(q.astype(int), SIZE - 2) for q in at)
        s, t = at[0] - i, at[1] - j
        g = np.moveaxis(self._grid(name), 0, -1)
        s, t = s[..., None], t[..., None]
        below, above = ((1 - s) * g[row, i] + s * g[row, i + 1] for row in (j, j + 1))
        return np.exp((1 - t) * below + t * above)

    def goal(self) -> Goal | None:
        a, b = (w.ravel() for w in np.meshgrid(np.linspace(0.05, 0.9, 18), np.linspace(0.05, 0.9, 18)))
        inside = np.stack([a, b], axis=-1)[a + b < 0.97]
        corners = [[0, 0], [1, 0], [0, 1]]
        gains = {
            name: self.losses(name, inside)[:, 1].min() / self.losses(name, corners)[:, 1].min()
            for name in self._planes
        }
        a, b = self.point
        here = self.losses(self.plane, [a, b])[1] / self.losses(self.plane, corners)[:, 1].min()
        if min(gains.values()) > 0.95 or (here < 1 and min(a, b, 1 - a - b) > 0):
            return None
        return Goal(
            "Find a point between three networks whose held-out loss is below that of each of them.",
            [("inside", "=", 1), ("held", "<", "best")],
            "it is {held} there, and {best} at the best of the three.",
        )

    def still(self):
        from ..plotting import plt

        p, (a, b) = self._planes[self.plane], self.point
        figure, ax = plt.subplots(figsize=(6.4, 3.6))
        grid = self._grid(self.plane)[int(self.held)]
        (left, right), (bottom, top) = p["x"], p["y"]
        ax.contourf(np.linspace(left, right, SIZE), np.linspace(bottom, top, SIZE), grid, 16, cmap="Blues_r")
        (u, v), d = p["third"], p["side"]
        ax.plot([0, d, u], [0, 0, v], "kD", markerfacecolor="none")
        ax.plot(a * d + b * u, b * v, "o", color="#c2410c")
        ax.set(xlabel="distance in weight space", ylabel="distance in weight space")
        return figure


@explains
def plane(
    planes: Mapping[str, Any],
    loss: Callable,
    held_out: Callable,
    *,
    plane: str | None = None,
    point: Sequence[float] = (1 / 3, 1 / 3),
    start: int | str = 1,
    held: bool = False,
) -> Plane:
    """Mix three networks of one shape: the loss on the plane through them, and along straight lines in it.

    planes: name -> three points (3, n) of weight space. loss, held_out: functions of points (k, n) that give k
    positive losses, such as an `Objective` of the training data and one of held-out data; both are taken on a grid
    of 27 × 27 when the widget is made. plane: the name to begin with, the first by default. point: the weights of
    the second and the third corner; they add up to 1 with that of the first. start: the corner that the line comes
    from. held: the map shows the held-out loss.

    What the reader did can be read back: `.plane`, `.point`, `.start`, `.held`. Raises ValueError for names that do
    not exist, points on one line, and losses that are not positive.

    >>> bowl = lambda w: 1 + (w**2).sum(axis=-1)
    >>> plane({"three": [[0, 0], [1, 0], [0, 2]]}, bowl, bowl)
    Plane(three)
    """
    if not planes:
        raise ValueError("A plane needs three points; none was given.")
    sent = [_sent(name, np.asarray(corners, float), loss, held_out) for name, corners in planes.items()]
    value = {
        "plane": sent[0]["value"] if plane is None else plane,
        "point": np.asarray(point, float).tolist(),
        "start": str(start),
        "held": held,
    }
    return Plane(sent, value)


def _wider(*ends: float) -> list[float]:
    low, high = min(ends), max(ends)
    return [low - MARGIN * (high - low), high + MARGIN * (high - low)]


def _sent(name: str, corners: np.ndarray, loss: Callable, held_out: Callable) -> dict:
    if corners.ndim != 2 or len(corners) != 3:
        raise ValueError(f"The plane {name!r} needs three points, shape (3, n); it has {corners.shape}.")
    d, (u, v), basis = _laid_out(corners)
    window = [_wider(0.0, d, u), _wider(0.0, v)]
    x, y = (np.linspace(low, high, SIZE) for low, high in window)
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = np.array([f(corners[0] + places @ basis) for f in (loss, held_out)], float)
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"The losses on the plane {name!r} must be positive and finite.")
    logs = np.log(values)
    low, high = float(logs.min()), float(logs.max())
    steps = np.rint((logs - low) / ((high - low) or 1.0) * LEVELS).astype("<u2")
    return {
        "value": str(name),
        "label": str(name),
        "side": d,
        "third": [u, v],
        "x": window[0],
        "y": window[1],
        "low": low,
        "high": high,
        "data": base64.b64encode(steps.tobytes()).decode(),
    }
