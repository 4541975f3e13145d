"""Trace a NumPy function once; get its value, gradient, Hessian, JavaScript and LaTeX from the trace.

A traced array stands in for a real one. NumPy hands it every ufunc (`__array_ufunc__`) and array function
(`__array_function__`) that the code calls, and each scalar operation becomes a node of a graph. Equal operations on
equal arguments are one node, so shared sub-expressions are computed once wherever the graph is replayed.

>>> import numpy as np
>>> f = trace(lambda w: w[0] ** 2 + np.sin(w[1]), (2,))
>>> float(f(np.array([3.0, 0.0])))
9.0
>>> f.gradient()(np.array([3.0, 0.0]))
array([6., 1.])
>>> f.js()
'const t0=x[0];const t1=x[1];const t2=t0*t0;const t3=Math.sin(t1);const t4=t2+t3;y[0]=t4;'
"""

import inspect
import linecache
import math
import sys
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

__all__ = ["JS_HELPERS", "Differentiable", "Trace", "TraceError", "Traced", "trace"]


class TraceError(TypeError):
    """The traced code does something that has no counterpart in the graph; the message says what to write."""


# ---------------------------------------------------------------------------------------------------- operations


class _Op(NamedTuple):
    """One scalar operation: how JavaScript and LaTeX write it, and how an adjoint flows back to each argument."""

    js: str
    latex: str = ""
    level: int = 9  # binding strength in LaTeX: 1 relation, 2 sum, 3 product, 4 power, 9 never needs brackets
    back: tuple[Callable | None, ...] = ()  # per argument: (adjoint a, arguments x[, y[, z]], result r) -> adjoint


def _where(c, a, b):
    return np.where(c, a, b)


# Keys are the names of NumPy ufuncs (and `where`), so the same key replays the node in NumPy.
_OPS: dict[str, _Op] = {
    "add": _Op("{0}+{1}", "{0} + {1}", 2, (lambda a, x, y, r: a, lambda a, x, y, r: a)),
    "subtract": _Op("{0}-{1}", "{0} - {1}", 2, (lambda a, x, y, r: a, lambda a, x, y, r: -a)),
    "multiply": _Op("{0}*{1}", r"{0} \, {1}", 3, (lambda a, x, y, r: a * y, lambda a, x, y, r: a * x)),
    "divide": _Op("{0}/{1}", r"\frac{{{0}}}{{{1}}}", 9, (lambda a, x, y, r: a / y, lambda a, x, y, r: -a * r / y)),
    "power": _Op(
        "H.pow({0},{1})",
        "{0}^{{{1}}}",
        4,
        (lambda a, x, y, r: a * y * x ** (y - 1), lambda a, x, y, r: a * r * np.log(x)),
    ),
    "negative": _Op("-{0}", "-{0}", 2, (lambda a, x, r: -a,)),
    "absolute": _Op("Math.abs({0})", r"\lvert {0} \rvert", 9, (lambda a, x, r: a * np.sign(x),)),
    "sign": _Op("Math.sign({0})", r"\operatorname{{sign}}({0})", 9, (None,)),
    "sqrt": _Op("Math.sqrt({0})", r"\sqrt{{{0}}}", 9, (lambda a, x, r: a / (2 * r),)),
    "exp": _Op("Math.exp({0})", r"\exp({0})", 9, (lambda a, x, r: a * r,)),
    "expm1": _Op("Math.expm1({0})", r"(\exp({0}) - 1)", 9, (lambda a, x, r: a * (r + 1),)),
    "log": _Op("Math.log({0})", r"\ln({0})", 9, (lambda a, x, r: a / x,)),
    "log1p": _Op("Math.log1p({0})", r"\ln(1 + {0})", 9, (lambda a, x, r: a / (1 + x),)),
    "sin": _Op("Math.sin({0})", r"\sin({0})", 9, (lambda a, x, r: a * np.cos(x),)),
    "cos": _Op("Math.cos({0})", r"\cos({0})", 9, (lambda a, x, r: -a * np.sin(x),)),
    "tanh": _Op("Math.tanh({0})", r"\tanh({0})", 9, (lambda a, x, r: a * (1 - r * r),)),
    "arctan": _Op("Math.atan({0})", r"\arctan({0})", 9, (lambda a, x, r: a / (1 + x * x),)),
    "minimum": _Op(
        "Math.min({0},{1})",
        r"\min({0}, {1})",
        9,
        (lambda a, x, y, r: _where(x <= y, a, 0.0), lambda a, x, y, r: _where(x <= y, 0.0, a)),
    ),
    "maximum": _Op(
        "Math.max({0},{1})",
        r"\max({0}, {1})",
        9,
        (lambda a, x, y, r: _where(x >= y, a, 0.0), lambda a, x, y, r: _where(x >= y, 0.0, a)),
    ),
    "where": _Op(
        "{0}?{1}:{2}",
        r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
        9,
        (None, lambda a, c, x, y, r: _where(c, a, 0.0), lambda a, c, x, y, r: _where(c, 0.0, a)),
    ),
    "floor": _Op("Math.floor({0})", r"\lfloor {0} \rfloor", 9, (None,)),
    "remainder": _Op("H.mod({0},{1})", r"({0} \bmod {1})", 9, (lambda a, x, y, r: a, None)),
    "less": _Op("{0}<{1}", "{0} < {1}", 1, (None, None)),
    "less_equal": _Op("{0}<={1}", r"{0} \le {1}", 1, (None, None)),
    "greater": _Op("{0}>{1}", "{0} > {1}", 1, (None, None)),
    "greater_equal": _Op("{0}>={1}", r"{0} \ge {1}", 1, (None, None)),
    "equal": _Op("+{0}===+{1}", "{0} = {1}", 1, (None, None)),
    "not_equal": _Op("+{0}!==+{1}", r"{0} \ne {1}", 1, (None, None)),
    "logical_and": _Op("!!({0}&&{1})", r"{0} \text{{ and }} {1}", 1, (None, None)),
    "logical_or": _Op("!!({0}||{1})", r"{0} \text{{ or }} {1}", 1, (None, None)),
    "logical_not": _Op("!{0}", r"\text{{not }} {0}", 1, (None,)),
    "isfinite": _Op("Number.isFinite({0})", r"{0} \text{{ finite}}", 1, (None,)),
}
_ALIASES = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not", "fabs": "absolute"}

