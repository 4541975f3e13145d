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

One file a stage: `operations` with their adjoints, the `graph`, the stand-in `array`, a printer for each language
(`to_numpy`, `to_javascript`, `to_latex`, `to_numba`), `tracing` with its derivatives, and `differentiable`, a
function of a point.
"""

from . import to_numba as to_numba
from .array import Traced as Traced
from .differentiable import Differentiable
from .graph import TraceError
from .to_javascript import JS_HELPERS as JS_HELPERS
from .tracing import Trace, trace

__all__ = ["Differentiable", "Trace", "TraceError", "trace"]
