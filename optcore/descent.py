"""`descend`: the one loop that turns a rule, a gradient and a start into a path."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .hyper import at, check_hyper
from .rule_spec import apply, initial, name_of, spec
from .support import as_numbers, explains, whole
from .surfaces import surface_named
from .symbolic import Differentiable

__all__ = ["Path", "descend"]

#: A run has diverged at the first point with a coordinate that is not finite or larger than this.
DIVERGED = 1e6


class Path:
    """What `descend` returns.

    points: (steps + 1, *batch, n); loss: (steps + 1, *batch); x and final: (*batch, n), the last points.
    diverged: (*batch), bool; diverged_at: (*batch), the first step outside `DIVERGED`, or -1.
    state: what the rule remembers at the end, by name; t: the steps made, those of the path it goes on from included.
    """

    def __init__(
        self, rule: Callable, f: Callable | None, points: np.ndarray, state: Mapping | None = None, t: int | None = None
    ):
        self.rule, self.f, self.points, self.state = rule, f, points, dict(state or {})
        self.t = self.steps if t is None else t

    @cached_property
    def diverged_at(self) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            outside = ~((self.points <= DIVERGED) & (self.points >= -DIVERGED)).all(axis=-1)
        return np.where(outside.any(axis=0), outside.argmax(axis=0), -1)

    x = final = property(lambda self: self.points[-1])
    diverged = property(lambda self: self.diverged_at >= 0)
    steps = property(lambda self: len(self.points) - 1)

    @cached_property
    def loss(self) -> np.ndarray:
        if self.f is None:
            raise ValueError("This path has no loss: descend was given a gradient only.")
        with np.errstate(all="ignore"):
            return losses(self.f, self.points)

    def _lowest(self, lowest: float | None) -> float | None:
        return getattr(self.f, "lowest", None) if lowest is None else lowest

    def steps_to(self, tol: float, lowest: float | None = None) -> np.ndarray | int:
        """First step whose loss is within `tol` of `lowest` (default: the lowest known minimum of a surface), or -1.

        Raises ValueError where no minimum is known and `lowest` is not given.

        >>> from optcore import bowl, gd
        >>> descend(gd, bowl.at(kappa=100.0), [1.0, 1.0], steps=800, lr=2 / 101).steps_to(1e-10)
        674
        """
        lowest = self._lowest(lowest)
        if lowest is None:
            raise ValueError("The lowest value of this function is not known; give it, as in steps_to(tol, lowest=0).")
        near = self.loss - lowest <= tol
        steps = np.where(near.any(axis=0), near.argmax(axis=0), -1)
        return steps if steps.ndim else int(steps)

    def summary(self, tol: float = 1e-6, lowest: float | None = None) -> str:
        """One sentence: how many steps to `tol` (where the minimum is known), or that the run diverged, or its loss."""
        runs = self.diverged.size
        if runs > 1:
            return f"{name_of(self.rule)}: {runs} runs, {int(self.diverged.sum())} diverged"
        if self.diverged.any():
            return f"{name_of(self.rule)}: diverged at step {int(self.diverged_at.ravel()[0])}"
        known = self.f is not None and self._lowest(lowest) is not None
        step = int(np.ravel(self.steps_to(tol, lowest))[0]) if known else -1
        if step >= 0:
            return f"{name_of(self.rule)}: {step} steps to {tol:g}"
        tail = "" if self.f is None else f", loss {float(self.loss.ravel()[-1]):.3g}"
        return f"{name_of(self.rule)}: {self.steps} steps{tail}"

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, key):
        return self.points[key]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.points, dtype)

    def __repr__(self) -> str:
        return f"Path({self.summary()})"


def losses(f: Callable, points: np.ndarray) -> np.ndarray:
    """f at points (…, n), shape (…). A function that takes one point at a time is called with one at a time."""
    if isinstance(f, Differentiable):
        return np.asarray(f(points))
    rows = points.reshape(-1, points.shape[-1])
    ends = np.array([_number(f, row) for row in (rows[0], rows[-1])])
    try:
        together = np.asarray(f(points.copy(order="K")))
    except (ValueError, IndexError, TypeError):  # it was not made for many points
        together = np.empty(0)
    if together.shape == points.shape[:-1] and np.allclose(together.ravel()[[0, -1]], ends, rtol=1e-5, equal_nan=True):
        return together
    return np.array([_number(f, row) for row in rows]).reshape(points.shape[:-1])


def _number(f: Callable, point: np.ndarray) -> Any:
    value = as_numbers("The value of f", f(point.copy()))
    if value.size != 1:
        raise ValueError(f"f must give one number for one point; it gave an array of shape {value.shape}.")
    return value.reshape(())


def _as_run(name: str, value: Any, dtype: Any) -> np.ndarray:
    """A hyper-parameter, never 0-dimensional, so that one run takes the same loops as many."""
    value = np.atleast_1d(np.asarray(value, dtype))
    if value.shape[-1] != 1:
        raise ValueError(
            f"{name} has shape {value.shape}; values for a batch of runs need a last axis of length 1: {name}[:, None]."
        )
    return value


def _seeds(seed: Any) -> np.ndarray:
    seeds = np.atleast_1d(np.asarray(seed))
    if seeds.dtype.kind not in "iu" or (seeds < 0).any():
        raise ValueError(f"A seed must be a whole number, 0 or more, or an array of them; it was {seed!r}.")
    return _as_run("seed", seeds, seeds.dtype)


def _points(start: Any) -> np.ndarray:
    w = np.atleast_1d(as_numbers("start", start))
    if w.size == 0 or not np.isfinite(w).all():
        raise ValueError(f"start must be a point of finite numbers, of shape (…, n), n of 1 or more; it was {start}.")
    return w


def _together(shapes: Sequence[tuple], names: Sequence[str]) -> tuple:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        told = ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes, strict=True) if shape)
        raise ValueError(f"The batch axes do not fit together: {told}.") from None


def _room_for(shape: tuple, dtype: Any) -> np.ndarray:
    try:
        return np.empty(shape, dtype)
    except (MemoryError, ValueError, OverflowError):
        raise ValueError(f"A path of {shape[0] - 1} steps of {shape[1:]} numbers does not fit into memory.") from None


def says_stop(answer: Any) -> bool:
    """Whether a stopping rule said so, for every run of a batch; nothing, from a callback, is a no."""
    return answer is not None and bool(np.all(answer))


def _gradient(grad: Callable, w: np.ndarray, dtype: Any) -> np.ndarray:
    g = as_numbers("The gradient", grad(w)).astype(dtype, copy=False)
    if g.shape != w.shape:
        raise ValueError(f"The gradient has shape {g.shape} at points of shape {w.shape}; they must agree.")
    return g


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a, b, rtol=1e-3 if a.dtype == np.float32 else 1e-6, atol=0, equal_nan=True)


def _check_runs_apart(rule: Callable, g: np.ndarray, state: list, now: Mapping, d: np.ndarray) -> None:
    """Of a batch, the last run's direction is that of the run made alone."""
    axes = g.ndim - (2 if spec(rule).takes_matrices else 1)
    last = (-1,) * axes
    pick = lambda v: np.broadcast_to(v, (*g.shape[:axes], *np.shape(v)[axes:]))[last] if np.ndim(v) > axes else v
    alone = apply(rule, g[last], [pick(s) for s in state], {key: pick(v) for key, v in now.items()})[0]
    d, alone = np.broadcast_to(d, g.shape), np.broadcast_to(alone, g[last].shape)
    again = lambda: np.broadcast_to(apply(rule, g, state, now)[0], g.shape)
    if axes and not _close(d[last], alone) and _close(d, again()):  # else it is random
        raise ValueError(
            f"{name_of(rule)} mixes the runs of a batch: made alone, the last one goes another way. Use axis=-1 and "
            "keepdims=True where it sums over coordinates, as in np.linalg.norm(g, axis=-1, keepdims=True)."
        )


