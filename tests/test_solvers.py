"""`minimize`, Gauss-Newton and conjugate gradients: iterations, counts, reasons, sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

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
        (dict(x0=[1.0, 1.0], method="sgd"), ValueError, "no method named 'sgd'; there are: gd, newton"),
        (
            dict(x0=[1.0, 1.0], line_search="golden"),
            ValueError,
            "no line search named 'golden'; there are: none, armijo, wolfe",
        ),
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
    heights = np.sum(result.points * (result.points @ A), axis=-1) / 2 - result.points @ b
    np.testing.assert_allclose(result.loss, heights, rtol=1e-6, atol=1e-9)


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
    short = oc.conjugate_gradient(A, b, max_iterations=4)
    assert (short.iterations, short.converged) == (4, False) and "max_iterations = 4 reached" in short.reason
    np.testing.assert_allclose(short.path, result.path[:5], rtol=1e-6, atol=1e-9)


def test_conjugate_gradient_notices_negative_curvature():
    result = oc.conjugate_gradient(np.diag([1.0, -1.0]), np.array([1.0, 2.0]))
    assert "not positive definite" in result.reason and not result.converged


def test_conjugate_gradient_of_nothing_is_nothing():
    result = oc.conjugate_gradient(np.eye(3), np.zeros(3))
    assert result.converged and result.iterations == 0


def test_an_objective_or_gradient_may_write_into_its_argument_and_fill_one_array():
    buffer = np.empty(2)

    def f(x):
        x *= 2
        return float(x @ x)

    def grad(x):
        x *= 8
        buffer[:] = x
        return buffer

    for method in ("gd", "bfgs", "lbfgs"):
        found = oc.minimize(f, [1.0, 3.0], method, grad)
        assert found.points[0].tolist() == [1.0, 3.0] and found.converged and found.iterations >= 1
        np.testing.assert_allclose(found.x, 0, atol=1e-8)


def test_a_stopping_rule_ends_the_run_and_a_callback_does_not():
    seen = []
    full = oc.minimize(oc.rosenbrock, [-1.2, 1.0], stop=lambda x, g: seen.append(x))
    assert full.converged and len(seen) == full.iterations
    found = oc.minimize(oc.rosenbrock, [-1.2, 1.0], stop=lambda x, g: oc.rosenbrock(x) < 1.0)
    assert not found.converged and found.reason == "the stopping rule said so" and found.f < 1.0 <= found.loss[-2]


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: oc.minimize("rosenbrok", [1.0, 1.0]), "no surface named 'rosenbrok'"),
        (lambda: oc.minimize(oc.bowl, [np.nan, 1.0]), "one point of finite numbers"),
        (lambda: oc.minimize(oc.bowl, [1.0, 1.0], grad=lambda x: x[:1]), r"The gradient has shape \(1,\) at a point"),
        (lambda: oc.minimize(lambda x: x, [1.0, 1.0], grad=lambda x: x), r"The value of f has shape \(2,\)"),
        (lambda: oc.minimize(oc.bowl, [1.0, 1.0], max_iterations=1.5), "max_iterations must be a whole number"),
    ],
)
def test_more_bad_input_gets_one_clear_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_a_surface_may_be_named():
    assert oc.minimize("rosenbrock", [0.0, 0.0]).converged


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 32])
def test_assignment_gains_what_scipys_does(n):
    """Another algorithm of the same name; with ties the permutations may differ, their gains may not."""
    rng = np.random.default_rng(n)
    for gain in [rng.normal(size=(20, n, n)), rng.integers(0, 3, (20, n, n)), 1e6 * rng.random((20, n, n))]:
        for one in gain:
            mine = oc.assignment(one)
            assert sorted(mine) == list(range(n))
            rows, theirs = linear_sum_assignment(one, maximize=True)
            assert one[rows, mine].sum() == pytest.approx(one[rows, theirs].sum(), rel=1e-12)


def test_assignment_finds_a_hidden_permutation():
    hidden = np.random.default_rng(0).permutation(12)
    features = np.random.default_rng(1).normal(size=(12, 30))
    np.testing.assert_array_equal(oc.assignment(features @ features[hidden].T), np.argsort(hidden))


@pytest.mark.parametrize("gain", [np.ones((2, 3)), np.ones(4), [[1.0, np.inf], [0.0, 1.0]]])
def test_assignment_refuses_in_a_sentence(gain):
    with pytest.raises(ValueError, match="."):
        oc.assignment(gain)
