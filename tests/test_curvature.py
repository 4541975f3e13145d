"""Differences, Hessian products and the ends of the spectrum against matrices that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optcore import (
    MLP,
    Objective,
    hutchinson,
    hvp,
    lanczos,
    numerical_gradient,
    power_iteration,
    sharpness,
)
from optcore.losses import cross_entropy, mse

RNG = np.random.default_rng(0)


X = RNG.normal(size=(7, 4))


Y = np.array([0, 1, 2, 2, 1, 0, 1])


def quadratic(n=30, seed=0):
    A = np.random.default_rng(seed).normal(size=(n, n))
    return (A + A.T) / 2


def test_numerical_gradient_leaves_its_point_alone():
    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    grad = numerical_gradient(lambda w: np.sum(w**3), w)
    np.testing.assert_allclose(grad, 3 * w**2, rtol=1e-9)
    assert w.tolist() == [[1, 2], [3, 4]]


def test_hvp_of_a_quadratic_is_the_matrix_times_v_at_any_scale_of_v():
    H = quadratic()
    w, v = np.ones(30), np.arange(30.0)
    for scale in (1e-8, 1.0, 1e8):
        np.testing.assert_allclose(hvp(lambda w: H @ w, w, scale * v), scale * (H @ v), rtol=1e-6, atol=scale * 1e-6)
    assert not hvp(lambda w: H @ w, w, np.zeros(30)).any()


@given(st.integers(0, 1000), st.integers(1, 12))
def test_power_iteration_and_lanczos_find_the_ends_of_the_spectrum(seed, n):
    H = quadratic(n, seed)
    values = np.linalg.eigvalsh(H)
    scale = np.abs(values).max()
    ritz = lanczos(lambda v: H @ v, n, tol=0)
    np.testing.assert_allclose(ritz[[0, -1]], values[[0, -1]], atol=1e-6 * scale)
    sizes = np.sort(np.abs(values))
    if n == 1 or sizes[-2] < 0.9 * sizes[-1]:
        value, v = power_iteration(lambda v: H @ v, n)
        assert value == pytest.approx(values[np.abs(values).argmax()], rel=1e-4)
        assert np.linalg.norm(v) == pytest.approx(1)


def test_power_iteration_keeps_the_sign_and_survives_the_zero_matrix():
    assert power_iteration(lambda v: np.array([-5.0, 2.0, 1.0]) * v, 3)[0] == pytest.approx(-5)
    assert power_iteration(lambda v: 0 * v, 3)[0] == 0
    assert lanczos(lambda v: 0 * v, 3)[-1] == 0


def test_objective_gives_value_gradient_and_hessian_of_the_network():
    net = MLP([4, 5, 3], "tanh", dropout=0.5, dtype=np.float32)
    penalty = lambda w: (0.5 * np.sum(w**2), w)
    objective = Objective(net, X, Y, penalty=penalty)
    w = objective.start
    assert objective(w) == pytest.approx(cross_entropy(net.copy(float)(X), Y)[0] + penalty(net.weights)[0], rel=1e-6)
    assert Objective(net, X, Y)(w) == pytest.approx(cross_entropy(net.copy(float)(X), Y)[0], rel=1e-6)
    np.testing.assert_allclose(objective.grad(w), numerical_gradient(objective, w), atol=1e-9)
    hessian = np.stack([objective.hvp(w, e) for e in np.eye(w.size)])
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-7)
    by_differences = np.stack(
        [(objective.grad(w + 1e-5 * e) - objective.grad(w - 1e-5 * e)) / 2e-5 for e in np.eye(w.size)]
    )
    np.testing.assert_allclose(hessian, by_differences, atol=1e-6)
    grid = np.stack([[w, w + 1], [w - 1, 2 * w], [0 * w, w]])
    assert objective(grid).shape == (3, 2) and objective.grad(grid).shape == grid.shape
    assert objective(grid)[0, 0] == objective(w)
    np.testing.assert_array_equal(net.theta, w.astype(np.float32))


def test_sharpness_is_the_largest_eigenvalue_and_refuses_kinks():
    """A linear model under mse has the Hessian 2XᵀX/n for each output, here with one output."""
    target = RNG.normal(size=(7, 1))
    Z = np.column_stack([X, np.ones(7)])
    exact = np.linalg.eigvalsh(2 * Z.T @ Z / 7)[-1]
    assert sharpness(MLP([4, 1]), X, target, mse, tol=1e-9) == pytest.approx(exact, rel=1e-6)
    net = MLP([4, 5, 3], "tanh", seed=1)
    objective = Objective(net, X, Y)
    hessian = np.stack([objective.hvp(objective.start, e) for e in np.eye(objective.start.size)])
    assert sharpness(net, X, Y) == pytest.approx(np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1], rel=1e-3)
    with pytest.raises(ValueError, match="relu has a kink"):
        sharpness(MLP([4, 5, 3], "relu"), X, Y)


@pytest.mark.parametrize("probe", ["signs", "normal"])
def test_hutchinson_has_the_diagonal_for_its_mean_and_the_variance_of_the_formula(probe):
    H = quadratic(6)
    rows = hutchinson(lambda v: H @ v, 6, 40_000, probe=probe, seed=1)
    off = np.sum(H**2, axis=1) - np.diag(H) ** 2
    extra = 2 * np.diag(H) ** 2 if probe == "normal" else 0.0
    np.testing.assert_allclose(rows.mean(axis=0), np.diag(H), atol=5 * np.sqrt((off + extra).max() / 40_000))
    np.testing.assert_allclose(rows.var(axis=0), off + extra, rtol=0.05)
    np.testing.assert_allclose(rows.sum(axis=1).var(), 2 * (off + extra / 2).sum(), rtol=0.05)


def test_hutchinson_is_exact_for_a_diagonal_matrix_and_names_its_probes():
    d = np.arange(1.0, 5.0)
    assert (hutchinson(lambda v: d * v, 4, 3) == d).all()
    with pytest.raises(ValueError, match="signs, normal"):
        hutchinson(lambda v: v, 4, 3, probe="uniform")
    with pytest.raises(ValueError, match="draws"):
        hutchinson(lambda v: v, 4, 0)
