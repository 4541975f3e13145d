"""A NumPy function of one point together with its gradient and Hessian."""

import inspect
from collections.abc import Callable

import numpy as np

from .array import Traced
from .tracing import Trace, adjoints, trace


class Differentiable:
    """A NumPy function of one point, with the gradient and Hessian that its trace gives.

    `fn(w, *, …)` takes `w` of shape `(…, n)` and returns values of shape `(…)`; keyword-only arguments with defaults
    are parameters that a call may change. One trace is made for each dimension n that occurs.

    >>> f = Differentiable(lambda w, *, a=3.0: np.sum(a * w**2, axis=-1))
    >>> f.grad(np.array([1.0, 2.0])), f.grad([1.0, 2.0], a=1.0)
    (array([ 6., 12.]), array([2., 4.]))
    """

    def __init__(self, fn: Callable):
        if not callable(fn):
            raise TypeError(f"A function of one point is needed, as in def f(w): return …; it was {fn!r}.")
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
        self._traces: dict[tuple[int, int], Trace] = {}

    def traced(self, n: int, order: int = 0) -> Trace:
        """Value (order 0), gradient (1) or Hessian (2) as a trace on points of dimension `n`; made when first asked."""
        if (n, order) not in self._traces:
            value = self.traced(n) if order else self._value(n)
            self._traces[n, order] = [lambda: value, value.gradient, value.hessian][order]()
        return self._traces[n, order]

    def _value(self, n: int) -> Trace:
        value = trace(self.fn, (n,), **dict.fromkeys(self.params, ()))
        ((name, out),) = value.outputs.items()
        return Trace(value.graph, value.inputs, {name: out[0]}) if out.shape == (1,) else value

    def _call(self, order: int, w, params: dict):
        if unknown := sorted(set(params) - set(self.params)):
            known = ", ".join(self.params) or "none"
            raise TypeError(f"{self.__name__} has no parameter '{unknown[0]}'; it has: {known}.")
        if isinstance(w, Traced):  # inside another trace the formula, or its derivative, joins that graph
            y = self.fn(w, **self.params | params)
            for _ in range(order):
                rows = [adjoints(w.graph, int(i), w.ids).ids for i in y.ids.ravel()]
                y = Traced(w.graph, np.stack(rows).reshape(y.shape + w.shape))
            return y
        w = np.asarray(w)
        return self.traced(w.shape[-1], order)(w, **self.params | params)

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
        program = self.traced(n).with_derivatives().program()
        return program | {"params": [{"name": k, "default": v} for k, v in self.params.items()]}
