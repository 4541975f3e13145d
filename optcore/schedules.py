"""Learning rate as a function of the step: `schedule(t)`, t = 0, 1, … counts the updates already made.

Every factory here returns a pure function of t that accepts a number or an array of steps (any shape) and
gives values of that shape. Rates are in the units of `lr` (length of step per unit of direction), durations
in steps. None of them branches on t, so each one traces into the page. A schedule stands wherever a
hyper-parameter may:

>>> import numpy as np
>>> np.round(warmup(cosine_decay(0.1, steps=100), steps=4)(np.array([0, 1, 3, 4, 54, 104])), 6).tolist()
[0.025, 0.05, 0.1, 0.1, 0.05, 0.0]
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import numpy as np

from .support import explains, pickles, real, whole

__all__ = [
    "ReduceLROnPlateau",
    "constant_rate",
    "cosine_decay",
    "cosine_restarts",
    "cyclic",
    "exponential_decay",
    "inverse_time_decay",
    "join_schedules",
    "linear_decay",
    "multi_step_decay",
    "one_cycle",
    "polynomial_decay",
    "step_decay",
    "warmup",
    "wsd",
]

Schedule = Callable[[Any], Any]


def _require_positive(**durations: Any) -> None:
    for name, value in durations.items():
        if isinstance(value, int | float | np.generic | np.ndarray) and not np.all(np.greater(value, 0)):
            raise ValueError(f"{name} must be positive, got {value}.")


def _half_cosine(start: Any, end: Any, fraction: Any) -> Any:
    """From `start` at fraction 0 to `end` at fraction 1 along half a period of the cosine."""
    return end + (start - end) * (1 + np.cos(np.pi * fraction)) / 2


@pickles
def constant_rate(lr: Any) -> Schedule:
    """η_t = η₀: the exponential with γ = 1.

    >>> constant_rate(0.1)(np.arange(3)).tolist()
    [0.1, 0.1, 0.1]
    """
    return exponential_decay(lr, gamma=1.0)


@pickles
def step_decay(lr: Any, every: Any, gamma: Any = 0.1) -> Schedule:
    """η_t = η₀ γ^⌊t/every⌋: a cut by γ after each `every` steps (PyTorch `StepLR`).

    Raises ValueError unless `every` is positive.

    >>> [float(round(step_decay(0.5, every=30)(t), 6)) for t in (29, 30, 59, 60)]
    [0.5, 0.05, 0.05, 0.005]
    """
    _require_positive(every=every)
    return lambda t: lr * gamma ** np.floor(t / every)


@pickles
def multi_step_decay(lr: Any, milestones: Sequence[float], gamma: Any = 0.1) -> Schedule:
    """η_t = η₀ γ^k, k the number of milestones with milestone ≤ t (PyTorch `MultiStepLR`).

    Raises ValueError when there is no milestone.

    >>> [float(round(multi_step_decay(0.1, [500, 750])(t), 6)) for t in (499, 500, 749, 750)]
    [0.1, 0.01, 0.01, 0.001]
    """
    if not len(milestones):
        raise ValueError("milestones must name at least one step, got an empty sequence.")
    return lambda t: lr * gamma ** sum(np.where(t >= m, 1.0, 0.0) for m in milestones)


@pickles
def exponential_decay(lr: Any, *, gamma: Any = None, rate: Any = None) -> Schedule:
    """η_t = η₀ γ^t, or η₀ e^{-rate·t}: the same curve with γ = e^{-rate} (PyTorch `ExponentialLR`).

    The sum of all rates is finite, η₀/(1-γ), so a run may stop short of the minimum: the steps violate Ση_t =
    ∞ of Robbins & Monro, "A stochastic approximation method", 1951. Give exactly one of `gamma` and `rate`,
    else ValueError.

    >>> exponential_decay(1.0, gamma=0.5)(2), float(round(exponential_decay(1.0, rate=0.1)(1), 6))
    (0.25, 0.904837)
    """
    if (gamma is None) == (rate is None):
        raise ValueError("give exactly one of gamma (the factor per step) and rate (of e^{-rate t}).")
    factor = np.exp(-rate) if gamma is None else gamma
    return lambda t: lr * factor**t


@pickles
def inverse_time_decay(lr: Any, rate: Any = 1.0, power: Any = 1.0) -> Schedule:
    """η_t = η₀/(1 + rate·t)^power; power = ½ is the inverse square root.

    For ½ < power ≤ 1 the conditions Ση_t = ∞, Ση_t² < ∞ of Robbins & Monro 1951 hold.

    >>> inverse_time_decay(1.0)(np.array([0, 1, 3])).tolist()
    [1.0, 0.5, 0.25]
    """
    if isinstance(rate, int | float | np.generic | np.ndarray) and not np.all(np.greater_equal(rate, 0)):
        raise ValueError(f"rate must be 0 or more, got {rate}.")
    return lambda t: lr / (1 + rate * t) ** power


@pickles
def polynomial_decay(lr: Any, steps: Any, floor: Any = 0.0, power: Any = 1.0) -> Schedule:
    """η_t = floor + (η₀ - floor)(1 - t/steps)^power, then constant at `floor`.

    PyTorch's `PolynomialLR` is the case floor = 0. Before t = 0 the value is η₀. Raises ValueError unless
    `steps` is positive.

    >>> polynomial_decay(0.1, steps=10, power=2)(np.array([0, 5, 10, 11])).tolist()
    [0.1, 0.025, 0.0, 0.0]
    """
    _require_positive(steps=steps)
    return lambda t: floor + (lr - floor) * (1 - np.clip(t / steps, 0, 1)) ** power


@pickles
def linear_decay(lr: Any, steps: Any, floor: Any = 0.0) -> Schedule:
    """η_t = (1-α)η₀ + α·floor with α = min(t/steps, 1).

    Source: Goodfellow, Bengio & Courville, *Deep Learning*, 2016, eq. 8.14. Without the clamp the rate turns
    negative after `steps`, and the run climbs.

    >>> linear_decay(0.1, steps=200, floor=0.001)(np.array([0, 100, 200, 250])).tolist()
    [0.1, 0.0505, 0.001, 0.001]
    """
    return polynomial_decay(lr, steps, floor)


@pickles
def cosine_decay(lr: Any, steps: Any, floor: Any = 0.0) -> Schedule:
    """η_t = floor + ½(η₀ - floor)(1 + cos πt/steps), then constant at `floor`.

    Source: Loshchilov & Hutter, "SGDR", 2017, eq. 5, one period. PyTorch's `CosineAnnealingLR` rises again
    after `steps`; this one stays down, as optax does. Raises ValueError unless `steps` is positive.

    >>> np.round(cosine_decay(0.1, steps=100, floor=0.001)(np.array([0, 25, 50, 75, 100, 120])), 7).tolist()
    [0.1, 0.0855018, 0.0505, 0.0154982, 0.001, 0.001]
    """
    _require_positive(steps=steps)
    return lambda t: _half_cosine(lr, floor, np.clip(t / steps, 0, 1))


@pickles
def cosine_restarts(lr: Any, period: Any, factor: float = 1, floor: Any = 0.0) -> Schedule:
    """Cosine from η₀ towards `floor`, again and again, each period `factor` times as long as the last.

    η_t = floor + ½(η₀ - floor)(1 + cos πu), u = the fraction of the current period that has passed.
    Source: Loshchilov & Hutter, "SGDR", 2017, eq. 5 (T₀ = period, T_mult = factor; PyTorch
    `CosineAnnealingWarmRestarts`). Raises ValueError unless period > 0 and factor ≥ 1.

    >>> cosine_restarts(1.0, period=10, factor=2)(np.array([0, 5, 10, 20, 30])).round(6).tolist()
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """
    _require_positive(period=period)
    if not factor >= 1:
        raise ValueError(f"factor must be at least 1, got {factor}.")

    def fraction(t):
        if factor == 1:
            return t / period % 1.0
        # Period k starts at (factor^k - 1)/(factor - 1) periods; 1e-9 keeps the logarithm of an exact power
        # from rounding down to the period before.
        elapsed = t / period
        k = np.floor(np.log(1 + elapsed * (factor - 1)) / np.log(factor) + 1e-9)
        return (elapsed - (factor**k - 1) / (factor - 1)) / factor**k

    return lambda t: _half_cosine(lr, floor, fraction(t))


@pickles
def warmup(schedule: Schedule | float, steps: Any) -> Schedule:
    """A linear rise (t+1)/steps to `schedule(0)` over `steps` steps; then `schedule` starts, from its t = 0.

    The first update is taken at 1/steps of the rate, not at zero (PyTorch `LinearLR(start_factor=1/steps,
    total_iters=steps-1)`; optax starts at 0, so that its first update does nothing). `schedule` may be a
    number. Source: Goyal et al., "Accurate, large minibatch SGD", 2017, §2.2. Raises ValueError unless
    `steps` is positive.

    >>> warmup(0.8, steps=4)(np.arange(6)).tolist()
    [0.2, 0.4, 0.6000000000000001, 0.8, 0.8, 0.8]
    """
    _require_positive(steps=steps)
    after = schedule if callable(schedule) else constant_rate(schedule)
    return lambda t: np.minimum((t + 1) / steps, 1) * after(np.maximum(t - steps, 0))


@pickles
def join_schedules(*schedules: Schedule, at: Sequence[float]) -> Schedule:
    """The first schedule until t = at[0], then the second, from its t = 0, until at[1], and so on.

    Raises ValueError unless there is one more schedule than boundaries and the boundaries increase.

    >>> join_schedules(constant_rate(1.0), linear_decay(1.0, steps=4), at=[2])(np.arange(6)).tolist()
    [1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    if len(schedules) != len(at) + 1:
        raise ValueError(f"{len(schedules)} schedules need {len(schedules) - 1} boundaries, got {len(at)}.")
    if any(b <= a for a, b in zip(at, at[1:], strict=False)):
        raise ValueError(f"boundaries must increase, got {list(at)}.")

    def joined(t):
        value = schedules[0](t)
        for schedule, start in zip(schedules[1:], at, strict=True):
            value = np.where(t >= start, schedule(np.maximum(t - start, 0)), value)
        return value

    return joined


@pickles
def cyclic(low: Any, high: Any, half: Any, shape: str = "triangular", gamma: Any = 1.0) -> Schedule:
    """Up from `low` to `high` in `half` steps and down again in `half` steps, for ever.

    η_t = low + (high - low)·(1 - |t/half - 2c - 1|)·a with c = ⌊t/(2 half)⌋ and a = 1 ("triangular"), 2^{-c}
    ("triangular2") or gamma^t ("exp_range"). Source: Smith, "Cyclical learning rates for training neural
    networks", 2017, §3.2 (PyTorch `CyclicLR`). Raises ValueError unless `half` is positive and the shape is
    one of these.

    >>> cyclic(0.0, 1.0, half=10)(np.array([0, 5, 10, 15, 20])).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    _require_positive(half=half)
    amplitudes = {
        "triangular": lambda t, c: 1.0,
        "triangular2": lambda t, c: 0.5**c,
        "exp_range": lambda t, c: gamma**t,
    }
    if shape not in amplitudes:
        raise ValueError(f"shape must be one of {', '.join(amplitudes)}, got {shape!r}.")

    def schedule(t):
        c = np.floor(t / (2 * half))
        return low + (high - low) * (1 - np.abs(t / half - 2 * c - 1)) * amplitudes[shape](t, c)

    return schedule


@pickles
def one_cycle(peak: Any, steps: Any, rise: Any = 0.3, start_divisor: Any = 25.0, end_divisor: Any = 1e4) -> Schedule:
    """Half a cosine up from peak/start_divisor to `peak`, then one down to peak/(start_divisor·end_divisor).

    The top is at t = rise·steps - 1, the end at t = steps - 1, constant from there. Source: Smith & Topin,
    "Super-convergence", 2019, with the cosine and the defaults of PyTorch's `OneCycleLR` (which cycles
    momentum too). Raises ValueError unless 1 < rise·steps < steps.

    >>> one_cycle(1.0, steps=100)(np.array([0, 29, 99])).round(6).tolist()
    [0.04, 1.0, 4e-06]
    """
    top, last = rise * steps - 1, steps - 1
    _require_positive(**{"rise*steps - 1": top, "(1 - rise)*steps": last - top})
    start = peak / start_divisor

    def schedule(t):
        up = _half_cosine(start, peak, np.clip(t / top, 0, 1))
        down = _half_cosine(peak, start / end_divisor, np.clip((t - top) / (last - top), 0, 1))
        return np.where(t <= top, up, down)

    return schedule


@pickles
def wsd(lr: Any, warmup_steps: Any, stable_steps: Any, decay_steps: Any, floor: Any = 0.0) -> Schedule:
    """Warm-up, stable, decay: a rise as in `warmup`, η₀ for `stable_steps`, then linearly down to `floor`.

    The stable phase needs no horizon: stop it whenever you like by starting the decay. Source: Hu et al.,
    "MiniCPM", 2024, §4; linear decay as in Hägele et al., "Scaling laws and compute-optimal training beyond
    fixed training durations", 2024. Raises ValueError unless `warmup_steps` and `decay_steps` are positive.

    >>> wsd(1.0, warmup_steps=2, stable_steps=3, decay_steps=4)(np.arange(10)).tolist()
    [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    cooldown = linear_decay(lr, decay_steps, floor)
    return warmup(lambda t: cooldown(t - stable_steps), warmup_steps)


class ReduceLROnPlateau:
    """Multiply the rate by `factor` once a metric has failed to improve more than `patience` times in a row.

    Feedback, not only a function of t: `step(metric)` takes the newest value (validation loss per epoch) and
    returns the rate to use next. A value improves when it is below best·(1 - threshold)
    (`threshold_mode="rel"`) or below best - threshold ("abs"); with mode "max", above best·(1 +
    threshold) or best + threshold. After a cut, `cooldown` calls are not counted as bad. A cut smaller
    than `eps` is not made. The first `warmup` steps rise as in `warmup`. Attributes: `lr`, `best`, `bad`,
    `cooldown_left`, `cuts` (the number so far). Semantics of PyTorch's class of the same name, also for
    negative metrics, where "rel" asks for less than it seems: -0.99995 counts as better than -1. A nan is
    a bad value. Raises ValueError unless 0 ≤ factor < 1 and the modes are known.

    >>> plateau = ReduceLROnPlateau(1.0, patience=2)
    >>> [round(plateau.step(v), 3) for v in [1, 0.9, 0.8, 0.8, 0.8, 0.8]]
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.1]
    """

    @explains
    def __init__(
        self,
        lr: float,
        *,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        mode: str = "min",
        eps: float = 1e-8,
        warmup: int = 0,
    ):
        real("lr", lr)
        if not 0 <= factor < 1:
            raise ValueError(f"factor must be in [0, 1), got {factor}.")
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be 'min' or 'max', got {mode!r}.")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode must be 'rel' or 'abs', got {threshold_mode!r}.")
        self.lr, self.factor, self.patience, self.min_lr, self.eps = lr, factor, patience, min_lr, eps
        self.threshold, self.threshold_mode, self.mode = threshold, threshold_mode, mode
        self.cooldown = cooldown
        self.best = inf if mode == "min" else -inf
        self.bad = self.cooldown_left = self.cuts = 0
        self.warmup = whole("warmup", warmup, 0)

    def __call__(self, t: int) -> float:
        """The rate of step t: (t + 1)/warmup of `lr` during the warm-up, then `lr`."""
        return self.lr * min(1.0, (t + 1) / self.warmup) if self.warmup else self.lr

    def _improves(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        relative = self.threshold_mode == "rel"
        bar = self.best * (1 + sign * self.threshold) if relative else self.best + sign * self.threshold
        return sign * metric > sign * bar

    def step(self, metric: float) -> float:
        """Count one value of the metric and return the rate to use next."""
        if self._improves(metric):
            self.best, self.bad = metric, 0
        else:
            self.bad += 1
        if self.cooldown_left > 0:
            self.cooldown_left -= 1
            self.bad = 0
        if self.bad > self.patience:
            reduced = max(self.lr * self.factor, self.min_lr)
            if self.lr - reduced > self.eps:
                self.lr, self.cuts = reduced, self.cuts + 1
            self.cooldown_left, self.bad = self.cooldown, 0
        return self.lr
