"""Constraints: projections are nearest points, multipliers are prices, penalties err like 1/ρ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import optcore as oc

normal = np.array([1.0, -2.0, 0.5])
#: name: (projection, whether a point is inside up to rounding)
SETS = {
    "ball": (lambda v: oc.project_ball(v, 2.0), lambda x: np.linalg.norm(x, axis=-1) <= 2 * (1 + 1e-12)),
    "box": (lambda v: oc.project_box(v, -1.0, 2.0), lambda x: ((x >= -1) & (x <= 2)).all(axis=-1)),
    "halfspace": (
        lambda v: oc.project_halfspace(v, normal, 1.0),
        lambda x: x @ normal <= 1 + 1e-9 * (1 + np.abs(x).max(axis=-1)),
    ),
    "simplex": (
        lambda v: oc.project_simplex(v, 3.0),
        lambda x: (x >= 0).all(axis=-1) & (np.abs(x.sum(axis=-1) - 3) <= 1e-9),
    ),
}
every_set = pytest.mark.parametrize(("project", "inside"), SETS.values(), ids=SETS)
points = arrays(float, (4, 3), elements=st.floats(-1e3, 1e3))


def squares(w):
    return np.sum(w**2, axis=-1)


def sum_is_one(w):
    return np.sum(w, axis=-1, keepdims=True) - 1


# ----------------------------------------------------------------------------------------------------- projections


@every_set
@given(v=points)
def test_a_projection_lands_inside_and_stays_there(project, inside, v):
    x = project(v)
    assert inside(x).all()
    np.testing.assert_allclose(project(x), x, atol=1e-9)


@every_set
@given(v=points, u=points)
def test_a_projection_is_the_nearest_point(project, inside, v, u):
    """x = P(v) iff (v - x)ᵀ(z - x) ≤ 0 for every z of the set (Boyd & Vandenberghe 2004, §8.1)."""
    x, z = project(v), project(u)
    assert np.all(np.sum((v - x) * (z - x), axis=-1) <= 1e-6)


@every_set
@given(v=points, u=points)
def test_projections_bring_no_two_points_further_apart(project, inside, v, u):
    gap = np.linalg.norm(project(v) - project(u), axis=-1)
    assert np.all(gap <= np.linalg.norm(v - u, axis=-1) + 1e-9)


@every_set
def test_a_batch_is_projected_point_by_point(project, inside):
    v = np.random.default_rng(0).normal(scale=3, size=(2, 5, 3))
    np.testing.assert_allclose(project(v)[1, 2], project(v[1, 2]), rtol=1e-14)
    assert project(np.empty((0, 3))).shape == (0, 3)


@every_set
@pytest.mark.parametrize("size", [1e300, 1e-300])
def test_extreme_points_are_projected_all_the_same(project, inside, size):
    x = project(size * np.array([3.0, -4.0, 0.5]))
    assert np.isfinite(x).all() and inside(x)


@every_set
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_points_that_are_not_finite_do_not_look_projected(project, inside, bad):
    with np.errstate(invalid="ignore"):
        x = project(np.array([bad, 1.0, 1.0]))
    assert np.isnan(x).any() or (bad == np.inf and inside(x))


@pytest.mark.parametrize("v, nearest", [([0.5, 0.8, -0.3], [0.35, 0.65, 0]), ([0.2, 0.3, 0.5], [0.2, 0.3, 0.5])])
def test_simplex_shifts_rather_than_rescales(v, nearest):
    """Clipping and dividing by the sum would give (0.385, 0.615, 0) for the first one."""
    np.testing.assert_allclose(oc.project_simplex(np.array(v)), nearest, atol=1e-15)


def test_simplex_keeps_small_differences_beside_large_values():
    np.testing.assert_allclose(oc.project_simplex(np.array([1e15, 1e15 + 0.5])), [0.25, 0.75])


def test_points_inside_the_ball_come_back_bit_for_bit():
    v = np.random.default_rng(1).normal(size=(100, 4))
    inside = np.linalg.norm(v, axis=-1) < 2
    assert 0 < inside.sum() < 100
    assert np.array_equal(oc.project_ball(v, 2.0)[inside], v[inside])


def test_clipping_a_gradient_is_projecting_on_a_ball():
    g = np.array([30.0, 40.0])
    np.testing.assert_allclose(oc.project_ball(g, 5.0), oc.clip_norm(g, max_norm=5.0), rtol=1e-7)


def test_projections_without_a_sort_trace():
    v = np.array([3.0, -1.0])
    for project in (
        lambda v: oc.project_ball(v, 1.5),
        lambda v: oc.project_box(v, -0.5, 0.5),
        lambda v: oc.project_halfspace(v, np.array([1.0, 1.0]), 1.0),
    ):
        np.testing.assert_allclose(oc.trace(project, (2,))(v), project(v), rtol=1e-15)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: oc.project_ball(np.ones(2), 0.0), "radius must be positive"),
        (lambda: oc.project_ball(np.ones(2), np.nan), "radius must be positive"),
        (lambda: oc.project_box(np.ones(2), 1.0, 0.0), "low must not be above high"),
        (lambda: oc.project_halfspace(np.ones(2), np.zeros(2), 1.0), "a must be a finite vector other than zero"),
        (lambda: oc.project_simplex(np.ones(2), -1.0), "a positive total"),
        (lambda: oc.project_simplex(np.empty(0)), "n ≥ 1"),
        (lambda: oc.projected_gradient(squares, [1.0], oc.project_ball, lr=0.0), "lr must be positive"),
        (lambda: oc.solve_eq_qp(np.eye(2), np.zeros(2), np.ones((1, 3)), np.ones(1)), "A \\(1, 2\\)"),
        (lambda: oc.penalty_method(squares, sum_is_one, [0.0, 0.0], rhos=[]), "at least one penalty"),
        (lambda: oc.augmented_lagrangian(squares, sum_is_one, [0.0, 0.0], rho=-1.0), "all positive"),
    ],
)
def test_bad_input_gets_one_clear_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


# ---------------------------------------------------------------------------------------------- projected gradient


def test_least_squares_on_a_ball_is_ridge_regression():
    """The multiplier of ‖w‖² ≤ R² is the ridge penalty whose solution has that norm."""
    rng = np.random.default_rng(0)
    X, y, ridge = rng.normal(size=(40, 5)), rng.normal(size=40), 21.854
    w = np.linalg.solve(X.T @ X + ridge * np.eye(5), X.T @ y)
    found = oc.projected_gradient(
        lambda v: float(np.sum((X @ v - y) ** 2)) / 2,
        np.zeros(5),
        lambda v: oc.project_ball(v, np.linalg.norm(w)),
        lr=1 / np.linalg.eigvalsh(X.T @ X)[-1],
        grad=lambda v: X.T @ (X @ v - y),
        tol=1e-12,
    )
    np.testing.assert_allclose(found.x, w, atol=1e-12)
    np.testing.assert_allclose(-X.T @ (X @ found.x - y) / found.x, ridge, rtol=1e-9)
    assert found.converged and "within tol" in found.reason


def test_projected_gradient_never_leaves_the_set_and_never_climbs():
    found = oc.projected_gradient(oc.bowl, [-2.0, 1.5], lambda v: oc.project_box(v, -2.0, -0.5), lr=0.04)
    assert np.all((found.path >= -2) & (found.path <= -0.5))
    assert np.all(np.diff(found.loss) <= 0)
    np.testing.assert_allclose(found.x, -0.5)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_the_gradient_in_the_result_is_the_gradient_mapping(rounds):
    """(x - project(x - lr·∇f(x)))/lr, which is the gradient itself where the step stays inside."""
    f, centre, lr = (lambda w: np.sum((w - centre) ** 2, axis=-1)), np.array([2.0, 1.0]), 0.05
    found = oc.projected_gradient(f, [0.1, -0.2], oc.project_ball, lr=lr, max_iterations=rounds)
    x, slope = found.x, 2 * (found.x - centre)
    np.testing.assert_allclose(found.grad, (x - oc.project_ball(x - lr * slope)) / lr, rtol=1e-9)
    if not rounds:
        np.testing.assert_allclose(found.grad, slope, rtol=1e-9)


def test_projected_gradient_says_when_it_gave_up():
    found = oc.projected_gradient(squares, [1.0, 1.0], lambda v: v, lr=0.1, max_iterations=3)
    assert found.iterations == 3 and "max_iterations = 3" in found.reason


# ------------------------------------------------------------------------------------------------------ multipliers


@given(seed=st.integers(0, 500), n=st.integers(1, 6), data=st.data())
def test_quadratic_program_meets_kkt(seed, n, data):
    rng = np.random.default_rng(seed)
    m = data.draw(st.integers(0, n))
    J, c, A, b = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal(size=(m, n)), rng.normal(size=m)
    Q = J @ J.T + np.eye(n)
    x, lam = oc.solve_eq_qp(Q, c, A, b)
    residuals = oc.kkt_residuals(Q @ x + c, A @ x - b, A, lam)
    assert max(residuals) < 1e-6 * (1 + np.linalg.norm(lam))


def test_a_multiplier_is_minus_the_price_of_the_constraint():
    """min x² + y² with x + y = b is b²/2, so df*/db = b = -λ; at b = 1, λ = -1."""
    solve = lambda b: oc.solve_eq_qp(2 * np.eye(2), np.zeros(2), np.ones((1, 2)), np.array([b]))
    x, lam = solve(1.0)
    np.testing.assert_allclose(x, 0.5)
    step = 1e-6
    slope = (squares(solve(1 + step)[0]) - squares(solve(1 - step)[0])) / (2 * step)
    assert slope == pytest.approx(1.0) == pytest.approx(-lam[0])


def test_kkt_residuals_see_each_violation():
    g = np.array([1.0, 0.0])
    met = oc.kkt_residuals(g, h=[0.0], Jh=[[-1.0, 0.0]], mu=[1.0])
    assert met == (0, 0, 0, 0, 0)
    assert oc.kkt_residuals(g).stationarity == 1
    assert oc.kkt_residuals(g, c=[0.3], Jc=[[-1.0, 0.0]], lam=[1.0]).equality == 0.3
    assert oc.kkt_residuals(g, h=[0.3], Jh=[[-1.0, 0.0]], mu=[1.0]).inequality == 0.3
    assert oc.kkt_residuals(g, h=[0.0], Jh=[[1.0, 0.0]], mu=[-1.0]).sign == 1
    assert oc.kkt_residuals(g, h=[-0.5], Jh=[[-1.0, 0.0]], mu=[1.0]).complementarity == 0.5


def test_the_lagrangian_is_stationary_at_the_solution_and_traces():
    L = oc.lagrangian(squares, sum_is_one, lam=np.array([-1.0]))
    gradient = oc.trace(L, (2,)).gradient()
    np.testing.assert_allclose(gradient(np.array([0.5, 0.5])), 0, atol=1e-15)
    on_a_surface = oc.trace(oc.lagrangian(oc.rosenbrock, sum_is_one, rho=2.0), (2,))
    assert on_a_surface(np.array([1.0, 2.0])) == oc.rosenbrock(np.array([1.0, 2.0])) + 4


# -------------------------------------------------------------------------------------------------------- penalties


def test_penalty_errs_like_one_over_rho_while_conditioning_grows():
    """min x² + y², x + y = 1: x_ρ = ρ/(2 + 2ρ), violation 1/(1 + ρ), κ = 1 + ρ, multiplier estimate -ρ/(1 + ρ)."""
    rhos = np.array([2.0, 20.0, 200.0, 2000.0])
    found = oc.penalty_method(squares, sum_is_one, [0.0, 0.0], rhos)
    np.testing.assert_allclose(found.path[:, 0], [0.33333, 0.47619, 0.49751, 0.49975], atol=5e-6)
    np.testing.assert_allclose(found.violation, 1 / (1 + rhos), rtol=1e-4)
    np.testing.assert_allclose(found.multipliers, -2000 / 2001, rtol=1e-4)
    for rho in rhos:
        H = oc.trace(oc.lagrangian(squares, sum_is_one, rho=rho), (2,)).hessian()(np.zeros(2))
        assert np.linalg.cond(H) == pytest.approx(1 + rho)


def test_augmented_lagrangian_gains_a_factor_of_eleven_a_round():
    """c ← c/(1 + ρ) with ρ = 10 fixed: the violation after k rounds is 11^{-k}."""
    found = oc.augmented_lagrangian(squares, sum_is_one, [0.0, 0.0], rounds=6, tol=1e-12, method="newton")
    np.testing.assert_allclose(found.violation, 11.0 ** -np.arange(1, 7), rtol=1e-6)
    np.testing.assert_allclose(found.multipliers, -1.0, atol=1e-6)
    assert found.path.shape == (6, 2) and found.iterations.shape == (6,)


def test_augmented_lagrangian_with_a_curved_constraint():
    """Nearest point of the unit circle to (2, 1): (2, 1)/√5, with λ = √5 - 1 for ½‖x - p‖² and c = ½(‖x‖² - 1)."""
    p = np.array([2.0, 1.0])
    f = lambda w: np.sum((w - p) ** 2, axis=-1) / 2
    circle = lambda w: (np.sum(w**2, axis=-1, keepdims=True) - 1) / 2
    found = oc.augmented_lagrangian(f, circle, [1.0, 0.0])
    np.testing.assert_allclose(found.x, p / np.sqrt(5), atol=1e-7)
    np.testing.assert_allclose(found.multipliers, np.sqrt(5) - 1, atol=1e-6)
    assert found.violation[-1] <= 1e-8 and "violation" in repr(found)


def test_a_result_cannot_be_changed():
    found = oc.penalty_method(lambda w: np.sum(w**2, axis=-1), lambda w: w[..., :1] - 1.0, [2.0, 1.0])
    with pytest.raises(AttributeError):
        found.x = np.zeros(2)
