"""A trace called on arrays: batches, types, structure."""

import numpy as np
import pytest

from optcore import TraceError, trace
from tests.javascript import run_programs


def test_a_ufunc_need_not_tell_its_parameters():
    assert list(trace(np.maximum, (), ()).inputs) == ["x0", "x1"]


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


def test_elementwise_is_seen_in_the_graph():
    assert trace(lambda x, *, a: np.sqrt(x) * a, (3,), a=()).is_elementwise()
    assert not trace(lambda x: x / np.linalg.norm(x), (3,)).is_elementwise()
    assert not trace(lambda x: x[::-1] + 0.0, (3,)).is_elementwise()


def test_an_if_on_the_step_is_traced_both_ways():
    def rate(t):
        if t < 3:
            return (t + 1) / 3
        return 1.0 if t < 10 else 10 / t

    traced = trace(rate, t=())
    assert [float(traced(t=t)) for t in (0, 2, 3, 9, 10, 40)] == pytest.approx([1 / 3, 1.0, 1.0, 1.0, 1.0, 0.25])
    got = run_programs([(traced.program(), np.array([[0.0], [3.0], [40.0]]))])[0]
    np.testing.assert_allclose(got.ravel(), [1 / 3, 1.0, 0.25])


def test_only_the_step_may_be_asked_and_a_loop_on_it_comes_to_an_end():
    with pytest.raises(TraceError, match="an if, and, or, not or while on a value cannot be traced"):
        trace(lambda x, *, t: x if x > 0 else -x, (), t=())
    with pytest.raises(TraceError, match="cannot be traced"):
        trace(lambda x, *, t: x if t > x else -x, (), t=())

    def forever(t):
        while t > 1:
            t = t - 1
        return t

    with pytest.raises(TraceError, match="while on a value"):
        trace(forever, t=())
    with pytest.raises(TraceError, match="must return the same things"):
        trace(lambda *, t: {"a": t} if t > 1 else {"b": t}, t=())
