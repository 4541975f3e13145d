"""The graph: equal operations are one node, constants are folded."""

import numpy as np

from optcore import trace


def test_shared_expressions_are_computed_once():
    t = trace(lambda x: np.exp(x) + np.exp(x) * np.exp(x), ())
    assert t.js().count("Math.exp") == 1
    assert trace(lambda x: (x + 0) * 1 / 1 - 0, ()).js() == "const t0=x[0];y[0]=t0;"


def test_constants_are_folded_and_written_so_that_javascript_reads_them():
    t = trace(lambda x: x * (np.pi * 2 - 10) + np.inf, ())
    assert t.js() == "const t0=x[0];const t1=t0*(-3.7168146928204138);const t2=t1+Infinity;y[0]=t2;"