#: What the generated JavaScript may call, as source: NumPy's answers where JavaScript's own differ.
JS_HELPERS = (
    "const H={"
    "pow:(a,b)=>a===1||b===0||a===-1&&(b===Infinity||b===-Infinity)?1:Math.pow(a,b),"
    "mod:(a,b)=>{const r=a%b;return r!==0&&r<0!==b<0?r+b:r}"
    "};"
)


class _Graph:
    """Scalar nodes in the order they were made, which is a topological order; equal nodes are made once."""

    def __init__(self):
        self.nodes: list[tuple] = []  # (op, args…); ("const", value); ("input", name, position)
        self._known: dict[tuple, int] = {}

    def _add(self, node: tuple) -> int:
        # repr keeps 0.0 and -0.0 apart and makes nan equal to itself
        key = ("const", repr(node[1])) if node[0] == "const" else node
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(node)
        return self._known[key]

    def const(self, value) -> int:
        return self._add(("const", value if isinstance(value, bool) else float(value)))

    def input(self, name: str, position: int) -> int:
        return self._add(("input", name, position))

    def value(self, i: int):
        return self.nodes[i][1] if self.nodes[i][0] == "const" else None

    def op(self, name: str, *args: int) -> int:
        known = [self.value(i) for i in args]
        if all(v is not None for v in known):
            with np.errstate(all="ignore"):
                return self.const(getattr(np, name)(*known).item())
        simpler = self._simpler(name, args, known)
        return self._add((name, *args)) if simpler is None else simpler

    def _simpler(self, name: str, args: tuple[int, ...], known: list) -> int | None:
        """Rewrites that change no value, not even at inf and nan: x+0, x-0, 1·x, x/1, x¹, x², √x, --x."""
        match name, *known:
            case ("add", _, 0.0) | ("subtract", _, 0.0) | ("multiply", _, 1.0) | ("divide" | "power", _, 1.0):
                return args[0]
            case ("add", 0.0, _) | ("multiply", 1.0, _):
                return args[1]
            case "power", _, 2.0:
                return self.op("multiply", args[0], args[0])
            case "power", _, 0.5:
                return self.op("sqrt", args[0])
            case "negative", _ if self.nodes[args[0]][0] == "negative":
                return self.nodes[args[0]][1]
        return None

    def reachable(self, roots) -> list[int]:
        seen: set[int] = set()
        stack = [int(r) for r in roots]
        while stack:
            i = stack.pop()
            if i not in seen:
                seen.add(i)
                stack.extend(self.arguments(i))
        return sorted(seen)

    def arguments(self, i: int) -> tuple[int, ...]:
        return () if self.nodes[i][0] in ("const", "input") else self.nodes[i][1:]

    def adjoints(self, root: int, wrt: np.ndarray) -> np.ndarray:
        """Reverse mode: nodes of d root / d wrt, for every node number in `wrt`."""
        zero = self.const(0.0)
        adjoint = {root: Traced(self, np.array(self.const(1.0)))}
        depends = set(self.reachable([root]))
        for i in reversed(sorted(depends)):
            args = self.arguments(i)
            if i not in adjoint or not args:
                continue
            values = [Traced(self, np.array(j)) for j in (*args, i)]
            for j, back in zip(args, _OPS[self.nodes[i][0]].back, strict=True):
                if back is not None and self.value(j) is None:
                    part = back(adjoint[i], *values)
                    adjoint[j] = adjoint[j] + part if j in adjoint else part
        pick = np.vectorize(lambda i: int(adjoint[i].ids) if i in adjoint else zero, otypes=[np.intp])
        return pick(wrt)