class _PerRun:
    """A given gradient for runs that differ by hyper-parameters or seeds, each as if made alone.

    It is asked for all runs together where that gives each one its own gradient, which the first call finds out at the
    last run, and else run by run. The axes of `start` itself may be those of a matrix: they are left to the gradient.
    """

    def __init__(self, grad: Callable, own_axes: int):
        self.grad, self.own_axes = grad, own_axes
        self.asked = self.one_by_one = False
        self.ahead: list = []

    def __call__(self, w: np.ndarray) -> np.ndarray:
        if w.ndim == self.own_axes:
            return self._at(w)
        if not self.asked:
            self.asked = True
            return self._first(w)
        if self.ahead:
            return self.ahead.pop(0)
        return self._each(w) if self.one_by_one else self._at(w)

    def _at(self, w: np.ndarray) -> np.ndarray:
        # memory of its own on both sides: it may write into its argument, and fill one array again and again
        return np.array(as_numbers("The gradient", self.grad(w.copy(order="K"))))

    def _each(self, w: np.ndarray) -> np.ndarray:
        own = w.shape[w.ndim - self.own_axes :]
        return np.stack([self._at(row) for row in w.reshape(-1, *own)]).reshape(w.shape)

    def _first(self, w: np.ndarray) -> np.ndarray:
        last = (-1,) * (w.ndim - self.own_axes)
        try:
            together = self._at(w)
            apart = together.shape == w.shape
        except (ValueError, IndexError):  # not made for many points
            apart = False
        if apart:
            alone = self._at(w[last])
            if alone.shape == w[last].shape and _close(together[last], alone):
                return together
            again = self._at(w)
            if not _close(together, again):  # random, or one by one from a list, which then goes on
                self.ahead = [alone, again] if alone.shape == w.shape else []
                return together
        self.one_by_one = True
        return self._each(w)


def _gradient_noise(seed, begin: int, steps: int, n: int) -> np.ndarray:
    """Standard normal draws of the steps from `begin`, (steps, *seeds, n): one stream for each seed."""
    seeds = np.asarray(seed)
    draws = [np.random.default_rng(int(s)).standard_normal((begin + steps, n))[begin:] for s in seeds.ravel()]
    return np.stack(draws, axis=1).reshape(steps, *seeds.shape[:-1], n) if seeds.ndim else draws[0]


