"""The tracer: values, derivatives, JavaScript and error sentences, each against NumPy itself or finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optcore import Differentiable, TraceError, trace
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
    assert len(jobs) == len(ONE) + len(TWO) == 36
    for (name, direct), got in zip(expected, run_programs(jobs), strict=True):
        np.testing.assert_allclose(got[:, 0], direct, rtol=1e-12, atol=1e-300, err_msg=name)


def test_a_ufunc_need_not_tell_its_parameters():
    assert list(trace(np.maximum, (), ()).inputs) == ["x0", "x1"]


SMOOTH = {
    "shapes": lambda w: np.sum(np.stack([w[0] * w[1], np.sin(w[2])]) ** 2),
    "norm": lambda w: np.linalg.norm(w),
    "mean": lambda w: np.mean(np.exp(w)) * w.sum(),
    "dot": lambda w: np.dot(w, w[::-1]) + np.log1p(w[0] ** 2),
    "matrix": lambda w: w @ np.array([[2.0, 1, 0], [1, 3, 1], [0, 1, 4]]) @ w,
    "solve": lambda w: np.linalg.solve(np.stack([np.stack([w[0], w[1]]), np.stack([w[1], 3 + w[2]])]), w[:2])[1] + w[2],
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


def test_shared_expressions_are_computed_once():
    t = trace(lambda x: np.exp(x) + np.exp(x) * np.exp(x), ())
    assert t.js().count("Math.exp") == 1
    assert trace(lambda x: (x + 0) * 1 / 1 - 0, ()).js() == "const t0=x[0];y[0]=t0;"


def test_constants_are_folded_and_written_so_that_javascript_reads_them():
    t = trace(lambda x: x * (np.pi * 2 - 10) + np.inf, ())
    assert t.js() == "const t0=x[0];const t1=t0*(-3.7168146928204138);const t2=t1+Infinity;y[0]=t2;"


def test_batches_have_leading_axes_and_each_run_keeps_its_bits():
    t = trace(lambda w, *, a: np.tanh(w[..., 0] * a) + np.exp(w[..., 1]), (2,), a=())
    w = np.random.default_rng(0).normal(size=(5, 4, 2))
    a = np.linspace(0, 1, 4)
    batch = t(w, a=a)
    assert batch.shape == (5, 4)
    single = [[t(w[i, j], a=a[j]) for j in range(4)] for i in range(5)]
    assert np.array_equal(batch, single)
    assert t.gradient()(w, a=a).shape == (5, 4, 2)


def test_float32_points_stay_float32():
    t = trace(lambda w, *, a: np.sin(w * a) * 0.1, (2,), a=())
    assert t(np.float32([1, 2]), a=3.0).dtype == np.float32
    assert t([1, 2], a=3).dtype == np.float64


def test_latex_reads_like_the_formula():
    rosenbrock = trace(lambda w, *, a, b: (a - w[0]) ** 2 + b * (w[1] - w[0] ** 2) ** 2, (2,), a=(), b=())
    assert rosenbrock.latex() == (
        r"\left(\mathrm{a}".replace(r"\mathrm{a}", "a") + r" - w_{1}\right)^2 + b \, \left(w_{2} - w_{1}^2\right)^2"
    )
    assert trace(lambda g, *, beta1: (1 - beta1) * g**2, (), beta1=()).latex() == (r"\left(1 - \beta_{1}\right) \, g^2")


def if_on_a_value(x):
    if x[0] > 0:
        return x
    return -x


def writes(x):
    x[0] = 1.0
    return x


def adds_in_place(x):
    x += 1.0
    return x


def plain_math(x):
    import math

    return math.sqrt(x[0])


@pytest.mark.parametrize(
    ("f", "operation", "instead"),
    [
        (if_on_a_value, "if x[0] > 0:", "np.where(condition, a, b)"),
        (writes, "x[0] = 1.0", "np.stack"),
        (adds_in_place, "x += 1.0", "m = m + g"),
        (plain_math, "math.sqrt(x[0])", "NumPy function of the same name"),
        (lambda x: np.arcsinh(x), "np.arcsinh", "tanh"),
        (lambda x: np.linalg.eigvalsh(x), "np.linalg.eigvalsh", "np.stack"),
        (lambda x: np.array([x[0], x[1]]), "np.array", "np.stack"),
        (lambda x: x.max(), ".max", "np."),
        (lambda x: np.linalg.solve(np.eye(3) * x[0], np.ones(3)), "(3, 3)", "2×2"),
        (lambda x: np.cumsum(x), "np.cumsum", "np.sum"),
    ],
)
def test_what_cannot_be_traced_names_the_operation_and_what_to_write(f, operation, instead):
    with pytest.raises(TraceError) as error:
        trace(f, (2,))
    assert operation in str(error.value) and instead in str(error.value)
    assert str(error.value).startswith("line ")


def test_a_function_without_return_and_a_surface_of_three_inputs_get_a_sentence():
    with pytest.raises(TraceError, match="returned None; it needs a return"):
        trace(lambda x: None, (2,))
    with pytest.raises(TypeError, match=r"takes 3 positional arguments \(x, y, z\); a surface takes one point"):
        Differentiable(lambda x, y, z: x)
    with pytest.raises(TypeError, match="no parameter 'c'; it has: a"):
        Differentiable(lambda w, *, a=1.0: a * w[..., 0])([1.0, 2.0], c=1.0)
    with pytest.raises(TraceError, match="scalar output"):
        trace(lambda w: w, (2,)).gradient()


def test_elementwise_is_seen_in_the_graph():
    assert trace(lambda x, *, a: np.sqrt(x) * a, (3,), a=()).is_elementwise()
    assert not trace(lambda x: x / np.linalg.norm(x), (3,)).is_elementwise()
    assert not trace(lambda x: x[::-1] + 0.0, (3,)).is_elementwise()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=2), st.floats(0.1, 5))
def test_random_points_agree_with_the_function_itself(w, a):
    f = lambda w, *, a: np.log1p(np.exp(-np.abs(w[..., 0] * a))) + np.maximum(w[..., 1], 0.0) ** 2
    w = np.array(w)
    close(trace(f, (2,), a=())(w, a=a), f(w, a=a))
