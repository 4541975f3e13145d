"""Derivatives, classes, descents and basins in the page against NumPy; every control."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.critical_points import FLAT, STEPS, critical_points, find_critical_points

from .controls import numbers, seen, words
from .exact import exact_numbers

KINDS = {(1, 1): "local minimum", (-1, -1): "local maximum", (-1, 1): "strict saddle"}


@pytest.mark.parametrize(
    ("name", "maxima", "saddles", "minima"), [("hills", 2, 1, 2), ("himmelblau", 1, 4, 4), ("saddle", 0, 1, 2)]
)
def test_all_critical_points_are_found_and_classified_in_the_page(open_page, name, maxima, saddles, minima):
    surface = oc.SURFACES[name]
    points = find_critical_points(surface)
    signs = [tuple(np.sign(np.linalg.eigvalsh(surface.hess(p))).astype(int)) for p in points]
    assert [signs.count(s) for s in [(-1, -1), (-1, 1), (1, 1)]] == [maxima, saddles, minima]
    page = open_page(critical_points(name))
    said = []
    for _ in points:
        page.get_by_role("button", name="Next critical point").click()
        said.append(words(page))
    for s in KINDS:
        assert sum(KINDS[s] in text for text in said) == signs.count(s)


def test_the_five_points_of_the_course():
    expected = [(-1.468, 0.026), (-0.100, 0.050), (-0.051, 1.438), (-0.049, -1.388), (1.368, 0.024)]
    points = find_critical_points(oc.hills)
    np.testing.assert_allclose(points, expected, atol=5e-4)
    np.testing.assert_allclose(oc.hills(points), [0.634, -0.007, -0.686, -0.790, 0.842], atol=5e-4)


@pytest.mark.parametrize("by", [1e-3, 1e6])
def test_the_same_points_are_found_in_other_units(by):
    scaled = oc.Surface(lambda w: by * oc.hills(w), domain=oc.hills.domain)
    np.testing.assert_allclose(find_critical_points(scaled), find_critical_points(oc.hills), atol=1e-8)


@pytest.mark.parametrize(
    ("name", "point"), [("hills", (0.7, -1.1)), ("himmelblau", (-2.3, 3.9)), ("saddle", (0.4, 0.2))]
)
def test_readings_and_descent_equal_optcore(open_page, name, point):
    surface = oc.SURFACES[name]
    shown = exact_numbers(open_page, critical_points(name, point=point, lr=0.004))
    slope = np.linalg.norm(surface.grad(point))
    path = oc.descend(oc.gd, surface, point, steps=STEPS, lr=0.004)
    expected = [*point, surface(point), slope, *np.linalg.eigvalsh(surface.hess(point))]
    np.testing.assert_allclose(shown[:6], expected, rtol=1e-9)
    np.testing.assert_allclose(shown[-3:-1], path.final, rtol=1e-9)


def test_steps_at_the_saddle_grow_with_the_logarithm_of_the_distance(open_page):
    """Each step multiplies y by 1 + η, so leaving takes ln(1/|y₀|)/ln(1 + η) steps and a few."""
    surface = oc.SURFACES["saddle"]
    left = []
    for y in (1e-3, 1e-6, 1e-9):
        w = critical_points("saddle", point=(0, y), lr=0.1)
        gone = np.linalg.norm(oc.descend(oc.gd, surface, [0, y], STEPS, 0.1).points - [0, y], axis=-1)
        away = np.diff(surface.domain[0])[0] / 12
        expected = int(np.argmax(gone > away))
        assert f"Descent needs {expected} steps to get {away:.3g} away" in words(open_page(w))
        left.append(expected)
    np.testing.assert_allclose(np.diff(left), np.log(1e3) / np.log(1.1), atol=1)
    assert FLAT == 0.1
    assert f"for all {STEPS} steps" in words(open_page(critical_points("saddle", point=(0.001, 0))))


def test_noise_equals_descend_with_the_same_draws(open_page):
    w = critical_points("saddle", point=(0, 0), lr=0.05, noise=0.01)
    draws = np.array(w.spec["draws"]).reshape(-1, 2)
    np.testing.assert_allclose(draws, np.random.default_rng(0).standard_normal((STEPS, 2)), atol=5e-5)
    p = np.zeros(2)
    for xi in draws:
        p = p - 0.05 * (oc.SURFACES["saddle"].grad(p) + 0.01 * xi)
    np.testing.assert_allclose(exact_numbers(open_page, w)[-3:-1], p, rtol=1e-9)


def test_basins_equal_descents_from_every_cell(open_page):
    surface, lr = oc.hills, 0.1
    page = open_page(critical_points(basins=True, lr=lr))
    page.wait_for_function("document.querySelector('output').textContent.includes('Of all starts')")
    shown = numbers(words(page).split("Of all starts, ")[1])
    axis = lambda n: -3 + 6 * (np.arange(n) + 0.5) / n
    starts = np.stack(np.meshgrid(axis(72), axis(60)), axis=-1).reshape(-1, 2)
    ends = oc.descend(oc.gd, surface, starts, STEPS, lr).final
    near = np.linalg.norm(ends[:, None] - surface.minima, axis=-1) < 0.3
    shares = dict(zip([(-0.0509, 1.44), (-0.0491, -1.39)], 100 * near.mean(axis=0), strict=True))
    for share, x, y in np.reshape(shown, (2, 3)):
        assert share == pytest.approx(shares[x, y], abs=0.8)


def test_the_point_moves_by_keyboard_and_by_click(open_page):
    page = open_page(critical_points())
    before = seen(page)
    page.get_by_role("slider", name="Point").focus()
    page.keyboard.press("ArrowRight")
    after = seen(page)
    assert before[0] != after[0] and before[1] != after[1]
    page.locator("canvas").first.click(position={"x": 250, "y": 60})
    assert words(page) != after[0]


def test_own_surface(open_page):
    def bump(w):
        return np.exp(-(w[..., 0] ** 2) - w[..., 1] ** 2)

    page = open_page(critical_points(bump, point=(0, 0)))
    assert "local maximum" in words(page)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"surface": "hill"}, "no surface named 'hill'"),
        ({"others": ["x"]}, "no surface named 'x'"),
        ({"point": (1, 2, 3)}, "pair of finite numbers"),
        ({"point": (np.nan, 0)}, "pair of finite numbers"),
        ({"lr": -1}, "positive"),
        ({"noise": -1}, "0 or more"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        critical_points(**arguments)


def test_at_a_minimum_descent_stays(open_page):
    surface = oc.SURFACES["saddle"]
    said = words(open_page(critical_points("saddle", point=surface.minima[0])))
    assert "a local minimum" in said and "Descent stays here" in said


def test_a_goal_is_offered_where_there_is_a_strict_saddle():
    assert all(critical_points(name).goal() is not None for name in ("hills", "saddle", "himmelblau"))
    assert [critical_points(name).goal() for name in ("bowl", "monkey_saddle")] == [None, None]
    assert critical_points("saddle", lr=0.05).goal() is None, "small steps take more than 50 from anywhere"
