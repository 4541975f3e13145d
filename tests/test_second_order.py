"""Second order: textbook identities and rates, SciPy's updates, counts on Rosenbrock, reasons for stopping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import BFGS, SR1

import optcore as oc


def spd(n, rng, low=0.1, high=10.0):
    """A random symmetric positive definite matrix with eigenvalues from low to high."""
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return Q @ np.diag(np.geomspace(low, high, n)) @ Q.T


def root_well(w):
    """√(1 + x²), convex; Newton's step maps x to -x³."""
    return np.sum(np.sqrt(1 + w**2), axis=-1)


def two_valleys(w):
    """x²/2 - y²/2 + y⁴/4: a saddle at 0, minima (0, ±1) with value -1/4."""
    x, y = w[..., 0], w[..., 1]
    return x**2 / 2 - y**2 / 2 + y**4 / 4


# ------------------------------------------------------------------------------------------------- Newton's step


@given(seed=st.integers(0, 1000), n=st.integers(1, 6))
def test_newton_solves_a_quadratic_in_one_step(seed, n):
    rng = np.random.default_rng(seed)
    H, x, best = spd(n, rng), rng.normal(size=n), rng.normal(size=n)
    np.testing.assert_allclose(x + oc.newton_step(H @ (x - best), H), best, atol=1e-10)


def test_newton_converges_quadratically():
    """e^x - 2x, minimum ln 2: e_{k+1}/e_k² → f‴/(2f″) = 1/2 (Nocedal & Wright, theorem 3.5)."""
    path = oc.minimize(lambda w: np.sum(np.exp(w) - 2 * w, axis=-1), [2.0], "newton").path[:, 0]
    error = np.abs(path - np.log(2))
    np.testing.assert_allclose(error[1:5], [0.578, 0.139, 9.2e-3, 4.2e-5], rtol=0.01)
    assert error[5] / error[4] ** 2 == pytest.approx(0.5, rel=1e-4)


@pytest.mark.parametrize("start, seventh", [(0.5, 0.0), (1.01, -2.82387e9)])
def test_pure_newton_may_diverge_on_a_convex_function(start, seventh):
    """√(1 + x²): x ← -x³, so |x| < 1 converges cubically and |x| > 1 runs away."""
    path = oc.minimize(root_well, [start], "newton", tol=0.0, max_iterations=7).path[:, 0]
    np.testing.assert_allclose(path[1:4], -(path[:3] ** 3), rtol=1e-9)
    assert path[-1] == pytest.approx(seventh, rel=1e-5, abs=1e-100)


def test_damping_by_backtracking_repairs_it():
    assert oc.minimize(root_well, [3.0], "damped-newton").x == pytest.approx(0.0, abs=1e-8)


def test_newton_goes_to_the_saddle_and_saddle_free_does_not():
    """Dauphin et al. 2014: the pure step is drawn to any stationary point."""
    newton = oc.minimize(two_valleys, [1.0, 0.1], "newton")
    free = oc.minimize(two_valleys, [1.0, 0.1], "saddle-free")
    np.testing.assert_allclose(newton.x, [0, 0], atol=1e-9)
    np.testing.assert_allclose(free.x, [0, 1], atol=1e-9)
    assert free.f == pytest.approx(-0.25)


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


# -------------------------------------------------------------------------------------------- quasi-Newton updates


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
    assert [name for name, _ in oc.rule_program(rule)["inputs"]] == ["g", "w", "damping"]
    free = oc.newton_rule(two_valleys, oc.saddle_free_step)
    assert free.__name__ == "saddle_free"
    # undamped length 1 is allowed here: near the minima the saddle-free step is Newton's
    np.testing.assert_allclose(oc.descend(free, two_valleys, [1.0, 0.1], steps=30, lr=1.0).final, [0, 1], atol=1e-9)


# --------------------------------------------------------------------------------------------------- line searches


def test_backtracking_wants_more_than_an_equal_value():
    """On x² the step of length 1 lands on -x, where f is the same; half of it on the minimum."""
    x = np.array([1.0])
    assert oc.backtracking(lambda x: float(x @ x), x, -2 * x, 2 * x) == 0.5


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


# -------------------------------------------------------------------------------------------------------- minimize


