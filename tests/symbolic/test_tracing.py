"""A trace called on arrays: batches, types, structure."""

import numpy as np

from optcore import trace


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
