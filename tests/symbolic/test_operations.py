"""Every operation: its value in NumPy and in JavaScript, its slope against differences."""

import numpy as np
import pytest

from optcore import trace
from optcore.symbolic import to_javascript, to_latex
from optcore.symbolic.operations import OPERATIONS
from tests.javascript import run_programs

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-300, 1e300, np.inf, -np.inf, np.nan])


ONE = {
    "neg": lambda x: -x,
    "abs": np.abs,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "floor": np.floor,
    "square": lambda x: x**2,
    "np.square": np.square,
    "cube": lambda x: x**3,
    "root": lambda x: x**0.5,
    "reciprocal": lambda x: x**-1.0,
    "not": lambda x: np.where(~(x > 0), 1.0, 2.0),
    "finite": lambda x: np.where(np.isfinite(x), 1.0, 2.0),
}


TWO = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "remainder": lambda x, y: x % y,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": lambda x, y: np.where(x > y, x, 2 * y),
    "clip": lambda x, y: np.clip(x, -0.5, y),
    "less": lambda x, y: np.where(x < y, 1.0, 0.0),
    "less_equal": lambda x, y: np.where(x <= y, 1.0, 0.0),
    "greater_equal": lambda x, y: np.where(x >= y, 1.0, 0.0),
    "equal": lambda x, y: np.where(x == y, 1.0, 0.0),
    "not_equal": lambda x, y: np.where(x != y, 1.0, 0.0),
    "and": lambda x, y: np.where((x > 0) & (y > 0), 1.0, 0.0),
    "or": lambda x, y: np.where((x > 0) | (y > 0), 1.0, 0.0),
}


def close(got, expected, rtol=1e-12):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-300)


def test_every_operation_agrees_with_numpy_in_numpy_and_in_javascript_also_at_inf_nan_and_zero():
    rng = np.random.default_rng(0)
    one = np.concatenate([SPECIAL, rng.normal(0, 3, 40)])
    two = np.concatenate([np.stack(np.meshgrid(SPECIAL, SPECIAL), axis=-1).reshape(-1, 2), rng.normal(0, 3, (40, 2))])
    jobs, expected = [], []
    for functions, points in ((ONE, one[:, None]), (TWO, two)):
        for name, f in functions.items():
            t = trace(f, *[()] * points.shape[1])
            with np.errstate(all="ignore"):
                direct = f(*points.T)
            close(t(*points.T), direct)
            jobs.append((t.program(), points))
            expected.append((name, direct))
    assert len(jobs) == len(ONE) + len(TWO) == 37
    for (name, direct), got in zip(expected, run_programs(jobs), strict=True):
        np.testing.assert_allclose(got[:, 0], direct, rtol=1e-12, atol=1e-300, err_msg=name)


SMOOTH = {
    "shapes": lambda w: np.sum(np.stack([w[0] * w[1], np.sin(w[2])]) ** 2),
    "norm": lambda w: np.linalg.norm(w),
    "mean": lambda w: np.mean(np.exp(w)) * w.sum(),
    "dot": lambda w: np.dot(w, w[::-1]) + np.log1p(w[0] ** 2),
    "matrix": lambda w: w @ np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, 4]]) @ w,
    "matrices": lambda w: np.sum(
        (np.array([[2.0, 1, 0], [0, 3, 1]]) * w @ np.stack([np.stack([w[0], w[1]]), np.sin(w[:2]), w[1:] * w[2]]))
        * np.array([[1.0, 2.0], [3.0, 4.0]])
    ),
    "solve": lambda w: (
        np.linalg.solve(np.stack([np.stack([w[0], w[1]]), np.stack([w[1] - 2.0 * w[0], 3 + w[2]])]), w[:2])
        @ np.array([2.0, 1.0])
        + w[2]
    ),
    "solve many": lambda w: np.sum(
        np.linalg.solve(
            np.stack([np.stack([w[0], w[1]]), np.stack([w[2], 3.0 + w[0]])]),
            np.stack([np.stack([w[1], w[2]]), np.stack([w[0], w[1] ** 2])]),
        )
        * np.array([[1.0, 2.0], [3.0, 4.0]])
    ),
    "power": lambda w: (1 + w[0] ** 2) ** w[1] / (2 + np.cos(w[2])),
    "where": lambda w: np.where(w[0] > 0, w[0] ** 2 * w[1], w[2] ** 3) + np.maximum(w[0], w[1]) * np.tanh(w[2]),
    "folds": lambda w: np.max(w) - np.min(w) * np.arctan(np.clip(w[1], -0.5, 0.5)) + np.sqrt(np.abs(w[0])),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_and_hessian_agree_with_central_differences(name):
    f = SMOOTH[name]
    t = trace(f, (3,))
    w = np.array([0.7, -1.3, 0.4])
    close(t(w), f(w))
    step = 1e-6 * np.eye(3)
    grad = np.array([(f(w + h) - f(w - h)) / 2e-6 for h in step])
    np.testing.assert_allclose(t.gradient()(w), grad, rtol=1e-7, atol=1e-8)
    g = t.gradient()
    hess = np.array([(g(w + h) - g(w - h)) / 2e-6 for h in step])
    np.testing.assert_allclose(t.hessian()(w), hess, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(t.hessian()(w), t.hessian()(w).T, rtol=1e-12, atol=1e-14)


def test_every_operation_has_the_slope_of_its_differences():
    """At points away from kinks and jumps; between them, the tables reach every operation that there is."""
    seen, h = set(), 1e-6
    for name, f in (ONE | TWO).items():
        n = 1 if name in ONE else 2
        t = trace(lambda w, f=f, n=n: f(*(w[k] for k in range(n))), (n,))
        slope = t.gradient()
        seen |= {t.graph.nodes[i][0] for i in t.graph.reachable(t.roots())}
        for point in ([0.7, 1.3], [1.9, 0.4], [0.3, 0.9], [5.2, 3.1]):
            w = np.array(point[:n])
            differences = [(t(w + e) - t(w - e)) / (2 * h) for e in h * np.eye(n)]
            np.testing.assert_allclose(slope(w), differences, rtol=1e-6, atol=1e-8, err_msg=name)
    assert seen - {"input", "const"} == set(OPERATIONS)


def test_every_printer_writes_every_operation():
    assert set(to_javascript.WRITTEN) == set(to_latex.WRITTEN) == set(OPERATIONS)