# -------------------------------------------------------------------------------------------------- stand-in array


def _where_in_the_code() -> str:
    """The line of the traced code that is being run: `line 3 (m += g)`."""
    frame: FrameType | None = sys._getframe(1)
    while frame and (frame.f_code.co_filename == __file__ or "numpy" in frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    if frame is None:
        return "the traced code"
    text = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"line {frame.f_lineno}" + (f" ({text})" if text else "")


def _refuse(what: str, instead: str):
    raise TraceError(f"{_where_in_the_code()}: {what} cannot be traced; {instead}.")


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of graph nodes that behaves like a NumPy array of fixed shape while a function is traced."""

    __array_priority__ = 1000
    dtype = np.dtype(float)

    def __init__(self, graph: _Graph, ids: np.ndarray):
        self.graph, self.ids = graph, ids

    shape = property(lambda self: self.ids.shape)
    ndim = property(lambda self: self.ids.ndim)
    size = property(lambda self: self.ids.size)
    T = property(lambda self: Traced(self.graph, self.ids.T))

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if out is not None:
            _refuse("writing into an array", "build a new one, as in m = m + g instead of m += g")
        if ufunc is np.matmul and method == "__call__":
            return _matmul(*inputs)
        if ufunc is np.square:
            return inputs[0] * inputs[0]
        name = _ALIASES.get(ufunc.__name__, ufunc.__name__)
        if method == "reduce" and ufunc in (np.add, np.maximum, np.minimum):
            return _fold(ufunc, inputs[0], options.get("axis", 0), options.get("keepdims", False))
        if method != "__call__" or name not in _OPS or options:
            extra = f".{method}" if method != "__call__" else ""
            _refuse(f"np.{ufunc.__name__}{extra}", f"write it with {', '.join(sorted(_OPS))}")
        return _elementwise(name, *inputs)

    def __array_function__(self, func, types, args, kwargs):
        if func in _FUNCTIONS:
            return _FUNCTIONS[func](*args, **kwargs)
        name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
        _refuse(name, f"use {', '.join(sorted('np.' + f.__name__ for f in _FUNCTIONS))}")

    def __array__(self, *args, **kwargs):
        _refuse("np.array(…) of traced values", "join them with np.stack([…], axis=-1)")

    def __bool__(self):
        _refuse("an if, and, or, not or while on a value", "write np.where(condition, a, b), np.minimum or np.maximum")

    def __float__(self):
        _refuse("float(…) or a math.… function", "use the NumPy function of the same name")

    __int__ = __index__ = __complex__ = __float__

    def __setitem__(self, key, value):
        _refuse("writing into an array", "build a new one with np.stack or np.where")

    def __getitem__(self, key):
        if isinstance(key, Traced):
            _refuse("an index that depends on a value", "write np.where(condition, a, b)")
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
        _refuse(f"the method .{name}", "use the np.… function instead")

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


def _lift(graph: _Graph, x) -> np.ndarray:
    """Node numbers of `x`: its own when traced, constants when it is a number or a plain array."""
    if isinstance(x, Traced):
        if x.graph is not graph:
            raise TraceError("Two different traces were mixed; pass every traced value as an argument.")
        return x.ids
    if isinstance(x, (list, tuple)) and any(isinstance(e, Traced) for e in x):
        return np.stack([_lift(graph, e) for e in x])
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise TraceError(f"A number was expected, not {x.dtype.name}.")
    make = (lambda v: graph.const(bool(v))) if x.dtype.kind == "b" else graph.const
    return np.vectorize(make, otypes=[np.intp])(x)


def _graph_of(inputs) -> _Graph:
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
    ids = np.broadcast_arrays(*(_lift(graph, x) for x in inputs))
    out = np.array([graph.op(name, *map(int, args)) for args in zip(*(i.ravel() for i in ids), strict=True)], np.intp)
    return Traced(graph, out.reshape(ids[0].shape))


def _fold(ufunc, x: Traced, axis=None, keepdims=False) -> Traced:
    """Left fold along `axis` (all axes when None), as np.sum, np.max and np.min do up to rounding."""
    axes = range(x.ndim) if axis is None else [a % x.ndim for a in np.atleast_1d(axis)]
    for a in sorted(axes, reverse=True):
        parts = [Traced(x.graph, x.ids.take(k, a)) for k in range(x.shape[a])]
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
        _refuse(f"np.linalg.norm(ord={ord})", "write the norm with np.abs, np.max and np.sum")
    return np.sqrt(_fold(np.add, x * x, axis, keepdims))


def _matmul(a, b):
    graph = _graph_of((a, b))
    a, b = (Traced(graph, _lift(graph, x)) for x in (a, b))
    left = a[..., None, :] if b.ndim == 1 else a[..., :, None, :] if a.ndim > 1 else a[None, :]
    right = b if b.ndim == 1 else np.swapaxes(b, -1, -2)
    if b.ndim == 1:
        return (a * b).sum(axis=-1)
    return (left * right).sum(axis=-1)


def _solve(A, b):
    """Cramer's rule for 2×2, division for 1×1; the right-hand side is (n,) or (n, k), as in np.linalg.solve."""
    graph = _graph_of((A, b))
    A, b = (Traced(graph, _lift(graph, x)) for x in (A, b))
    if A.shape == (1, 1):
        return b / A[0, 0]
    if A.shape != (2, 2):
        _refuse(f"np.linalg.solve with a matrix of shape {A.shape}", "only 1×1 and 2×2 systems are solved by formula")
    det = A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
    return np.stack([A[1, 1] * b[0] - A[0, 1] * b[1], A[0, 0] * b[1] - A[1, 0] * b[0]]) / det


def _rearranged(func):
    """A function that only moves elements about works on the node numbers themselves."""

    def moved(x, *args, **kwargs):
        if isinstance(x, (list, tuple)):
            graph = _graph_of(x)
            return Traced(graph, func([_lift(graph, e) for e in x], *args, **kwargs))
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


# ----------------------------------------------------------------------------------------------------------- trace


@cache
def _indices(shape: tuple[int, ...]) -> list[tuple[Any, ...]]:
    return list(np.ndindex(shape))


class Trace:
    """A traced function: inputs by name, outputs, and everything that can be made of them.

    Calling it evaluates it in NumPy on arrays with any leading batch axes: an input of shape `(2,)` takes `(…, 2)`.
    """

    def __init__(self, graph: _Graph, inputs: dict[str, Traced], outputs: dict[str, Traced], single: bool = True):
        self.graph, self.inputs, self.outputs, self._single = graph, inputs, outputs, single
        self._numpy: Callable | None = None

    # -- NumPy
    def __call__(self, *args, **kwargs):
        values = dict(zip(self.inputs, args, strict=False)) | kwargs
        if missing := [n for n in self.inputs if n not in values]:
            raise TypeError(f"Missing input: {', '.join(missing)}; the trace takes {', '.join(self.inputs)}.")
        if self._numpy is None:
            self._numpy = self._compile()
        arrays = [np.asarray(values[n]) for n in self.inputs]
        scalars: list[Any] = []
        for array, value, traced in zip(arrays, (values[n] for n in self.inputs), self.inputs.values(), strict=True):
            if array.shape[array.ndim - traced.ndim :] != traced.shape:
                raise ValueError(f"An input of shape (…, {', '.join(map(str, traced.shape))}) was expected, "
                                 f"not {array.shape}.")  # fmt: skip
            # a Python number stays one, so that float32 points stay float32
            scalars += [value] if array.ndim == 0 else [array[..., *k] for k in _indices(traced.shape)]
        with np.errstate(all="ignore"):
            results = self._numpy(*scalars)
        strong = [a.dtype for a, n in zip(arrays, self.inputs, strict=True) if not isinstance(values[n], (int, float))]
        dtype = np.result_type(*strong, np.float16) if strong else float
        batches = {a.shape[: a.ndim - t.ndim] for a, t in zip(arrays, self.inputs.values(), strict=True)} - {()}
        batch = np.broadcast_shapes(*batches)
        outputs, k = [], 0
        for out in self.outputs.values():
            # components first in memory: each component of a batch is contiguous, which is what the next call reads
            block = np.empty(out.shape + batch, dtype)
            for index in _indices(out.shape):
                block[index] = results[k]
                k += 1
            outputs.append(block.transpose(*range(out.ndim, block.ndim), *range(out.ndim))[()])
        return outputs[0] if self._single else tuple(outputs)

    def _roots(self) -> list[int]:
        return [int(i) for out in self.outputs.values() for i in out.ids.ravel()]

    def _compile(self) -> Callable:
        """Replay the graph as straight-line Python on NumPy ufuncs, one argument per scalar input."""
        names = {id_: f"x{k}" for k, id_ in enumerate(i for t in self.inputs.values() for i in t.ids.ravel())}
        lines = []
        for i in self.graph.reachable(self._roots()):
            op, *args = self.graph.nodes[i]
            if op == "const":
                names[i] = f"c{i}"
            elif op != "input":
                names[i] = f"t{i}"
                lines.append(f" t{i}={op}({','.join(names[a] for a in args)})")
        count = sum(t.size for t in self.inputs.values())
        source = "\n".join([
            f"def replay({','.join(f'x{k}' for k in range(count))}):", *lines,
            f" return ({''.join(names[r] + ',' for r in self._roots())})",
        ])  # fmt: skip
        space = {name: getattr(np, name) for name in _OPS}
        space |= {f"c{i}": n[1] for i, n in enumerate(self.graph.nodes) if n[0] == "const"}
        exec(source, space)
        return space["replay"]

    # -- derivatives
    def _first(self) -> tuple[Traced, Traced]:
        (_, x), *_ = self.inputs.items()
        (name, y), *_ = self.outputs.items()
        if y.shape != ():
            raise TraceError(f"A gradient needs a scalar output; '{name}' has shape {y.shape}.")
        return x, y

    def gradient(self) -> "Trace":
        """The gradient of the (first, scalar) output in the first input, by reverse mode; a Trace itself."""
        x, y = self._first()
        grad = Traced(self.graph, self.graph.adjoints(int(y.ids), x.ids))
        return Trace(self.graph, self.inputs, {"grad": grad})

    def hessian(self) -> "Trace":
        """The Hessian in the first input, shape `(*shape, *shape)`: reverse mode on each entry of the gradient."""
        x, _ = self._first()
        rows = [self.graph.adjoints(int(g), x.ids) for g in self.gradient().outputs["grad"].ids.ravel()]
        return Trace(self.graph, self.inputs, {"hess": Traced(self.graph, np.stack(rows).reshape(x.shape * 2))})

    def with_derivatives(self) -> "Trace":
        """Value, gradient and Hessian as the three outputs `f`, `grad`, `hess` of one trace."""
        _, y = self._first()
        return Trace(self.graph, self.inputs, {"f": y} | self.gradient().outputs | self.hessian().outputs, False)

    # -- JavaScript
    def js(self) -> str:
        """Body of `(x, y) => {…}`: reads the inputs from the flat array x, writes the outputs to the flat array y."""
        position = {int(i): k for k, i in enumerate(i for t in self.inputs.values() for i in t.ids.ravel())}
        names: dict[int, str] = {}
        lines: list[str] = []
        for i in self.graph.reachable(self._roots()):
            op, *args = self.graph.nodes[i]
            if op == "const":
                names[i] = _js_number(args[0])
                continue
            names[i] = f"t{len(lines)}"
            code = f"x[{position[i]}]" if op == "input" else _OPS[op].js.format(*(names[a] for a in args))
            lines.append(f"const {names[i]}={code};")
        return "".join(lines) + "".join(f"y[{k}]={names[r]};" for k, r in enumerate(self._roots()))

    def program(self) -> dict:
        """The JavaScript with the layout of its flat arrays, ready for JSON."""
        layout = lambda arrays: [[name, list(t.shape)] for name, t in arrays.items()]
        return {"inputs": layout(self.inputs), "outputs": layout(self.outputs), "js": self.js()}

    # -- LaTeX
    def latex(self) -> str:
        """The outputs as a LaTeX formula, one line each component; shared parts are written out."""
        lines = []
        for name, out in self.outputs.items():
            for index in np.ndindex(out.shape):
                left = _latex_name(name, index) + " = " if not self._single or out.shape else ""
                lines.append(left + self._latex_of(int(out.ids[index]))[0])
        return r" \\ ".join(lines)

    def _latex_of(self, i: int) -> tuple[str, int]:
        op, *args = self.graph.nodes[i]
        if op == "const":
            return f"{args[0]:g}", 9 if args[0] >= 0 else 2
        if op == "input":
            shape = self.inputs[args[0]].shape
            return _latex_name(args[0], np.unravel_index(args[1], shape) if shape else ()), 9
        if op == "multiply" and args[0] == args[1]:
            args, template, level = args[:1], "{0}^2", 4
        else:
            template, level = _OPS[op].latex, _OPS[op].level
        parts = []
        for k, a in enumerate(args):
            text, inner = self._latex_of(a)
            tight = inner < level or (inner == level and (k == 1 and op == "subtract" or level == 4))
            parts.append(rf"\left({text}\right)" if tight and level < 9 else text)
        return template.format(*parts), level

    # -- structure
    def is_elementwise(self) -> bool:
        """Whether component k of each output reads component k (or a scalar) of each input, and nothing else."""
        for out in self.outputs.values():
            for k, root in enumerate(out.ids.ravel()):
                for i in self.graph.reachable([root]):
                    op, *args = self.graph.nodes[i]
                    if op == "input" and self.inputs[args[0]].size > 1 and (out.size == 1 or args[1] != k):
                        return False
        return True


def _js_number(v) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if math.isnan(v):
        return "NaN"
    text = ("-" if v < 0 else "") + "Infinity" if math.isinf(v) else repr(v)
    return f"({text})" if text.startswith("-") else text


_GREEK = {"lr": "eta", "eps": "varepsilon", "weight_decay": "lambda"}
_LETTERS = set("alpha beta gamma delta varepsilon eta theta kappa lambda mu nu xi rho sigma tau phi omega".split())


def _latex_name(name: str, index=()) -> str:
    stem = name.rstrip("0123456789")
    digits = [name[len(stem) :]] if name != stem else []
    stem = _GREEK.get(stem, stem)
    symbol = "\\" + stem if stem in _LETTERS else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}".replace("_", r"\_")
    subscript = ",".join(digits + [str(int(k) + 1) for k in index])
    return f"{symbol}_{{{subscript}}}" if subscript else symbol


