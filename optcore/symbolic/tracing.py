"""Trace a NumPy function, and what can be made of the trace: values, derivatives, and the print in each language."""

import inspect
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .array import Traced, lift
from .graph import Graph, TraceError
from .operations import OPERATIONS
from .to_javascript import javascript
from .to_latex import latex
from .to_numpy import replay


def adjoints(graph: Graph, root: int, wrt: np.ndarray) -> Traced:
    """Reverse mode: d root / d wrt, for every node number in `wrt`."""
    zero = graph.const(0.0)
    adjoint = {root: Traced(graph, np.array(graph.const(1.0)))}
    depends = set(graph.reachable([root]))
    for i in reversed(sorted(depends)):
        args = graph.arguments(i)
        if i not in adjoint or not args:
            continue
        values = [Traced(graph, np.array(j)) for j in (*args, i)]
        for j, back in zip(args, OPERATIONS[graph.nodes[i][0]], strict=True):
            if back is not None and graph.value(j) is None:
                part = back(adjoint[i], *values)
                adjoint[j] = adjoint[j] + part if j in adjoint else part
    pick = np.vectorize(lambda i: int(adjoint[i].ids) if i in adjoint else zero, otypes=[np.intp])
    return Traced(graph, pick(wrt))


@cache
def _indices(shape: tuple[int, ...]) -> list[tuple[Any, ...]]:
    return list(np.ndindex(shape))


class Trace:
    """A traced function: inputs by name, outputs, and everything that can be made of them.

    Calling it evaluates it in NumPy on arrays with any leading batch axes: an input of shape `(2,)` takes `(…, 2)`.
    """

    def __init__(self, graph: Graph, inputs: dict[str, Traced], outputs: dict[str, Traced], single: bool = True):
        self.graph, self.inputs, self.outputs, self.single = graph, inputs, outputs, single
        self._numpy: Callable | None = None

    # -- NumPy
    def __call__(self, *args, **kwargs):
        values = dict(zip(self.inputs, args, strict=False)) | kwargs
        if missing := [n for n in self.inputs if n not in values]:
            raise TypeError(f"Missing input: {', '.join(missing)}; the trace takes {', '.join(self.inputs)}.")
        if self._numpy is None:
            self._numpy = replay(self)
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
        return outputs[0] if self.single else tuple(outputs)

    def roots(self) -> list[int]:
        """The nodes of all outputs' components, in order."""
        return [int(i) for out in self.outputs.values() for i in out.ids.ravel()]

    def input_nodes(self) -> list[int]:
        """The nodes of all inputs' components, in order."""
        return [int(i) for t in self.inputs.values() for i in t.ids.ravel()]

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
        grad = adjoints(self.graph, int(y.ids), x.ids)
        return Trace(self.graph, self.inputs, {"grad": grad})

    def hessian(self) -> "Trace":
        """The Hessian in the first input, shape `(*shape, *shape)`: reverse mode on each entry of the gradient."""
        x, _ = self._first()
        rows = [adjoints(self.graph, int(g), x.ids).ids for g in self.gradient().outputs["grad"].ids.ravel()]
        return Trace(self.graph, self.inputs, {"hess": Traced(self.graph, np.stack(rows).reshape(x.shape * 2))})

    def with_derivatives(self) -> "Trace":
        """Value, gradient and Hessian as the three outputs `f`, `grad`, `hess` of one trace."""
        _, y = self._first()
        return Trace(self.graph, self.inputs, {"f": y} | self.gradient().outputs | self.hessian().outputs, False)

    # -- JavaScript
    def js(self) -> str:
        """Body of `(x, y) => {…}`: reads the inputs from the flat array x, writes the outputs to the flat array y."""
        return javascript(self)

    def program(self) -> dict:
        """The JavaScript with the layout of its flat arrays, ready for JSON."""
        layout = lambda arrays: [[name, list(t.shape)] for name, t in arrays.items()]
        return {"inputs": layout(self.inputs), "outputs": layout(self.outputs), "js": self.js()}

    # -- LaTeX
    def latex(self) -> str:
        """The outputs as a LaTeX formula, one line each component; shared parts are written out."""
        return latex(self)

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


def trace(fn: Callable, *shapes: tuple[int, ...], **named_shapes: tuple[int, ...]) -> Trace:
    """Run `fn` once on stand-in arrays of the given shapes and keep what it did.

    Positional shapes are named after the parameters of `fn`. `fn` may return one array, or several as a tuple or a
    dict; a tuple's outputs are named y0, y1, ….

    >>> trace(lambda x: x ** 2 / 2, ()).gradient().latex()
    '0.5 \\\\, x + 0.5 \\\\, x'

    Raises TraceError, with the line and what to write instead, for what a graph cannot hold: an `if` on a value,
    an unsupported function, writing into an array. An `if` on the scalar input t is traced both ways.
    """
    graph = Graph()
    parameters = [] if isinstance(fn, np.ufunc) else inspect.signature(fn).parameters.values()  # NumPy 2.0 tells none
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names += [f"x{k}" for k in range(len(names), len(shapes))]
    inputs = {}
    for name, shape in [*zip(names, shapes, strict=False), *named_shapes.items()]:
        ids = [graph.input(name, k) for k in range(math.prod(shape))]
        inputs[name] = Traced(graph, np.array(ids, np.intp).reshape(shape))
    positional = [inputs[n] for n in names[: len(shapes)]]
    single = True

    def outputs() -> dict[str, Traced]:
        nonlocal single
        result = fn(*positional, **{n: inputs[n] for n in named_shapes})
        single = not isinstance(result, (tuple, dict))
        if not isinstance(result, dict):
            result = {"y": result} if single else {f"y{k}": r for k, r in enumerate(result)}
        if any(r is None for r in result.values()):
            raise TraceError(f"{getattr(fn, '__name__', 'The function')} returned None; it needs a return statement.")
        return {n: Traced(graph, lift(graph, r)) for n, r in result.items()}

    return Trace(graph, inputs, _by_cases(graph, outputs), single)


def _by_cases(graph: Graph, run: Callable[[], dict[str, Traced]], given: dict[int, bool] | None = None) -> dict:
    """What `run` returns, with np.where for each `if` on the step t: the code is run once for every way through it."""
    given = given or {}
    graph.answers = dict(given)
    found: dict[str, Any] = run()
    answers = graph.answers
    graph.answers = None
    conditions = list(answers)
    for k in reversed(range(len(given), len(conditions))):
        other = _by_cases(graph, run, {c: answers[c] for c in conditions[:k]} | {conditions[k]: False})
        if found.keys() != other.keys():
            raise TraceError("Both ways of an if on the step t must return the same things.")
        asked = Traced(graph, np.array(conditions[k]))
        found = {name: np.where(asked, value, other[name]) for name, value in found.items()}
    return found