@pytest.mark.parametrize(
    "method, low, high",
    [("newton", 6, 6), ("bfgs", 30, 50), ("lbfgs", 30, 50), ("damped-newton", 15, 30), ("sr1", 30, 80)],
)
def test_iterations_on_rosenbrock(method, low, high):
    """From (-1.2, 1) to a gradient of 1e-8. Newton's six are classical; the others are bands."""
    result = oc.minimize(oc.rosenbrock, [-1.2, 1.0], method)
    assert result.converged and low <= result.iterations <= high
    np.testing.assert_allclose(result.x, 1.0, atol=1e-7)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
def test_rounding_near_the_minimum_stops_no_line_search(method, seed):
    """Values that a constant makes equal to the last digits: slopes still lead to the tolerance."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    A, b, constant = spd(n, rng, 1, 10 ** rng.uniform(0, 3)), rng.normal(size=n), 10 ** rng.uniform(-3, 3)
    f = lambda w: np.sum(w * (w @ A), axis=-1) / 2 - w @ b + constant
    assert oc.minimize(f, np.zeros(n), method, grad=lambda w: A @ w - b).converged


@pytest.mark.parametrize("method", ["gd", "newton", "damped-newton", "saddle-free", "bfgs", "lbfgs", "sr1"])
def test_every_method_solves_a_convex_problem_and_tells_the_truth_about_it(method):
    rng = np.random.default_rng(5)
    A, b = spd(4, rng, 0.5, 5), rng.normal(size=4)
    f = lambda w: np.sum(w * (w @ A), axis=-1) / 2 - w @ b
    result = oc.minimize(f, np.zeros(4), method)
    assert result.converged and "within tol" in result.reason
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), atol=1e-7)
    assert result.path.shape == (result.iterations + 1, 4) and result.loss.shape == (result.iterations + 1,)
    np.testing.assert_allclose(result.loss, f(result.path), rtol=1e-12)
    np.testing.assert_allclose(result.grad, A @ result.x - b, atol=1e-12)


def test_evaluations_are_counted():
    calls = {"f": 0, "grad": 0, "hess": 0}

    def counted(kind, fn):
        def call(x):
            calls[kind] += 1
            return fn(x)

        return call

    r = oc.rosenbrock
    result = oc.minimize(
        counted("f", r), [-1.2, 1.0], "damped-newton", counted("grad", r.grad), counted("hess", r.hess)
    )
    assert result.evaluations == calls
    assert calls["hess"] == result.iterations and calls["grad"] == result.iterations + 1


def test_the_memory_of_lbfgs_matters():
    runs = [oc.minimize(oc.rosenbrock, [-1.2, 1.0], "lbfgs", memory=m).iterations for m in (1, 5)]
    assert runs[0] > runs[1]


def test_steepest_descent_zigzags_at_the_rate_of_kappa():
    """With exact line search from (κ, 1), f falls by ((κ-1)/(κ+1))² each step, 0.960788 at κ = 100 (NW eq. 3.29)."""
    f, grad = (lambda x: float(x[0] ** 2 + 100 * x[1] ** 2) / 2), (lambda x: np.array([1.0, 100.0]) * x)
    x, values = np.array([100.0, 1.0]), []
    for _ in range(10):
        values.append(f(x))
        x = x - oc.strong_wolfe(f, grad, x, -grad(x), c1=1e-6, c2=1e-5) * grad(x)
    np.testing.assert_allclose(np.array(values[1:]) / values[:-1], 0.960788, atol=5e-6)


@pytest.mark.parametrize(
    "f, start, options, sentence",
    [
        (two_valleys, [1.0, 0.1], {"method": "damped-newton"}, "must point downhill"),
        (lambda w: np.sum(w**4, axis=-1), [0.0, 1.0], {"method": "newton"}, "Singular matrix"),
        (lambda w: -np.sum(np.exp(w), axis=-1), [1.0], {"method": "gd", "line_search": "none"}, "not finite"),
        (oc.rosenbrock, [-1.2, 1.0], {"method": "gd", "max_iterations": 3}, "max_iterations = 3 reached"),
        (lambda w: np.sum(w, axis=-1), [1.0], {}, "no step among 40"),
    ],
)
def test_the_reason_for_stopping_is_named(f, start, options, sentence):
    result = oc.minimize(f, start, **options)
    assert sentence in result.reason and not result.converged
    assert sentence in repr(result)


@pytest.mark.parametrize(
    "arguments, error, sentence",
    [
        (dict(x0=[[1.0, 1.0]]), ValueError, "shape \\(n,\\)"),
        (dict(x0=[1.0, 1.0], method="sgd"), ValueError, "method must be one of gd, newton.*it was 'sgd'"),
        (dict(x0=[1.0, 1.0], line_search="golden"), ValueError, "line_search must be one of none, armijo, wolfe"),
    ],
)
def test_bad_input_gets_one_clear_sentence(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        oc.minimize(oc.rosenbrock, **arguments)


def test_newton_without_a_hessian_asks_for_it():
    with pytest.raises(TypeError, match="needs hess along with grad"):
        oc.minimize(lambda x: float(x @ x), [1.0], "newton", grad=lambda x: 2 * x)


def test_the_start_is_left_alone():
    start = np.array([-1.2, 1.0])
    oc.minimize(oc.rosenbrock, start)
    assert start.tolist() == [-1.2, 1.0]


# ------------------------------------------------------------------------------------- least squares, linear systems


def test_gauss_newton_is_exact_on_a_linear_problem():
    rng = np.random.default_rng(6)
    J, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    fit = oc.gauss_newton(lambda x: J @ x - y, lambda x: J, np.zeros(3))
    assert fit.iterations == 1
    np.testing.assert_allclose(fit.x, np.linalg.lstsq(J, y)[0], rtol=1e-10)


def test_gauss_newton_is_newton_where_residuals_vanish():
    """Rosenbrock is ½‖(√2(1-x), √200(y-x²))‖²; the neglected term is r∇²r, zero at the solution (NW §10.3)."""
    residuals = lambda w: np.array([np.sqrt(2) * (1 - w[0]), np.sqrt(200) * (w[1] - w[0] ** 2)])
    jacobian = lambda w: np.array([[-np.sqrt(2), 0], [-2 * np.sqrt(200) * w[0], np.sqrt(200)]])
    fit = oc.gauss_newton(residuals, jacobian, [-1.2, 1.0])
    np.testing.assert_allclose(fit.x, 1.0, atol=1e-8)
    pure = oc.gauss_newton(residuals, jacobian, [-1.2, 1.0], line_search="none")
    assert pure.iterations == 2


@given(seed=st.integers(0, 200), n=st.integers(1, 8))
def test_conjugate_gradient_ends_after_n_steps(seed, n):
    """Nocedal & Wright, theorem 5.1."""
    rng = np.random.default_rng(seed)
    A, b = spd(n, rng), rng.normal(size=n)
    result = oc.conjugate_gradient(A, b, tol=1e-8)
    assert result.converged and result.iterations <= n
    np.testing.assert_allclose(result.x, np.linalg.solve(A, b), rtol=1e-6, atol=1e-6)


def test_conjugate_gradient_keeps_its_bound():
    """‖x_k - x‖_A ≤ 2((√κ-1)/(√κ+1))^k ‖x_0 - x‖_A (Nocedal & Wright, eq. 5.36), and from products alone."""
    rng = np.random.default_rng(7)
    A, b = spd(60, rng, 1, 100), rng.normal(size=60)
    result = oc.conjugate_gradient(lambda v: A @ v, b)
    error = result.path - np.linalg.solve(A, b)
    energy = np.sqrt(np.einsum("ki,ij,kj->k", error, A, error))
    k = np.arange(len(energy))
    assert np.all(energy <= 2 * (9 / 11) ** k * energy[0] + 1e-9)
    assert result.evaluations["A"] == result.iterations + 1


def test_conjugate_gradient_notices_negative_curvature():
    result = oc.conjugate_gradient(np.diag([1.0, -1.0]), np.array([1.0, 2.0]))
    assert "not positive definite" in result.reason and not result.converged


def test_conjugate_gradient_of_nothing_is_nothing():
    result = oc.conjugate_gradient(np.eye(3), np.zeros(3))
    assert result.converged and result.iterations == 0