def trace(fn: Callable, *shapes: tuple[int, ...], **named_shapes: tuple[int, ...]) -> Trace:
    """Run `fn` once on stand-in arrays of the given shapes and keep what it did.

    Positional shapes are named after the parameters of `fn`. `fn` may return one array, or several as a tuple or a
    dict; a tuple's outputs are named y0, y1, ….

    >>> trace(lambda x: x ** 2 / 2, ()).gradient().latex()
    '0.5 \\\\, x + 0.5 \\\\, x'

    Raises TraceError, with the line and what to write instead, for what a graph cannot hold: an `if` on a value,
    an unsupported function, writing into an array.
    """
    graph = _Graph()
    parameters = [] if isinstance(fn, np.ufunc) else inspect.signature(fn).parameters.values()  # NumPy 2.0 tells none
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names += [f"x{k}" for k in range(len(names), len(shapes))]
    inputs = {}
    for name, shape in [*zip(names, shapes, strict=False), *named_shapes.items()]:
        ids = [graph.input(name, k) for k in range(math.prod(shape))]
        inputs[name] = Traced(graph, np.array(ids, np.intp).reshape(shape))
    positional = [inputs[n] for n in names[: len(shapes)]]
    result = fn(*positional, **{n: inputs[n] for n in named_shapes})
    single = not isinstance(result, (tuple, dict))
    if isinstance(result, dict):
        outputs = result
    else:
        outputs = {"y": result} if single else {f"y{k}": r for k, r in enumerate(result)}
    if any(r is None for r in outputs.values()):
        raise TraceError(f"{getattr(fn, '__name__', 'The function')} returned None; it needs a return statement.")
    return Trace(graph, inputs, {n: Traced(graph, _lift(graph, r)) for n, r in outputs.items()}, single)


