"""Singular values of a step: the page's equal NumPy's and those of `newton_schulz`; every control counts."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.spectrum import COEFFICIENTS, DRAWS, spectrum

from .controls import assign, drawn, drawn_lines, exact, heights, holds_line, live, numbers

SETTINGS = [(1, 5, 0), (7.5, 0, 1), (100, 5, 2), (1e4, 3, 3), (1e4, 20, 0)]


@pytest.mark.parametrize("coefficients", COEFFICIENTS)
def test_the_page_equals_numpy(coefficients, open_page):
    w = spectrum(coefficients=coefficients)
    page = open_page(body=exact(w))
    for spread, steps, draw in SETTINGS:
        said = numbers(assign(page, spread=spread, steps=steps, draw=draw))
        w.spread, w.steps, w.draw = spread, steps, draw
        G, X = w.gradient, w.orthogonalized
        values = [np.linalg.svd(step, compute_uv=False) for step in (G, np.sign(G), X)]
        rank = np.linalg.matrix_rank(np.sign(G), tol=1e-6)
        ratios = [s[0] / s[last] for s, last in zip(values, (5, rank - 1, 5), strict=True)]
        expected = [*ratios[:2], rank, 6, steps, ratios[2], values[2][-1], values[2][0]]
        np.testing.assert_allclose(said, expected, rtol=1e-9, atol=1e-12)


def test_the_spread_is_that_of_the_gradient():
    for draw in range(DRAWS):
        s = np.linalg.svd(spectrum(spread=50, draw=draw).gradient, compute_uv=False)
        assert s[0] / s[-1] == pytest.approx(50)


def test_muon_is_quick_and_does_not_settle_and_the_flattest_polynomials_do():
    low, high = {}, {}
    for name in COEFFICIENTS:
        for steps in (5, 20):
            s = np.linalg.svd(spectrum(coefficients=name, steps=steps).orthogonalized, compute_uv=False)
            low[name, steps], high[name, steps] = s[-1], s[0]
    assert low["muon", 5] > 0.6 and low["quintic", 5] < 0.3 and low["cubic", 5] < 0.1
    assert high["muon", 20] - low["muon", 20] > 0.3
    for name in ("quintic", "cubic"):
        assert low[name, 20] == pytest.approx(1) and high[name, 20] == pytest.approx(1)


def test_the_sign_of_one_direction_is_one_direction(open_page):
    w = spectrum(spread=1e4)
    assert np.linalg.matrix_rank(np.sign(w.gradient)) < 6
    assert "NaN" not in assign(open_page(body=live(w)), draw=1)


def test_the_sign_is_that_of_the_rule():
    G = spectrum().gradient
    assert np.array_equal(oc.signsgd(G), np.sign(G)) and np.array_equal(oc.lion(G)[0], np.sign(G))


@pytest.mark.parametrize("width", [375, 760])
def test_the_place_is_held_before_the_script_runs(width, open_page):
    before, after = heights(open_page(spectrum(), width=width))
    assert before == pytest.approx(after, rel=0.08)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"spread": 0.5}, "spread"),
        ({"steps": 2.5}, "whole"),
        ({"draw": 4}, "0 to 3"),
        ({"coefficients": "x"}, "muon"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        spectrum(**arguments)


def test_equal_singular_values_are_allowed():
    assert spectrum(spread=1).spread == 1


def test_singular_values_and_the_polynomial_are_drawn(open_page):
    w = spectrum(spread=50, steps=3, draw=1)
    lines = drawn_lines(open_page, w, plot=0)
    for matrix in (w.gradient, w.orthogonalized):
        values = np.linalg.svd(matrix / np.linalg.norm(matrix, 2) if matrix is w.gradient else matrix, compute_uv=False)
        assert holds_line(lines, np.c_[np.arange(1, 7), values])
    a, b, c = COEFFICIENTS[w.coefficients][1]
    (curve,) = (line for line in drawn_lines(open_page, w, plot=2) if len(line) > 100)
    y = curve[:, 0]
    for _ in range(3):
        y = a * y + b * y**3 + c * y**5
    np.testing.assert_allclose(curve[:, 1], y, rtol=1e-9)


def test_the_names_of_the_lines_stand_clear_of_each_other(open_page):
    for spread, steps in [(100, 5), (1, 2), (1, 20), (1e4, 30)]:
        w = spectrum(spread=spread, steps=steps, coefficients="quintic")
        names = {a[2]: a for number, kind, a in drawn(open_page, w) if (number, kind) == (0, "text")}
        assert set(names) == {"gradient", "its sign", f"after {steps} steps"}
        page = open_page(body=live(w))
        page.wait_for_function("document.querySelector('output').textContent")
        height = page.locator(".oc-canvas").first.bounding_box()["height"] - 48  # between the axes
        low, high = np.log10(min(y for _, y, *_ in names.values()) / 1.5), np.log10(2.5)
        places = {
            k: (high - np.log10(y)) / (high - low) * height + style["dy"] for k, (_, y, _, style) in names.items()
        }
        assert np.diff(sorted(places.values())).min() > 14, places
