"""Newton and quasi-Newton steps and updates against SciPy and their defining equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import BFGS, SR1

import optcore as oc
from optcore import second_order
from optcore.rule_spec import rule_program


def spd(n, rng, low=0.1, high=10.0):
    """A random symmetric positive definite matrix with eigenvalues from low to high."""
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return Q @ np.diag(np.geomspace(low, high, n)) @ Q.T


def two_valleys(w):
    """x²/2 - y²/2 + y⁴/4: a saddle at 0, minima (0, ±1) with value -1/4."""
    x, y = w[..., 0], w[..., 1]
    return x**2 / 2 - y**2 / 2 + y**4 / 4


@given(seed=st.integers(0, 1000), n=st.integers(1, 6))
def test_newton_solves_a_quadratic_in_one_step(seed, n):
    rng = np.random.default_rng(seed)
    H, x, best = spd(n, rng), rng.normal(size=n), rng.normal(size=n)
    np.testing.assert_allclose(x + oc.newton_step(H @ (x - best), H), best, atol=1e-10)


@given(seed=st.integers(0, 1000), n=st.integers(1, 5))
def test_saddle_free_uses_the_absolute_eigenvalues(seed, n):
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.1, 3, n) * rng.choice([-1, 1], n)
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    g = rng.normal(size=n)
    step = oc.saddle_free_step(g, Q @ np.diag(values) @ Q.T)
    np.testing.assert_allclose(step, -Q @ ((Q.T @ g) / np.abs(values)), rtol=1e-9, atol=1e-9)
    assert g @ step < 0


def test_saddle_free_of_a_zero_matrix_is_a_damped_gradient_step():
    np.testing.assert_allclose(oc.saddle_free_step(np.array([1.0, 2.0]), np.zeros((2, 2)), 0.5), [-2, -4])


@pytest.mark.parametrize("name", ["newton_step", "saddle_free_step"])
@pytest.mark.parametrize("n", [2, 3])
def test_steps_of_a_batch_are_the_single_steps(name, n):
    rng = np.random.default_rng(0)
    step, g = getattr(oc, name), rng.normal(size=(4, 5, n))
    H = rng.normal(size=(4, 5, n, n))
    H = H + np.swapaxes(H, -1, -2)
    together = step(g, H)
    assert together.shape == (4, 5, n)
    np.testing.assert_allclose(together[2, 3], step(g[2, 3], H[2, 3]), rtol=1e-12)


@given(seed=st.integers(0, 1000), n=st.integers(1, 7))
def test_bfgs_meets_the_secant_equation_and_stays_positive(seed, n):
    """Nocedal & Wright, eq. 6.2 and 6.17."""
    rng = np.random.default_rng(seed)
    W, s = spd(n, rng), rng.normal(size=n)
    y = spd(n, rng) @ s
    new = oc.bfgs_inverse_update(W, s, y)
    np.testing.assert_allclose(new @ y, s, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(new, new.T, rtol=1e-9, atol=1e-9)
    assert np.linalg.eigvalsh(new).min() > 0


@pytest.mark.parametrize("y", [[-1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], ids=["negative", "none", "no change"])
def test_bfgs_skips_pairs_without_positive_curvature(y):
    W = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert np.array_equal(oc.bfgs_inverse_update(W, np.array([1.0, 0.0]), np.array(y)), W)


def test_updates_equal_scipys():
    """scipy.optimize.BFGS and SR1, `.update`, 30 random pairs of a convex (BFGS) and an indefinite (SR1) matrix."""
    rng = np.random.default_rng(1)
    n = 5
    bfgs, sr1 = BFGS(init_scale=1.0), SR1(init_scale=1.0)
    bfgs.initialize(n, "inv_hess")
    sr1.initialize(n, "hess")
    H, indefinite = spd(n, rng), np.diag([1.0, -2, 3, -4, 5])
    W, B = np.eye(n), np.eye(n)
    for _ in range(30):
        s = rng.normal(size=n)
        # a little of everything that is not quadratic, so that SR1 does not stop at the exact matrix
        y = H @ s + 0.1 * np.sin(s)
        bfgs.update(s, y)
        W = oc.bfgs_inverse_update(W, s, y)
        np.testing.assert_allclose(W, bfgs.get_matrix(), rtol=1e-10, atol=1e-10)
        y = indefinite @ s + 0.1 * np.sin(s)
        sr1.update(s, y)
        B = oc.sr1_update(B, s, y)
        np.testing.assert_allclose(B, sr1.get_matrix(), rtol=1e-8, atol=1e-8)


def test_sr1_finds_an_indefinite_hessian_where_bfgs_cannot():
    """Nocedal & Wright, theorem 6.1: SR1 is exact after n independent steps, also for diag(1, -2, 3)."""
    rng = np.random.default_rng(0)
    H, B, W = np.diag([1.0, -2.0, 3.0]), np.eye(3), np.eye(3)
    for s in rng.normal(size=(3, 3)):
        B, W = oc.sr1_update(B, s, H @ s), oc.bfgs_inverse_update(W, s, H @ s)
    np.testing.assert_allclose(B, H, atol=1e-12)
    assert np.linalg.eigvalsh(W).min() > 0


def test_sr1_skips_a_vanishing_denominator():
    B, s = np.eye(2), np.array([1.0, 0.0])
    assert np.array_equal(oc.sr1_update(B, s, np.array([1.0, 1.0])), B)  # r = (0, 1), so rᵀs = 0
    assert np.array_equal(oc.sr1_update(B, s, s), B)  # r = 0


def test_bfgs_with_exact_line_search_finds_the_inverse_hessian_in_n_steps():
    """Nocedal & Wright, theorem 6.4, on a 6-dimensional quadratic."""
    rng = np.random.default_rng(2)
    A, x, W = spd(6, rng), rng.normal(size=6), np.eye(6)
    for _ in range(6):
        d = -W @ A @ x
        s = -(d @ A @ x) / (d @ A @ d) * d
        x, W = x + s, oc.bfgs_inverse_update(W, s, A @ s)
    np.testing.assert_allclose(W, np.linalg.inv(A), atol=1e-9)
    np.testing.assert_allclose(x, 0, atol=1e-9)


@given(seed=st.integers(0, 500), m=st.integers(0, 6))
def test_two_loops_equal_the_dense_matrix(seed, m):
    """Nocedal & Wright, eq. 7.19: the recursion is BFGS from W₀ = γI over the stored pairs."""
    rng = np.random.default_rng(seed)
    H = spd(5, rng)
    S = list(rng.normal(size=(m, 5)))
    Y, g = [H @ s for s in S], rng.normal(size=5)
    W = np.eye(5) * (S[-1] @ Y[-1] / (Y[-1] @ Y[-1]) if m else 1.0)
    for s, y in zip(S, Y, strict=True):
        W = oc.bfgs_inverse_update(W, s, y)
    np.testing.assert_allclose(oc.lbfgs_direction(g, S, Y), -W @ g, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "fn, shapes",
    [
        (oc.newton_step, [(2,), (2, 2)]),
        (oc.saddle_free_step, [(2,), (2, 2)]),
        (oc.bfgs_inverse_update, [(2, 2), (2,), (2,)]),
        (oc.sr1_update, [(2, 2), (2,), (2,)]),
        (lambda g, S, Y: oc.lbfgs_direction(g, list(S), list(Y)), [(2,), (3, 2), (3, 2)]),
    ],
    ids=["newton", "saddle-free", "bfgs", "sr1", "lbfgs"],
)
def test_steps_and_updates_trace_in_two_dimensions(fn, shapes):
    rng = np.random.default_rng(4)
    traced = oc.trace(fn, *shapes)
    for _ in range(20):
        values = [rng.normal(size=shape) for shape in shapes]
        values = [v + v.T if v.shape == (2, 2) else v for v in values]
        np.testing.assert_allclose(traced(*values), fn(*values), rtol=1e-9, atol=1e-9)


def test_newton_runs_as_a_rule_also_in_the_page():
    rule = oc.newton_rule(oc.rosenbrock)
    assert oc.descend(rule, oc.rosenbrock, [-1.2, 1.0], steps=6, lr=1.0).loss[-1] < 1e-18
    assert [name for name, _ in rule_program(rule)["inputs"]] == ["g", "w", "damping", "a", "b"]
    free = oc.newton_rule(two_valleys, oc.saddle_free_step)
    assert free.__name__ == "saddle_free"
    # undamped length 1 is allowed here: near the minima the saddle-free step is Newton's
    np.testing.assert_allclose(oc.descend(free, two_valleys, [1.0, 0.1], steps=30, lr=1.0).final, [0, 1], atol=1e-9)


@pytest.mark.parametrize("name", second_order.SECOND_ORDER)
def test_a_batch_of_points_steps_as_each_does_alone(name):
    rule = second_order.SECOND_ORDER[name](oc.rosenbrock)
    starts = np.array([[-1.2, 1.0], [1.5, 2.0], [0.2, 0.1], [-0.5, 1.5], [2.0, 3.5]])
    run = lambda start: oc.descend(rule, oc.rosenbrock, start, steps=8, lr=0.5).points
    alone = np.stack([run(start) for start in starts], axis=1)
    np.testing.assert_allclose(run(starts), alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("s, y", [([1.0, -1.0], [3.0, 1.0]), ([1.0, -0.1], [0.2, -5.0]), ([0.5, 2.0], [1.0, 1.0])])
def test_lbfgs_with_one_pair_is_its_matrix_and_meets_the_secant_equation(s, y):
    """H = (I - ρsyᵀ)γ(I - ρysᵀ) + ρssᵀ with γ = sᵀy/yᵀy; Hy = s."""
    s, y, w_last, g_last = np.array(s), np.array(y), np.array([0.3, -0.7]), np.array([0.4, 0.9])
    assert s @ y > 0
    V, rho = np.eye(2) - np.outer(s, y) / (s @ y), 1 / (s @ y)
    H = (s @ y) / (y @ y) * V @ V.T + rho * np.outer(s, s)
    np.testing.assert_allclose(H @ y, s, atol=1e-12)
    w, g = w_last + s, g_last + y
    d, *_ = oc.apply(second_order.lbfgs, g, [w_last, g_last], {"w": w, "t": 2})
    np.testing.assert_allclose(d, H @ g, rtol=1e-9)


@pytest.mark.parametrize("start", [[-1.2, 1.0], [1.5, 2.0]])
@pytest.mark.parametrize("f", [oc.rosenbrock, oc.bowl])
def test_the_steps_of_the_bfgs_rule_are_those_of_scipys_update(f, start):
    steps, theirs = 12, BFGS(init_scale="auto")
    theirs.initialize(2, "inv_hess")
    points, g = [np.array(start)], f.grad(np.array(start))
    step = -g / max(1, np.linalg.norm(g))
    for _ in range(steps):
        points.append(points[-1] + step)
        g_last, g = g, f.grad(points[-1])
        theirs.update(step, g - g_last)
        step = -theirs.get_matrix() @ g
    np.testing.assert_allclose(oc.descend(second_order.bfgs, f, start, steps, lr=1.0).points, points, atol=1e-9)
