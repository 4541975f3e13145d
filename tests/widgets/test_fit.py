"""Fits in the page: coefficients and errors equal NumPy's and optcore's for every regulariser; every control counts."""

import numpy as np
import pytest

from optcore.widgets.fit import fit, legendre

from .controls import assign, exact, feed, frame_time, live, nudge_every_control, numbers, seen, words


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


@pytest.mark.parametrize(("penalty", "controls"), [("none", 2), ("l2", 4), ("l1", 4), ("stop", 4)])
def test_every_control_counts(open_page, penalty, controls):
    moved = nudge_every_control(open_page(body=live(fit(penalty=penalty))))
    assert len(moved) == controls
    assert [name for name, change in moved.items() if not all(change)] == []


def test_points_move_by_keyboard(open_page):
    page = open_page(body=live(fit()))
    before = seen(page)
    page.get_by_role("slider", name="Point 15").focus()
    page.keyboard.press("ArrowDown")
    after = seen(page)
    assert before[0] != after[0] and before[1] != after[1]


def test_narrow_dark_and_touch(open_page):
    page = open_page(fit(), width=375, dark=True, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("penalty", ["none", "l1"])
def test_hostile_settings(open_page, penalty):
    feed(fit(penalty=penalty), open_page)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"penalty": "l3"}, "l3"),
        ({"degree": 99}, "at most 20"),
        ({"lam": -1}, "negative"),
        ({"points": [[0, 9], [1, 1]]}, "pairs"),
        ({"features": lambda x: [1, float(x)]}, "features cannot run"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        fit(**arguments)


@pytest.mark.parametrize("penalty", ["none", "l2", "l1", "stop"])
def test_dragging_stays_within_a_frame(open_page, penalty):
    w = fit(penalty=penalty, degree=16)
    page = open_page(body=live(w))
    first, *rest = w.points
    assert frame_time(page, [{"points": [[first[0], k / 15 - 1], *rest]} for k in range(30)]) < 8


def test_a_constant_is_a_polynomial_too():
    assert fit(degree=0).degree == 0
