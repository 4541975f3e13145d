"""Fits in the page: coefficients and errors equal NumPy's and optcore's for every regulariser; every control counts."""

import numpy as np
import pytest

from optcore.widgets.fit import fit, legendre

from .controls import assign, drawn_lines, exact, holds_line, live, numbers, words


def test_legendre_is_numpys():
    x = np.linspace(-1, 1, 9)
    for k, p in enumerate(legendre(x, degree=12)):
        np.testing.assert_allclose(p, np.sqrt(2 * k + 1) * np.polynomial.Legendre.basis(k)(x), atol=1e-12)


def _compared(page, w, **settings):
    """(page, optcore): training error, test error and length of the coefficients."""
    w.value = {**w.value, **settings}
    shown = numbers(assign(page, **w.value).partition("training error")[2])
    return shown[:3], [*w.errors(), np.linalg.norm(w.coefficients()[1:])]


@pytest.mark.parametrize("settings", [{"degree": d} for d in (0, 1, 6, 13, 14, 17, 20)], ids=str)
def test_least_squares_and_its_shortest_solution(open_page, settings):
    w = fit()
    page, ours = _compared(open_page(body=exact(w)), w, penalty="none", **settings)
    # with 15 features for 15 points the system is nearly singular: half the digits are rounding in both
    np.testing.assert_allclose(page, ours, rtol=1e-5 if settings["degree"] in (13, 14) else 1e-9, atol=1e-12)


def test_regularisers_equal_optcore(open_page):
    w = fit()
    browser = open_page(body=exact(w))
    for degree in (3, 9, 18):
        for lam in (1e-3, 0.05, 2.0):
            np.testing.assert_allclose(*_compared(browser, w, penalty="l2", degree=degree, lam=lam), rtol=1e-9)
        for steps in (1, 30, 1000):
            np.testing.assert_allclose(*_compared(browser, w, penalty="stop", degree=degree, steps=steps), rtol=1e-9)
    for degree, lam in [(3, 0.02), (9, 0.1), (18, 0.1), (9, 5.0)]:
        np.testing.assert_allclose(*_compared(browser, w, penalty="l1", degree=degree, lam=lam), rtol=1e-9, atol=1e-12)


def test_only_l1_makes_zeros(open_page):
    w = fit(degree=18, penalty="l1", lam=0.1)
    zeros = int(np.sum(w.coefficients()[1:] == 0))
    page = open_page(body=live(w))
    assert zeros > 9 and f"{zeros} of 18 exactly zero" in words(page)
    assert "0 of 18 exactly zero" in assign(page, penalty="l2")


def test_capacity_is_not_monotone(open_page):
    """Few features underfit, as many as points overfit, and far more do better again than the peak."""
    page = open_page(body=live(fit()))
    low, best, peak, beyond = (numbers(assign(page, degree=d).partition("test error")[2])[0] for d in (1, 5, 14, 20))
    assert best < low and peak > 10 * best and beyond < peak / 10
    assert "underfits" in assign(page, degree=0) and "overfits" in assign(page, degree=14)


def test_own_features_and_points(open_page):
    w = fit([[-1, 1], [0, 0], [1, 1]], features=lambda x: [1 + 0 * x, np.maximum(x, 0), np.maximum(-x, 0)], degree=2)
    np.testing.assert_allclose(w.coefficients(), [0, 1, 1], atol=1e-12)
    assert "Degree 2" in words(open_page(body=live(w)))


def test_equal_abscissas_do_not_break_the_fit(open_page):
    page = open_page(body=live(fit(points=[[0.5, 1], [0.5, -1], [0.5, 0.2]], degree=8)))
    assert "nan" not in words(page)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"penalty": "l3"}, "l3"),
        ({"degree": 99}, "at most 20"),
        ({"lam": -1}, "from 1e-05 to 10"),
        ({"points": [[0, 9], [1, 1]]}, "pairs"),
        ({"features": lambda x: [1, float(x)]}, "features cannot run"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        fit(**arguments)


def test_a_constant_is_a_polynomial_too():
    assert fit(degree=0).degree == 0


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"degree": 12, "penalty": "stop", "steps": 3}, "it underfits"),  # the best is 16 steps
        ({"degree": 9, "penalty": "l2", "lam": 0.195}, "close to the best"),
        ({"degree": 12, "penalty": "l2", "lam": 10}, "it underfits"),
        ({"degree": 12, "penalty": "l2", "lam": 1e-5}, "it overfits"),
        ({"degree": 12, "penalty": "l1", "lam": 10}, "it underfits"),
        ({"degree": 1}, "it underfits"),
        ({"degree": 14}, "it overfits"),
    ],
)
@pytest.mark.parametrize("against", ["degree", "strength"])
def test_the_verdict_is_by_the_side_of_the_best(settings, verdict, against, open_page):
    page = open_page(body=live(fit(**settings)))
    assert verdict in assign(page, against=against)


def test_the_curve_and_the_errors_over_the_degree_are_drawn(open_page):
    w = fit(degree=5)
    lines = drawn_lines(open_page, w)
    curve = next(
        line for line in lines if holds_line([line], np.c_[line[:, 0], w.design(line[:, 0]) @ w.coefficients()])
    )
    assert len(curve) > 100 and curve[0, 0] < min(x for x, _ in w.points)
    errors = []
    for degree in range(13):
        w.degree = degree
        errors.append(w.errors())
    over = drawn_lines(open_page, fit(degree=5), plot=1)
    for drawn_, ours in zip(over, np.transpose(errors), strict=True):
        np.testing.assert_allclose(drawn_[:13], np.c_[np.arange(13), ours], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_coefficients_are_drawn_over_the_strength(open_page, penalty):
    w = fit(degree=4, penalty=penalty)
    paths = drawn_lines(open_page, w, plot=2)
    assert len(paths) == 5
    for k in (0, len(paths[0]) // 2, -1):
        w.lam = float(paths[0][k, 0])
        np.testing.assert_allclose([path[k, 1] for path in paths], w.coefficients(), atol=1e-5)


def test_the_goal_is_a_little_above_the_best_degree():
    w = fit(degree=14)
    best = min(fit(degree=degree).errors()[1] for degree in range(15))
    (limit,) = [one[2] for one in w.goal().when]
    assert best < limit < 1.05 * best < w.errors()[1]
    assert fit(degree=5).goal() is None, "it is there"