@explains
def descend(
    rule: Callable,
    f: Callable | str | None,
    start: Sequence | np.ndarray | Path,
    steps: int = 100,
    lr: Any = 0.1,
    *,
    grad: Callable | None = None,
    noise: Any = 0.0,
    seed: Any = 0,
    stop: Callable | None = None,
    **hyper: Any,
) -> Path:
    """Run `w <- w - lr*d` for `steps` steps and return the `Path`.

    f: a Surface, its name, or any traceable NumPy function of one point `(…, n)`; its gradient comes from the trace.
    grad: used instead of the trace when given, a function `(…, n) -> (…, n)`, or of one point; then f may be None.
    start: (…, n), or a Path, which this one goes on from: rule, state, step count and noise as in one run.
    lr and hyper-parameters: a number, an array (*batch, 1), or a schedule `t -> value`, t = 0, 1, ….
    noise: standard deviation of normal noise added to the gradient; seed: a number (all runs of a batch share the
    draws) or an array (*batch, 1). All batch shapes broadcast: 50 learning rates are 50 runs, each equal, bit for
    bit, to the run made alone. float32 points stay float32; the rule sees float16 points as float32.
    stop(w, g): called with each point and its gradient before the step; the run ends there when it says True. One that
    says nothing is a callback.

    Raises TypeError for an unknown hyper-parameter (listing the known ones), ValueError for one out of range, and for a
    rule that mixes the runs of a batch.

    >>> from optcore import gd, bowl
    >>> descend(gd, bowl, [1.0, 1.0], steps=2, lr=0.05).points
    array([[1.    , 1.    ],
           [0.95  , 0.    ],
           [0.9025, 0.    ]])
    """
    check_hyper(rule, {"lr": lr} | hyper)
    f = surface_named(f) if isinstance(f, str) else f
    steps = whole("steps", steps, 0)
    before = start if isinstance(start, Path) else None
    if before and name_of(before.rule) != name_of(rule):
        raise ValueError(f"The path to go on from was made by {name_of(before.rule)}, not by {name_of(rule)}.")
    w = _points(before.final if isinstance(before, Path) else start)
    if spec(rule).takes_matrices and w.ndim < 2:
        raise ValueError(f"{name_of(rule)} takes matrices: start must be of shape (…, m, n); it was {w.shape}.")
    n, own_axes, begin = w.shape[-1], w.ndim, before.t if isinstance(before, Path) else 0
    objective = f if f is None or isinstance(f, Differentiable) or grad is not None else Differentiable(f)
    if grad is not None:
        slope: Callable = _PerRun(grad, own_axes)
    elif isinstance(objective, Differentiable):
        slope = objective.grad
    else:
        raise TypeError("descend needs a function f, or its gradient as grad=….")
    noisy = callable(noise) or bool(np.any(noise))
    keywords = {"lr": lr, **hyper} | ({"noise": noise} if noisy else {})
    work = np.promote_types(w.dtype, np.float32)  # ε = 1e-8 is 0 in float16
    values = {k: _as_run(k, at(k, v, begin), work) for k, v in keywords.items()}
    shapes = [w.shape[:-1], *(v.shape[:-1] for v in (*values.values(), _seeds(seed)))]
    batch = _together(shapes, ["start", *values, "seed"])

    # components before runs in memory: NumPy then works along long contiguous rows
    path = np.moveaxis(_room_for((steps + 1, n, *batch), w.dtype), 1, -1)
    path[0] = w
    if noisy:
        draws = _gradient_noise(seed, begin, steps, n).astype(work)
    state = [*before.state.values()] if isinstance(before, Path) else []
    with np.errstate(all="ignore"):
        for k in range(steps):
            t = begin + k
            w = path[k].astype(work, copy="w" in spec(rule).handed, order="K")  # a rule may keep w, not change the path
            g = _gradient(slope, w, work)
            if stop is not None and says_stop(stop(w.copy(), g.copy())):
                path = path[: k + 1]
                break
            for key, value in keywords.items():
                if k and callable(value):
                    values[key] = _as_run(key, at(key, value, t), work)
            if noisy:
                g = g + values["noise"] * draws[k]
            state = state or initial(rule, g, w)
            now = values | {"w": w, "t": t + 1}
            d, *after = apply(rule, g, state, now)
            _check_shape(rule, d, w)
            if k == 0 and batch:
                _check_runs_apart(rule, g, state, now, d)
            state = after
            path[k + 1] = w - values["lr"] * d
    return Path(rule, objective, path, dict(zip(spec(rule).state, state, strict=False)), begin + len(path) - 1)


def _check_shape(rule: Callable, d, w: np.ndarray) -> None:
    try:
        fits = np.broadcast_shapes(np.shape(d), w.shape) == w.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{name_of(rule)} returned a direction of shape {np.shape(d)} for points of shape {w.shape}; "
            "use axis=-1 and keepdims=True when it sums over coordinates."
        )
