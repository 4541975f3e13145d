"""`oc.workers()`: steps, examples and time of a run that many machines share."""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from ..support import explains
from .allowed import choice, number, whole
from .base import Goal, Setting, Widget

__all__ = ["Workers", "delayed_losses", "workers"]

CURVATURE = (1.0, 1 / 4, 1 / 16)
NOISE, TARGET, LIMIT, ALONE = 32.0, 0.1, 5000, 4
RATES = tuple(float(f"{2 ** (-j / 4):.3g}") for j in range(-4, 41))  # 2, 1.68, …, 0.000977
COUNTS = {"steps": "steps", "examples": "examples", "time": "time"}


def delayed_losses(lr: float | np.ndarray, batch: int, delay: int) -> Iterator[np.ndarray]:
    """Expected losses, step by step, of SGD on a noisy quadratic whose gradients come `delay` steps late.

    In a direction of curvature h the run is w ← w - lr (h w(t - delay) + noise), noise of variance h·32/batch, from a
    start that gives each of the three directions (h = 1, 1/4, 1/16) the same part of the loss, 1 in all. Its mean m
    follows the same recursion without noise; the noise of each past step is still there with the factor f, where
    f(0) = 1, f(t < 0) = 0 and f(t + 1) = f(t) - lr h f(t - delay): so the loss is the mean of m², plus
    ½ h · lr² · h · 32/batch · (f(0)² + … + f(t - 1)²) over the directions. Rates of shape (…) give losses (…).

    >>> [loss.round(4).item() for loss in islice(delayed_losses(0.5, batch=64, delay=0), 3)]
    [1.0, 0.718, 0.5953]
    """
    h, lr = np.array(CURVATURE), np.asarray(lr, float)[..., None]
    m = [np.ones(lr.shape[:-1] + h.shape)] * (delay + 1)
    f = [np.zeros_like(m[0])] * delay + [np.ones_like(m[0])]
    sums = np.zeros_like(m[0])
    while True:
        yield np.mean(m[-1] ** 2, axis=-1) + sums @ h**2 * (NOISE / (2 * batch)) * lr[..., 0] ** 2
        sums = sums + f[-1] ** 2
        m = [*m[1:], m[-1] - lr * h * m[0]]
        f = [*f[1:], f[-1] - lr * h * f[0]]


@cache
def _best(batch: int, delay: int) -> tuple[int, float]:
    """Steps until the expected loss is below the target, at the rate (of `RATES`) that needs the fewest."""
    with np.errstate(all="ignore"):  # too large rates overflow
        for steps, losses in enumerate(islice(delayed_losses(np.array(RATES), batch, delay), LIMIT)):
            if (losses < TARGET).any():
                return steps, RATES[int(np.argmax(losses < TARGET))]
    raise ValueError(f"No rate reaches a loss of {TARGET} in {LIMIT} steps.")


class Needed(NamedTuple):
    """What a run needs until its loss is below the target."""

    steps: int
    examples: int
    time: float
    rate: float


class Workers(Widget):
    """One run on many machines, against one machine alone; `workers` makes it."""

    name = "workers"
    line = "Add workers, then delay: when do more examples in a step buy time, and what does a late gradient cost?"
    workers = Setting("Machines: 1, 2, 4, …, 64.", choice([2**i for i in range(7)]))
    batch = Setting("Examples in a pass of one machine: 1, 2, 4, …, 32.", choice([2**i for i in range(6)]))
    pieces = Setting("Passes accumulated before a step: 1, 2, 4, 8, 16.", choice([2**i for i in range(5)]))
    delay = Setting("Steps by which a gradient is late.", whole(0, 8))
    count = Setting('What the loss is drawn against: "steps", "examples" or "time".', choice(COUNTS))

    def __init__(self, settings, cost):
        number(0, 1000).check("cost", cost)
        settings = self.checked(settings)
        super().__init__(
            spec={
                "title": "One step on many machines",
                "curvature": CURVATURE,
                "noise": NOISE,
                "target": TARGET,
                "rates": RATES,
                "limit": LIMIT,
                "alone": ALONE,
                "cost": cost,
                "counts": COUNTS,
            },
            value=settings,
            label="Workers({workers} × {pieces} × {batch}, delay {delay})".format(**settings),
            summary="Expected loss of {workers} workers, each with {pieces} × {batch} examples a step and gradients "
            "{delay} steps late, against {count}; and that of one worker alone.".format(**settings),
        )

    @property
    def total(self) -> int:
        """Examples in a step."""
        return self.workers * self.batch * self.pieces

    @property
    def pace(self) -> float:
        """Time from one step to the next: computing, or the whole way of a gradient over those that are under way."""
        local = self.batch * self.pieces
        return max(local, (local + self.spec["cost"] * (self.workers > 1)) / (self.delay + 1))

    @property
    def needed(self) -> Needed:
        """Steps, examples and time until the loss is below 0.1, at the best rate, and this rate."""
        steps, rate = _best(self.total, self.delay)
        return Needed(steps, steps * self.total, steps * self.pace, rate)

    @property
    def alone(self) -> Needed:
        """The same for one worker with 4 examples a step."""
        steps, rate = _best(ALONE, 0)
        return Needed(steps, steps * ALONE, steps * ALONE, rate)

    def goal(self) -> Goal | None:
        needed, alone = self.needed, self.alone
        if self.spec["cost"] != 16 or (needed.time < alone.time / 8 and needed.examples < 2 * alone.examples):
            return None
        return Goal(
            "Be 8 times as fast as one worker, with fewer than twice its examples.",
            [("faster", ">", 8), ("dearer", "<", 2)],
            "{faster} times as fast with {dearer} times the examples, delay {delay}.",
        )

    def still(self):
        """Both expected losses against the chosen count."""
        from ..plotting import plt

        figure, ax = plt.subplots(figsize=(6.4, 3.0))
        sides = [(self.needed, self.total, self.delay, "-"), (self.alone, ALONE, 0, "--")]
        for needed, batch, delay, style in sides:
            losses = list(islice(delayed_losses(needed.rate, batch, delay), needed.steps + 1))
            unit = getattr(needed, self.count) / needed.steps
            ax.plot(unit * np.arange(1, needed.steps + 1), losses[1:], style, color="#0b63b5")
        ax.axhline(TARGET, color="gray", linestyle=":")
        ax.set(xscale="log", yscale="log", xlabel=COUNTS[self.count], ylabel="expected loss")
        return figure


@explains
def workers(
    workers: int = 16, *, batch: int = 4, pieces: int = 1, delay: int = 0, count: str = "time", cost: float = 16.0
) -> Workers:
    """A step shared by many machines: what it needs in steps, examples and time, each at its own best rate.

    workers: 1, 2, 4, …, 64 machines, each with `batch` examples in a pass (1 to 32) and `pieces` passes (1 to 16)
    before a step. delay: a gradient is applied so many steps late, 0 to 8. count: the axis. cost: units of time that a
    gradient travels, where an example takes one; with a delay the machines go on computing meanwhile. The run is a
    quadratic with noise, whose expected loss `delayed_losses` computes. Read back `.total`, `.pace`, `.needed`,
    `.alone`.

    >>> from optcore.widgets.workers import workers
    >>> workers(64).needed
    Needed(steps=19, examples=4864, time=380.0, rate=0.841)
    >>> workers(64).alone
    Needed(steps=727, examples=2908, time=2908, rate=0.0263)
    """
    return Workers({"workers": workers, "batch": batch, "pieces": pieces, "delay": delay, "count": count}, cost)
