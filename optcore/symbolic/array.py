"""The stand-in array: NumPy hands it every function that the traced code calls, and each becomes nodes of the graph."""

import linecache
import os
import sys
from collections.abc import Callable
from types import FrameType

import numpy as np

from .graph import Graph, TraceError
from .operations import ALIASES, OPERATIONS

_HERE = os.path.dirname(__file__)


def _where_in_the_code() -> str:
    """The line of the traced code that is being run: `line 3 (m += g)`."""
    frame: FrameType | None = sys._getframe(1)
    while frame and (frame.f_code.co_filename.startswith(_HERE) or "numpy" in frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    if frame is None:
        return "the traced code"
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"line {frame.f_lineno}" + (f" ({text})" if text else "")


def refuse(what: str, instead: str):
    raise TraceError(f"{_where_in_the_code()}: {what} cannot be traced; {instead}.")


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of graph nodes that behaves like a NumPy array of fixed shape while a function is traced."""

    __array_priority__ = 1000
    dtype = np.dtype(float)

    def __init__(self, graph: Graph, ids: np.ndarray):
        self.graph, self.ids = graph, ids

    shape = property(lambda self: self.ids.shape)
    ndim = property(lambda self: self.ids.ndim)
    size = property(lambda self: self.ids.size)
    T = property(lambda self: Traced(self.graph, self.ids.T))

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if out is not None:
            refuse("writing into an array", "build a new one, as in m = m + g instead of m += g")
        if ufunc is np.matmul and method == "__call__":
            return _matmul(*inputs)
        if ufunc is np.square:
            return inputs[0] * inputs[0]
        name = ALIASES.get(ufunc.__name__, ufunc.__name__)
        if method == "reduce" and ufunc in (np.add, np.maximum, np.minimum):
            return _fold(ufunc, inputs[0], options.get("axis", 0), options.get("keepdims", False))
        if method != "__call__" or name not in OPERATIONS or options:
            extra = f".{method}" if method != "__call__" else ""
            refuse(f"np.{ufunc.__name__}{extra}", f"write it with {', '.join(sorted(OPERATIONS))}")
        return _elementwise(name, *inputs)

    def __array_function__(self, func, types, args, kwargs):
        if func in _FUNCTIONS:
            return _FUNCTIONS[func](*args, **kwargs)
        name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
        refuse(name, f"use {', '.join(sorted('np.' + f.__name__ for f in _FUNCTIONS))}")

    def __array__(self, *args, **kwargs):
        refuse("np.array(…) of traced values", "join them with np.stack([…], axis=-1)")

    def __bool__(self):
        answer = self.graph.decide(int(self.ids)) if self.size == 1 else None
        if answer is not None:
            return answer
        refuse("an if, and, or, not or while on a value", "write np.where(condition, a, b), np.minimum or np.maximum")

    def __float__(self):
        refuse("float(…) or a math.… function", "use the NumPy function of the same name")

    __int__ = __index__ = __complex__ = __float__

    def __setitem__(self, key, value):
        refuse("writing into an array", "build a new one with np.stack or np.where")

    def __getitem__(self, key):
        if isinstance(key, Traced):
            refuse("an index that depends on a value", "write np.where(condition, a, b)")
        return Traced(self.graph, np.asarray(self.ids[key]))

    def __len__(self):
        return len(self.ids)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __hash__(self):
        return id(self)

    def __getattr__(self, name):
        if name.startswith("__"):  # protocols that NumPy and copy look for
            raise AttributeError(name)
        refuse(f"the method .{name}", "use the np.… function instead")

    def sum(self, axis=None, keepdims=False):
        return _fold(np.add, self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return _mean(self, axis, keepdims)

    def reshape(self, *shape):
        return Traced(self.graph, self.ids.reshape(*shape))

    def astype(self, dtype, copy=True):
        return self

    def copy(self):
        return self


def lift(graph: Graph, x) -> np.ndarray:
    """Node numbers of `x`: its own when traced, constants when it is a number or a plain array."""
    if isinstance(x, Traced):
        if x.graph is not graph:
            raise TraceError("Two different traces were mixed; pass every traced value as an argument.")
        return x.ids
    if isinstance(x, (list, tuple)) and any(isinstance(e, Traced) for e in x):
        return np.stack([lift(graph, e) for e in x])
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TraceError(f"A number was expected, not {x.dtype.name}.")
    make = (lambda v: graph.const(bool(v))) if x.dtype.kind == "b" else graph.const
    return np.vectorize(make, otypes=[np.intp])(x)


def _graph_of(inputs) -> Graph:
    for x in inputs:
        if isinstance(x, Traced):
            return x.graph
        if isinstance(x, (list, tuple)):
            for e in x:
                if isinstance(e, Traced):
                    return e.graph
    raise TraceError("No traced value among the arguments.")


def _elementwise(name: str, *inputs) -> Traced:
    graph = _graph_of(inputs)
    ids = np.broadcast_arrays(*(lift(graph, x) for x in inputs))
    out = np.array([graph.op(name, *map(int, args)) for args in zip(*(i.ravel() for i in ids), strict=True)], np.intp)
    return Traced(graph, out.reshape(ids[0].shape))


def _fold(ufunc, x: Traced, axis=None, keepdims=False) -> Traced:
    """Left fold along `axis` (all axes when None), as np.sum, np.max and np.min do up to rounding."""
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in np.atleast_1d(axis)]
    for a in sorted(axes, reverse=True):
        parts = [Traced(x.graph, x.ids.take(k, a)) for k in range(x.shape[a])]
        if not parts and ufunc is not np.add:
            refuse(f"np.{ufunc.__name__} of no entries", "a slice that keeps one at least")
        total = parts[0] if parts else Traced(x.graph, np.full(np.delete(x.shape, a), x.graph.const(0.0)))
        for part in parts[1:]:
            total = ufunc(total, part)
        x = Traced(x.graph, np.expand_dims(total.ids, a)) if keepdims else total
    return x


def _mean(x, axis=None, keepdims=False):
    total = _fold(np.add, x, axis, keepdims)
    return total / (x.size / total.size)


def _norm(x, ord=None, axis=None, keepdims=False):
    if ord not in (None, 2, "fro"):
        refuse(f"np.linalg.norm(ord={ord})", "write the norm with np.abs, np.max and np.sum")
    return np.sqrt(_fold(np.add, x * x, axis, keepdims))


def _matmul(a, b):
    graph = _graph_of((a, b))
    a, b = (Traced(graph, lift(graph, x)) for x in (a, b))
    if b.ndim == 1:
        return (a * b).sum(axis=-1)
    rows = a[..., :, None, :] if a.ndim > 1 else a[None, :]
    return (rows * np.swapaxes(b, -1, -2)).sum(axis=-1)


def _solve(A, b):
    """Cramer's rule for 2×2, division for 1×1; the right-hand side is (n,) or (n, k), as in np.linalg.solve."""
    graph = _graph_of((A, b))
    A, b = (Traced(graph, lift(graph, x)) for x in (A, b))
    if A.shape == (1, 1):
        return b / A[0, 0]
    if A.shape != (2, 2):
        refuse(f"np.linalg.solve with a matrix of shape {A.shape}", "only 1×1 and 2×2 systems are solved by formula")
    det = A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
    return np.stack([A[1, 1] * b[0] - A[0, 1] * b[1], A[0, 0] * b[1] - A[1, 0] * b[0]]) / det


def _rearranged(func):
    """A function that only moves elements about works on the node numbers themselves."""

    def moved(x, *args, **kwargs):
        if isinstance(x, (list, tuple)):
            graph = _graph_of(x)
            return Traced(graph, func([lift(graph, e) for e in x], *args, **kwargs))
        return Traced(x.graph, np.asarray(func(x.ids, *args, **kwargs)))

    return moved


def _filled(value):
    return lambda x, *args, **kwargs: np.full(x.shape, value)


_FUNCTIONS: dict[Callable, Callable] = {
    np.where: lambda c, x, y: _elementwise("where", c, x, y),
    np.clip: lambda x, lo=None, hi=None: _clip(x, lo, hi),
    np.sum: _fold.__get__(np.add),
    np.max: _fold.__get__(np.maximum),
    np.min: _fold.__get__(np.minimum),
    np.mean: _mean,
    np.dot: _matmul,
    np.linalg.norm: _norm,
    np.linalg.solve: _solve,
    np.zeros_like: _filled(0.0),
    np.ones_like: _filled(1.0),
    np.full_like: lambda x, value, *args, **kwargs: value + np.zeros(x.shape),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    **{
        f: _rearranged(f)
        for f in (
            np.stack, np.concatenate, np.moveaxis, np.swapaxes, np.transpose, np.reshape,
            np.expand_dims, np.squeeze, np.broadcast_to, np.atleast_1d, np.ravel, np.copy,
        )
    },
}  # fmt: skip


def _clip(x, lo, hi):
    x = x if lo is None else np.maximum(x, lo)
    return x if hi is None else np.minimum(x, hi)
