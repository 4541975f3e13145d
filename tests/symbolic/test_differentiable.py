"""A function of a point with its derivatives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optcore import Differentiable, TraceError, trace


def close(got, expected, rtol=1e-12):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-300)


def test_a_function_without_return_and_a_surface_of_three_inputs_get_a_sentence():
    with pytest.raises(TraceError, match="returned None; it needs a return"):
        trace(lambda x: None, (2,))
    with pytest.raises(TypeError, match=r"takes 3 positional arguments \(x, y, z\); a surface takes one point"):
        Differentiable(lambda x, y, z: x)
    with pytest.raises(TypeError, match="no parameter 'c'; it has: a"):
        Differentiable(lambda w, *, a=1.0: a * w[..., 0])([1.0, 2.0], c=1.0)
    with pytest.raises(TraceError, match="scalar output"):
        trace(lambda w: w, (2,)).gradient()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=2), st.floats(0.1, 5))
def test_random_points_agree_with_the_function_itself(w, a):
    f = lambda w, *, a: np.log1p(np.exp(-np.abs(w[..., 0] * a))) + np.maximum(w[..., 1], 0.0) ** 2
    w = np.array(w)
    close(trace(f, (2,), a=())(w, a=a), f(w, a=a))


def test_a_gradient_builds_no_hessian():
    f = Differentiable(lambda w: np.sum(w**4, axis=-1))
    f.grad(np.ones(100))
    assert len(f._traces) == 2
    assert f.hess(np.ones(100)).shape == (100, 100) and len(f._traces) == 3
