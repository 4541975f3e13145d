"""`oc.gradient_cloud()`: the gradients of many mini-batches at one point, and the run that takes such steps."""

from collections.abc import Sequence
from functools import cache

import numpy as np

from ..data import minibatches
from ..descent import Path, descend
from ..losses import mse
from ..palette import color_of
from ..rule_spec import rule_program
from ..rules import gd
from ..support import explains
from .allowed import choice, number, point, whole
from .base import Goal, Setting, Widget
from .regression import sample_loss

__all__ = ["GradientCloud", "gradient_cloud"]

SAMPLES, EPOCHS, DRAWS = 32, 20, 3
SAMPLING = {"reshuffle": "reshuffle each epoch", "replace": "draw with replacement"}
LETTERS = "0123456789abcdefghijklmnopqrstuv"  # of the samples, so that an epoch is a word: a page is 1 kB lighter
COUNTS = {"examples": "examples", "steps": "steps"}
WINDOW = (-1.5, 3.5)


@cache
def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = (1.6 * rng.standard_normal(SAMPLES)).round(2)
    return x, (1 + x + rng.standard_normal(SAMPLES)).round(2)


def _orders(draw: int, sampling: str) -> np.ndarray:
    """The samples in the order in which a run sees them, (EPOCHS, SAMPLES)."""
    rng = np.random.default_rng(draw)
    if sampling == "replace":
        return rng.integers(SAMPLES, size=(EPOCHS, SAMPLES))
    return np.concatenate([list(minibatches(SAMPLES, SAMPLES, rng)) for _ in range(EPOCHS)])


def _words(draw: int, sampling: str) -> list[str]:
    """The same for a page, a letter for each sample."""
    return ["".join(LETTERS[i] for i in epoch) for epoch in _orders(draw, sampling)]


class GradientCloud(Widget):
    """Gradients of 60 mini-batches at a point, and stochastic gradient descent from it; `gradient_cloud` makes it."""

    name = "gradient_cloud"
    line = "Drag the start, far from the minimum and close to it: how far do the batches disagree about the way?"
    tall = ("calc(45cqi + 22.7rem)", "calc(175cqi + 40.5rem)")
    start = Setting("The point (w, b) at which the gradients are taken and the run begins.", point(WINDOW))
    batch = Setting("Samples in a mini-batch: 1, 2, 4, …, 32.", choice((1, 2, 4, 8, 16, 32)))
    lr = Setting("Learning rate η.", number(0.001, 1))
    epochs = Setting("Passes over the data.", whole(1, EPOCHS))
    sampling = Setting('"reshuffle" or "replace".', choice(SAMPLING))
    draw = Setting("The draw of the batches.", whole(0, DRAWS - 1))
    count = Setting('What the loss is drawn against: "examples" or "steps".', choice(COUNTS))

    def __init__(self, settings):
        settings = self.checked(settings)
        x, y = _data()
        super().__init__(
            spec={
                "title": "A cloud of mini-batch gradients",
                "x": x,
                "y": y,
                "window": WINDOW,
                "best": np.polyfit(x, y, 1),
                "loss": sample_loss(mse).program(),
                "rule": rule_program(gd),
                "color": color_of("gd"),
                "orders": {kind: [_words(draw, kind) for draw in range(DRAWS)] for kind in SAMPLING},
                "sampling": SAMPLING,
                "counts": COUNTS,
            },
            value=settings,
            label="GradientCloud(batch {batch}, lr {lr:g})".format(**settings),
            summary="Contours of a loss of two parameters, the gradients of 60 mini-batches of {batch} at one point, "
            "and {epochs} epochs of stochastic gradient descent with η = {lr:g} from there.".format(**settings),
        )

    def gradient(self, theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Mean gradient of the loss over the samples `rows` at θ = (w, b)."""
        (x, y), points = _data(), np.broadcast_to(theta, (len(rows), 2))
        return sample_loss(mse).grad(points, x=x[rows], y=y[rows]).mean(axis=0)

    def goal(self) -> Goal | None:
        ends = self.loss(self.path.points[:: SAMPLES // self.batch])
        if np.mean(ends[-max(1, len(ends) // 2) :]) < 0.004:
            return None
        return Goal(
            "With 320 examples or fewer, stay below 0.004 on average at the ends of the later half of the epochs.",
            [("examples", "<", 321), ("average", "<", 0.004)],
            "{average}, with batches of {batch} and η = {lr}.",
        )

    @property
    def cloud(self) -> np.ndarray:
        """The gradients (60, 2) at the start: of the first batch of every epoch of every draw."""
        orders = np.concatenate([_orders(draw, "reshuffle") for draw in range(DRAWS)])
        return np.array([self.gradient(self.start, rows[: self.batch]) for rows in orders])

    @property
    def path(self) -> Path:
        """The run, its points (steps + 1, 2); `loss` tells the loss there."""
        rows = iter(_orders(self.draw, self.sampling)[: self.epochs].reshape(-1, self.batch))
        steps = self.epochs * SAMPLES // self.batch
        return descend(gd, None, self.start, steps, self.lr, grad=lambda theta: self.gradient(theta, next(rows)))

    def loss(self, theta) -> np.ndarray:
        """Loss over all samples at points θ (…, 2), above its minimum."""
        x, y = _data()
        at = lambda t: mse(t[..., :1] * x + t[..., 1:], y, axis=-1)[0]
        return at(np.asarray(theta, float)) - at(np.polyfit(x, y, 1))

    def still(self):
        """The cloud and the run over the contours of the loss."""
        from .. import plotting

        figure, ax = plotting.plt.subplots(figsize=(5.0, 3.8))
        grid, w, b = plotting.grid((WINDOW, WINDOW), 60)
        height = self.loss(grid)
        plotting.shade(ax, w, b, height)
        ax.plot(*self.path.points.T, ".-", color=color_of("gd"), markersize=3, linewidth=1)
        cloud = self.cloud
        ends = self.start - cloud * 0.15 * np.ptp(WINDOW) / np.linalg.norm(cloud, axis=1).max()
        for end in ends:
            ax.plot(*np.transpose([self.start, end]), color="#c2410c", alpha=0.4, linewidth=1)
        ax.set(xlim=WINDOW, ylim=WINDOW, xlabel="w", ylabel="b")
        return figure


@explains
def gradient_cloud(
    *,
    start: Sequence[float] = (-0.5, 2.5),
    batch: int = 4,
    lr: float = 0.05,
    epochs: int = 10,
    sampling: str = "reshuffle",
    draw: int = 0,
    count: str = "examples",
) -> GradientCloud:
    """Mini-batch gradients of a least-squares line with 32 samples: sixty of them at one point, and a run from there.

    start: (w, b), dragged in the page. batch: 1, 2, 4, 8, 16 or 32 samples. lr: 0.001 to 1. epochs: 1 to 20.
    sampling: "reshuffle" (every sample once an epoch) or "replace". draw: 0 to 2. count: "examples" or "steps", the
    axis of the loss. Read back `.start`, …, `.cloud`, `.path`.

    >>> from optcore.widgets.gradient_cloud import gradient_cloud
    >>> w = gradient_cloud(batch=8, epochs=3)
    >>> w.cloud.shape, w.path.points.shape
    ((60, 2), (13, 2))
    """
    settings = {"start": start, "batch": batch, "lr": lr, "epochs": epochs, "sampling": sampling}
    return GradientCloud(settings | {"draw": draw, "count": count})
