"""Line searches: both conditions met, and a reason where no step will do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optcore as oc


def test_backtracking_wants_more_than_an_equal_value():
    """On x² the step of length 1 lands on -x, where f is the same; half of it on the minimum."""
    x = np.array([1.0])
    assert oc.backtracking(lambda x: float(x @ x), x, -2 * x, 2 * x) == 0.5


@pytest.mark.parametrize("x", [np.ones(2), np.array([np.nan, 1.0]), np.float16(1)])
def test_backtracking_ends_where_no_value_is_a_number(x):
    with pytest.raises(oc.LineSearchError, match="not even the smallest"):
        oc.backtracking(lambda x: np.nan, x, -np.ones(2), np.ones(2))


@given(
    curvature=st.floats(1e-3, 1e6),
    c=st.floats(1e-4, 0.45),
    shrink=st.floats(0.1, 0.9),
    step=st.floats(1e-2, 1e2),
)
def test_backtracking_meets_armijo_and_only_just(curvature, c, shrink, step):
    f = lambda x: float(curvature / 2 * x @ x)
    x, g = np.array([1.0]), np.array([curvature])
    armijo = lambda a: f(x - a * g) <= f(x) - c * a * curvature**2
    alpha = oc.backtracking(f, x, -g, g, step=step, c=c, shrink=shrink)
    assert armijo(alpha) and (alpha == step or not armijo(alpha / shrink))


@given(curvature=st.floats(1e-3, 1e6), c2=st.floats(0.01, 0.9), step=st.floats(1e-2, 1e2))
def test_strong_wolfe_meets_both_conditions(curvature, c2, step):
    f = lambda x: float(np.sum(np.sqrt(1 + curvature * x**2)))
    grad = lambda x: curvature * x / np.sqrt(1 + curvature * x**2)
    x = np.array([2.0])
    d = -grad(x)
    alpha = oc.strong_wolfe(f, grad, x, d, step=step, c2=c2)
    slope = grad(x) @ d
    assert f(x + alpha * d) <= f(x) + 1e-4 * alpha * slope
    assert abs(grad(x + alpha * d) @ d) <= c2 * abs(slope)


def test_strong_wolfe_asks_for_a_share_of_what_the_slope_promises():
    """On x² from 1 the step 0.95 is flat enough for c2 = 0.95, and falls by less than 0.4 of the promise; 0.6 may."""
    alpha = oc.strong_wolfe(square, twice, np.array([1.0]), np.array([-2.0]), step=0.95, c1=0.4, c2=0.95)
    assert 0 < alpha <= 0.6


def test_strong_wolfe_survives_infinite_values_on_the_way():
    f = lambda x: float(x[0] - np.log(x[0])) if x[0] > 0 else np.inf
    grad = lambda x: 1 - 1 / x
    alpha = oc.strong_wolfe(f, grad, np.array([10.0]), np.array([-1.0]), step=64.0, c2=0.1)
    assert abs(grad(np.array([10.0 - alpha]))[0]) <= 0.1 * 0.9


uphill = dict(x=np.array([1.0]), d=np.array([1.0]))


square, twice = (lambda x: float(x @ x)), (lambda x: 2 * x)


@pytest.mark.parametrize(
    "search, error, sentence",
    [
        (lambda: oc.backtracking(square, **uphill, g=np.array([2.0])), oc.LineSearchError, "must point downhill"),
        (lambda: oc.strong_wolfe(square, twice, **uphill), oc.LineSearchError, "gᵀd was 2"),
        (lambda: oc.backtracking(square, np.ones(1), -np.ones(1), np.ones(1), shrink=1.0), ValueError, "shrink"),
        (lambda: oc.strong_wolfe(square, twice, np.ones(1), -np.ones(1), c2=1e-5), ValueError, "c1 < c2"),
        (
            lambda: oc.backtracking(lambda x: -square(x), np.ones(1), -np.ones(1), np.ones(1)),  # a wrong gradient
            oc.LineSearchError,
            "no step along the direction",
        ),
        (
            lambda: oc.strong_wolfe(lambda x: float(x[0]), np.ones_like, np.ones(1), -np.ones(1)),  # unbounded below
            oc.LineSearchError,
            "no step among 40",
        ),
    ],
)
def test_a_line_search_without_an_answer_says_why(search, error, sentence):
    with pytest.raises(error, match=sentence):
        search()


def test_a_step_that_is_too_long_is_followed_by_the_minimum_of_the_parabola():
    f, grad = (lambda x: float((x[0] - 0.3) ** 2)), (lambda x: 2 * (x - 0.3))
    assert oc.strong_wolfe(f, grad, np.zeros(1), np.array([0.6]), step=1 / 0.6) == pytest.approx(0.5, rel=1e-12)
