"""`regression()`: data space beside parameter space, the line and its point on the loss surface."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..losses import huber, mae, mse
from ..rule_spec import rule_program
from ..rules import gd
from ..support import explains
from ..symbolic import Differentiable
from .allowed import choice, number, pairs, positive, text, whole
from .base import Goal, Setting, Widget, rounded

__all__ = ["Regression", "regression"]

LOSSES: dict[str, tuple[str, Callable]] = {
    "mse": ("mean squared error", mse),
    "mae": ("mean absolute error", mae),
    "huber": ("Huber, δ = 1", huber),
}
MOST_POINTS, MOST_STEPS = 30, 200


@cache
def sample_loss(loss: Callable) -> Differentiable:
    """The loss of one sample (x, y) under the line θ = (w, b), a function of θ; the page averages over the samples."""

    def of_one(theta, *, x=0.0, y=0.0):
        return loss(theta[..., 0] * x + theta[..., 1] - y, 0.0, axis=())[0]

    return Differentiable(of_one)


class Regression(Widget):
    """Points and a line on the left, the loss of every line (w, b) and gradient descent on the right."""

    name = "regression"
    line = "Drag the line by its ends, or the point (w, b), until the residuals are as short as you can make them."
    w = Setting("Slope of the line.", number())
    b = Setting("Intercept of the line.", number())
    lr = Setting("Learning rate η.", positive())
    steps = Setting("How many steps of descent are drawn.", whole(1, MOST_STEPS))
    loss = Setting('"mse", "mae" or "huber".', choice(LOSSES))
    points = Setting("The samples, a list of [x, y].", pairs(2, MOST_POINTS))

    def __init__(self, x: np.ndarray, y: np.ndarray, value: dict, names: tuple[str, str]):
        value = self.checked(value)
        best = np.polyfit(x, y, 1).round(3)
        # the window holds the best line and the first one; tall and wide enough to show the valley around them, and
        # what an outlier makes of it
        reach = max(2.0, *(1.5 * abs(value[k] - v) for k, v in zip("wb", best, strict=True)))
        x_pad, y_pad = 0.15 * np.ptp(x), 0.35 * (np.ptp(y) or 1.0)
        spec = {
            "losses": [
                {
                    "value": key,
                    "label": label[0].upper() + label[1:],
                    "program": sample_loss(fn).program(),
                    "bare": sample_loss(fn).traced(2).program(),
                }
                for key, (label, fn) in LOSSES.items()
            ],
            "rule": rule_program(gd),
            "names": names,
            "x": [x.min() - x_pad, x.max() + x_pad],
            "y": [min(y.min(), 0) - y_pad, y.max() + y_pad],
            "w": [best[0] - reach, best[0] + reach],
            "b": [best[1] - 2 * reach, best[1] + 2 * reach],
            "most": [MOST_POINTS, MOST_STEPS],
        }
        j = LOSSES[value["loss"]][1](value["w"] * x + value["b"], y)[0]
        summary = (
            f"{len(x)} points and the line y = {value['w']:.3g}x + {value['b']:.3g}, whose "
            f"{LOSSES[value['loss']][0]} is {j:.4g}; beside it the loss of every line as contours over w and b, "
            "with the steps of gradient descent."
        )
        super().__init__(spec=spec, value=value, label=f"Regression({len(x)} points)", summary=summary)

    def checked(self, value: dict) -> dict:
        value = super().checked(value)
        if np.ptp(np.array(value["points"], float)[:, 0]) == 0:
            raise ValueError("points must have more than one x.")
        return value

    def goal(self) -> Goal | None:
        x, y = np.transpose(self.points)
        cost = lambda w, b: float(np.mean((w * x + b - y) ** 2))
        now, best = cost(self.w, self.b), cost(*np.polyfit(x, y, 1))
        limit = rounded(best + (now - best) / 50)
        if self.loss != "mse" or not best < limit < now:
            return None
        return Goal(
            f"Find a line whose mean squared error is below {limit:g}.",
            [("loss", "=", "mse"), ("cost", "<", limit)],
            "y = {w}x + {b} costs {cost}.",
        )

    def still(self):
        from .. import plotting
        from ..descent import descend

        v, plt = self.value, plotting.plt
        x, y = np.transpose(v["points"])
        objective = Differentiable(lambda t: LOSSES[v["loss"]][1](t[..., :1] * x + t[..., 1:], y, axis=-1)[0])
        path = descend(gd, objective, [v["w"], v["b"]], v["steps"], v["lr"]).points
        figure, (data, surface) = plt.subplots(1, 2, figsize=(7.2, 3.2))
        ends = np.array(self.spec["x"])
        data.plot(ends, v["w"] * ends + v["b"])
        data.vlines(x, y, v["w"] * x + v["b"], linestyles="dotted")
        data.plot(x, y, "ko")
        data.set(xlabel=self.spec["names"][0], ylabel=self.spec["names"][1])
        grid, w, b = plotting.grid((self.spec["w"], self.spec["b"]), 60)
        height = objective(grid)
        plotting.shade(surface, w, b, height)
        surface.plot(*path.T, ".-")
        surface.set(xlim=self.spec["w"], ylim=self.spec["b"], xlabel="w", ylabel="b")
        return figure


@explains
def regression(
    x: Sequence[float] | Any = (1, 2, 3, 4, 5),
    y: Sequence[float] | Any = (4, 3, 8, 9, 11),
    *,
    w: float = 1.0,
    b: float = 2.0,
    lr: float = 0.05,
    steps: int = 60,
    loss: str = "mse",
    names: tuple[str, str] = ("Spending x", "Sales y"),
) -> Regression:
    """A line and its loss: drag the line, the points, or the point (w, b) on the loss surface; descend.

    x, y: at most 30 samples (by default five, whose least-squares line is y = 2x + 1). w, b: the line to begin
    with. lr, steps: of the gradient descent drawn from there. loss: "mse", "mae" or "huber" (δ = 1). names: of
    the axes. Centre or standardise x before the call to see the valley change its shape.

    What the reader did can be read back: `.w`, `.b`, `.points`, `.loss`, `.lr`, `.steps`. Raises ValueError when
    there are not 2 to 30 finite samples with more than one x, the loss is unknown, or lr or steps is not positive.

    >>> regression(w=2, b=1)
    Regression(5 points)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.shape != y.shape or x.ndim != 1 or not 2 <= len(x) <= MOST_POINTS:
        raise ValueError(
            f"x and y must be two lists of 2 to {MOST_POINTS} numbers; their shapes were {x.shape} and {y.shape}."
        )
    if not np.all(np.isfinite([x, y])) or np.ptp(x) == 0:
        raise ValueError("x and y must be finite, and x must have more than one value.")
    for axis, name in zip("xy", names, strict=True):
        text().check(f"the name of {axis}", name)
    points = np.stack([x, y], axis=-1)
    value = {"w": w, "b": b, "lr": lr, "steps": steps, "loss": loss, "points": points}
    return Regression(x, y, value, names)