class Differentiable:
    """A NumPy function of one point, with the gradient and Hessian that its trace gives.

    `fn(w, *, …)` takes `w` of shape `(…, n)` and returns values of shape `(…)`; keyword-only arguments with defaults
    are parameters that a call may change. One trace is made for each dimension n that occurs.

    >>> f = Differentiable(lambda w, *, a=3.0: np.sum(a * w**2, axis=-1))
    >>> f.grad(np.array([1.0, 2.0])), f.grad([1.0, 2.0], a=1.0)
    (array([ 6., 12.]), array([2., 4.]))
    """

    def __init__(self, fn: Callable):
        parameters = list(inspect.signature(fn).parameters.values())
        positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        name = getattr(fn, "__name__", "the function")
        if len(positional) != 1:
            raise TypeError(
                f"{name} takes {len(positional)} positional arguments ({', '.join(positional)}); a surface takes one "
                "point: def f(w): x, y = w[..., 0], w[..., 1]."
            )
        self.fn, self.__name__ = fn, name
        self.params: dict[str, float] = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self._traces: dict[int, tuple[Trace, Trace, Trace]] = {}

    def traces(self, n: int) -> tuple[Trace, Trace, Trace]:
        """Value, gradient and Hessian as traces on points of dimension `n`."""
        if n not in self._traces:
            value = trace(self.fn, (n,), **dict.fromkeys(self.params, ()))
            ((name, out),) = value.outputs.items()
            if out.shape == (1,):
                value = Trace(value.graph, value.inputs, {name: out[0]})
            self._traces[n] = value, value.gradient(), value.hessian()
        return self._traces[n]

    def _call(self, which: int, w, params: dict):
        if unknown := sorted(set(params) - set(self.params)):
            known = ", ".join(self.params) or "none"
            raise TypeError(f"{self.__name__} has no parameter '{unknown[0]}'; it has: {known}.")
        if isinstance(w, Traced):  # inside another trace the formula, or its derivative, joins that graph
            y = self.fn(w, **self.params | params)
            for _ in range(which):
                rows = [w.graph.adjoints(int(i), w.ids) for i in y.ids.ravel()]
                y = Traced(w.graph, np.stack(rows).reshape(y.shape + w.shape))
            return y
        w = np.asarray(w)
        return self.traces(w.shape[-1])[which](w, **self.params | params)

    def __call__(self, w, **params):
        return self._call(0, w, params)

    def grad(self, w, **params):
        """Gradient, shape `(…, n)`."""
        return self._call(1, w, params)

    def hess(self, w, **params):
        """Hessian, shape `(…, n, n)`."""
        return self._call(2, w, params)

    def program(self, n: int = 2) -> dict:
        """Value, gradient and Hessian as one JavaScript program (see `Trace.program`)."""
        program = self.traces(n)[0].with_derivatives().program()
        return program | {"params": [{"name": k, "default": v} for k, v in self.params.items()]}
