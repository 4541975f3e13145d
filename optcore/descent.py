"""`descend`: the one loop that turns a rule, a gradient and a start into a path; `Optimizer`: the same for networks."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .rule_spec import RANGES, apply, is_elementwise, name_of, spec
from .surfaces import surface_named
from .symbolic import Differentiable

__all__ = ["Optimizer", "Path", "descend"]

#: A run has diverged at the first point with a coordinate that is not finite or larger than this.
DIVERGED = 1e6
_BLOCK = 1 << 17  # bytes per block: temporaries stay in the processor's cache, and malloc need not ask the system


class Path:
    """What `descend` returns.

    points: (steps + 1, *batch, n); loss: (steps + 1, *batch); x and final: (*batch, n), the last points.
    diverged: (*batch), bool; diverged_at: (*batch), the first step outside `DIVERGED`, or -1.
    """

    def __init__(self, rule: Callable, f: Callable | None, points: np.ndarray):
        self.rule, self.f, self.points = rule, f, points

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
            return np.asarray(self.f(self.points))

    def steps_to(self, tol: float, lowest: float | None = None) -> np.ndarray | int:
        """First step whose loss is within `tol` of `lowest` (default: the lowest known minimum, else 0), or -1.

        >>> from optcore import bowl, gd
        >>> descend(gd, bowl.at(kappa=100.0), [1.0, 1.0], steps=800, lr=2 / 101).steps_to(1e-10)
        674
        """
        lowest = getattr(self.f, "lowest", 0.0) if lowest is None else lowest
        near = self.loss - lowest <= tol
        steps = np.where(near.any(axis=0), near.argmax(axis=0), -1)
        return steps if steps.ndim else int(steps)

    def summary(self, tol: float = 1e-6) -> str:
        """One sentence: how many steps to `tol`, or that the run diverged, or what loss it reached."""
        runs = self.diverged.size
        if runs > 1:
            return f"{name_of(self.rule)}: {runs} runs, {int(self.diverged.sum())} diverged"
        if self.diverged.any():
            return f"{name_of(self.rule)}: diverged at step {int(self.diverged_at.ravel()[0])}"
        step = int(np.ravel(self.steps_to(tol))[0]) if self.f is not None else -1
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


def _check_hyper(rule: Callable, hyper: Mapping[str, Any]) -> None:
    known = spec(rule).hyper
    for key, value in hyper.items():
        if key != "lr" and key not in known:
            has = ", ".join(known) or "none"
            raise TypeError(f"{name_of(rule)} has no hyper-parameter '{key}'; it has: {has}.")
        if callable(value):
            continue
        numbers = np.asarray(value)
        if numbers.dtype.kind not in "iuf":
            raise TypeError(f"{key} must be a number, an array or a schedule, not {value!r}.")
        low, high, closed = RANGES.get(key, (-np.inf, np.inf, True))
        if not np.all((numbers >= low) & ((numbers <= high) if closed else (numbers < high))):
            raise ValueError(f"{key} must be in [{low:g}, {high:g}{']' if closed else ')'}; it was {value}.")


def _at(value, step: int, dtype) -> np.ndarray:
    """A hyper-parameter at a step (from 0), never 0-dimensional, so that one run takes the same loops as many."""
    return np.atleast_1d(np.asarray(value(step) if callable(value) else value, dtype))


def _gradient_noise(seed, steps: int, n: int) -> np.ndarray:
    """Standard normal draws, (steps, *seeds, n): one stream for each seed."""
    seeds = np.asarray(seed)
    draws = [np.random.default_rng(int(s)).standard_normal((steps, n)) for s in seeds.ravel()]
    return np.stack(draws, axis=1).reshape(steps, *seeds.shape[:-1], n) if seeds.ndim else draws[0]


def descend(
    rule: Callable,
    f: Callable | str | None,
    start: Sequence | np.ndarray,
    steps: int = 100,
    lr: Any = 0.1,
    *,
    grad: Callable | None = None,
    noise: Any = 0.0,
    seed: Any = 0,
    **hyper: Any,
) -> Path:
    """Run `w <- w - lr*d` for `steps` steps and return the `Path`.

    f: a Surface, its name, or any traceable NumPy function of one point `(…, n)`; its gradient comes from the trace.
    grad: used instead of the trace when given, a function `(…, n) -> (…, n)`; then f may be None.
    start: (…, n). lr and hyper-parameters: a number, an array (*batch, 1), or a schedule `t -> value`, t = 0, 1, ….
    noise: standard deviation of normal noise added to the gradient; seed: a number (all runs of a batch share the
    draws) or an array (*batch, 1). All batch shapes broadcast: 50 learning rates are 50 runs, each equal, bit for
    bit, to the run made alone. float32 points stay float32.

    Raises TypeError for an unknown hyper-parameter (listing the known ones), ValueError for one out of range.

    >>> from optcore import gd, bowl
    >>> descend(gd, bowl, [1.0, 1.0], steps=2, lr=0.05).points
    array([[1.    , 1.    ],
           [0.95  , 0.    ],
           [0.9025, 0.    ]])
    """
    if not callable(rule):
        raise TypeError(f"The rule must be a function such as optcore.adam, not {rule!r}.")
    f = surface_named(f) if isinstance(f, str) else f
    if int(steps) != steps or steps < 0:
        raise ValueError(f"steps must be a whole number, 0 or more; it was {steps}.")
    _check_hyper(rule, {"lr": lr} | hyper)
    w = np.atleast_1d(np.asarray(start))
    w = w if w.dtype.kind == "f" else w.astype(float)
    n = w.shape[-1]
    objective = f if f is None or isinstance(f, Differentiable) or grad is not None else Differentiable(f)
    if grad is None:
        if not isinstance(objective, Differentiable):
            raise TypeError("descend needs a function f, or its gradient as grad=….")
        grad = objective.grad
    noisy = callable(noise) or bool(np.any(noise))
    keywords = {"lr": lr, **hyper}
    values = {k: _at(v, 0, w.dtype) for k, v in keywords.items()}
    shapes = [v.shape[:-1] for v in (*values.values(), np.atleast_1d(seed), *([_at(noise, 0, w.dtype)] * noisy))]
    batch = np.broadcast_shapes(w.shape[:-1], *shapes)

    # components before runs in memory: NumPy then works along long contiguous rows
    path = np.moveaxis(np.empty((steps + 1, n, *batch), w.dtype), 1, -1)
    path[0] = w
    if noisy:
        draws = _gradient_noise(seed, steps, n).astype(w.dtype)
    state: list = []
    with np.errstate(all="ignore"):
        for k in range(steps):
            w = path[k]
            g = np.asarray(grad(w), w.dtype)
            if g.shape != w.shape:
                raise ValueError(f"The gradient has shape {g.shape} at points of shape {w.shape}; they must agree.")
            if noisy:
                g = g + _at(noise, k, w.dtype) * draws[k]
            for key, value in keywords.items():
                if k and callable(value):
                    values[key] = _at(value, k, w.dtype)
            state = state or _initial(rule, g)
            d, *state = apply(rule, g, state, values | {"w": w, "t": k + 1})
            _check_shape(rule, d, w)
            path[k + 1] = w - values["lr"] * d
    return Path(rule, objective, path)


def _initial(rule: Callable, g: np.ndarray) -> list:
    return [v(g) if callable(v) else np.full_like(g, v) for v in spec(rule).state.values()]


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


class Optimizer:
    """The PyTorch-shaped doorway to the same rules: holds parameters and state, and steps in place.

    params: one array, or a list or dict of arrays (contiguous, float); grads has the same form. A rule sees each
    array as one flat vector, so norms are per layer; element-wise rules run in blocks, with the same bits. Rules
    whose first argument is `G` see each array as the matrix it is.

    >>> w = np.array([1.0, 1.0])
    >>> from optcore import gd
    >>> Optimizer(gd, w, lr=0.1).step(np.array([1.0, -1.0]))
    >>> w
    array([0.9, 1.1])
    """

    def __init__(self, rule: Callable, params: Any, lr: Any = 1e-3, **hyper: Any):
        _check_hyper(rule, {"lr": lr} | hyper)
        self.rule, self.lr, self.hyper, self.t = rule, lr, hyper, 0
        self._params = _named(params)
        self._state: dict[Any, list] = {}
        self._blocks = is_elementwise(rule)
        matrices = spec(rule).takes_matrices
        for key, w in self._params.items():
            if not isinstance(w, np.ndarray) or w.dtype.kind != "f" or not w.flags.c_contiguous:
                raise TypeError(f"Parameter {key!r} must be a contiguous float array, so that it can change in place.")
            if matrices and w.ndim != 2:
                raise ValueError(
                    f"{name_of(rule)} takes matrices and parameter {key!r} has shape {w.shape}; "
                    "give it to an Optimizer with another rule."
                )

    def step(self, grads: Any) -> None:
        """One update of every parameter from its gradient."""
        grads = _named(grads)
        if grads.keys() != self._params.keys():
            raise ValueError(f"Gradients are for {list(grads)}, parameters are {list(self._params)}.")
        now = {k: v(self.t) if callable(v) else v for k, v in {"lr": self.lr, **self.hyper}.items()}
        self.t += 1
        for key, w in self._params.items():
            g = np.asarray(grads[key], w.dtype)
            if g.shape != w.shape:
                raise ValueError(f"The gradient of {key!r} has shape {g.shape}; the parameter has {w.shape}.")
            self._update(key, w, g, {k: float(v) for k, v in now.items()})

    def _update(self, key: Any, w: np.ndarray, g: np.ndarray, now: dict[str, float]) -> None:
        if not spec(self.rule).takes_matrices:
            w, g = w.reshape(-1), g.reshape(-1)
        size = _BLOCK // w.itemsize if self._blocks else max(len(w), 1)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for i in range(0, len(w), size):
                w_i, g_i = w[i : i + size], g[i : i + size]
                state = self._state.get((key, i)) or _initial(self.rule, g_i)
                d, *new = apply(self.rule, g_i, state, now | {"w": w_i, "t": self.t})
                self._state[key, i] = [_own(s, g_i, w_i) for s in new]
                w_i -= now["lr"] * d


def _own(value: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """What a rule remembers: a copy where it is a view of arrays that change before the next step."""
    return value.copy() if any(np.may_share_memory(value, other) for other in others) else value


def _named(arrays: Any) -> dict:
    if isinstance(arrays, dict):
        return arrays
    return dict(enumerate(arrays)) if isinstance(arrays, (list, tuple)) else {0: arrays}
