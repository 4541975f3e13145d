"""Constrained minima, multipliers, prices and projected descent in the page against optcore; every control."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.constrained import CONSTRAINTS, constrained, objective

from .controls import numbers, seen, settle, words
from .exact import exact_all, exact_words

CENTRE, KAPPA = np.array([1.6, 1.1]), 3.0
PARAMS = {"m1": CENTRE[0], "m2": CENTRE[1], "kappa": KAPPA}


def after(said: str, begin: str) -> list[float]:
    return numbers(said.split(begin)[1])


def test_line_equals_solve_eq_qp(open_page):
    Q = 2 * np.diag([1.0, KAPPA])
    levels = (-1.5, 0.4, 2.0)
    shown = exact_all(open_page, [constrained("line", v, centre=CENTRE, kappa=KAPPA) for v in levels])
    for level, said in zip(levels, shown, strict=True):
        x, lam = oc.solve_eq_qp(Q, -Q @ CENTRE, np.ones((1, 2)), [level])
        expected = [*x, objective(x, **PARAMS), lam[0]]
        np.testing.assert_allclose(after(said, "Best:")[:4], expected, rtol=1e-9, atol=1e-12)


def test_the_example_of_the_course(open_page):
    """x² + y² under x + y = 1: (½, ½), λ = -1, and raising b by δ raises f* by δ."""
    said = words(open_page(constrained()))
    assert "Best: (0.5, 0.5), f* = 0.5, λ = −1; raising b by 0.1 changes f* by about 0.1." in said


@pytest.mark.parametrize(("kind", "level"), [("disk", 0.7), ("disk", 1.4), ("halfplane", 1.0), ("halfplane", -0.5)])
def test_inequalities_equal_projected_gradient_and_the_kkt_conditions(open_page, kind, level):
    c = CONSTRAINTS[kind]
    f = oc.Surface(lambda w: objective(w, **PARAMS))
    said = exact_words(open_page, constrained(kind, level, centre=CENTRE, kappa=KAPPA))
    x1, x2, value, mu = after(said, "Best:")[:4]
    best = oc.projected_gradient(f, [0.0, 0.0], lambda v: c.project(v, level), lr=0.1, tol=1e-12).x
    np.testing.assert_allclose([x1, x2, value], [*best, f(best)], rtol=1e-9)
    g = oc.Surface(lambda w: c.g(w, level=level))
    residuals = oc.kkt_residuals(f.grad(best), h=[g(best)], Jh=[g.grad(best)], mu=[mu])
    assert mu > 0 and max(residuals) < 1e-9


def test_ridge_with_the_multiplier_has_the_same_minimum(open_page):
    f = oc.Surface(lambda w: objective(w, **PARAMS))
    best = oc.projected_gradient(f, [0.0, 0.0], lambda v: CONSTRAINTS["disk"].project(v, 1.2), lr=0.1, tol=1e-12).x
    at_best = float(np.arctan2(best[1], best[0]))
    said = exact_words(open_page, constrained("disk", 1.2, centre=CENTRE, kappa=KAPPA, s=at_best))
    penalty = after(said, "The penalty")[0]
    D = np.array([1.0, KAPPA])
    np.testing.assert_allclose(D * CENTRE / (D + penalty), after(said, "Best:")[:2], rtol=1e-9)


def test_the_price_is_the_slope_of_the_best_value(open_page):
    levels = (0.999, 1.0, 1.001)
    said = exact_all(open_page, [constrained(kind, v, centre=CENTRE) for kind in CONSTRAINTS for v in levels])
    assert len(said) == 9
    for below, at, above in zip(said[::3], said[1::3], said[2::3], strict=True):
        slope = (after(above, "f* =")[0] - after(below, "f* =")[0]) / 0.002
        assert after(at, "by about")[0] == pytest.approx(0.1 * slope, rel=1e-4)


def test_an_allowed_minimum_makes_the_constraint_inactive(open_page):
    assert "inactive, μ = 0, f* = 0" in words(open_page(constrained("disk", 1.0, centre=(0.3, -0.4))))
    assert "inactive" not in words(open_page(constrained("line", 1.0, centre=(0.3, -0.4))))
    page = open_page(constrained("disk", 1.0, centre=(0.3, -0.4)))
    page.get_by_role("button", name="Go to the best point").click()
    assert "is negative: f falls on the way inside" in words(page)


def test_gradients_at_the_point_and_alignment_at_the_best(open_page):
    said = exact_words(open_page, constrained("disk", 1.3, centre=CENTRE, kappa=KAPPA, s=2.2))
    w = 1.3 * np.array([np.cos(2.2), np.sin(2.2)])
    grad = oc.Surface(lambda v: objective(v, **PARAMS)).grad(w)
    part = abs(grad @ [-np.sin(2.2), np.cos(2.2)])
    np.testing.assert_allclose(numbers(said)[:3], [*w, objective(w, **PARAMS)], rtol=1e-9)
    np.testing.assert_allclose(after(said, "of length")[0], part, rtol=1e-9)
    page = open_page(constrained("line", centre=CENTRE))
    page.get_by_role("button", name="Go to the best point").click()
    assert "They are parallel: ∇f + λ∇c = 0" in words(page)


@pytest.mark.parametrize("kind", list(CONSTRAINTS))
def test_projected_descent_equals_numpy(open_page, kind):
    w = constrained(kind, 0.8, centre=CENTRE, kappa=KAPPA, projected=True, start=(-1.8, 1.6), lr=0.02)
    f = oc.Surface(lambda v: objective(v, **PARAMS))
    x = np.array([-1.8, 1.6])
    for _ in range(w.spec["steps"]):
        x = CONSTRAINTS[kind].project(x - 0.02 * f.grad(x), 0.8)
    np.testing.assert_allclose(after(exact_words(open_page, w), "descent with η = 0.02 is at")[:2], x, rtol=1e-9)


def test_points_move_by_keyboard(open_page):
    page = open_page(constrained("disk", projected=True))
    for name in ("Point on the constraint", "Minimum of f", "Start of the projected descent"):
        before = seen(page)
        page.get_by_role("slider", name=name).focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        after_ = seen(page)
        assert before[1] != after_[1], name
    assert open_page(constrained()).get_by_role("slider", name="Start of").count() == 0


@pytest.mark.parametrize("kind", CONSTRAINTS)
def test_the_point_follows_the_pointer_along_its_constraint(kind, open_page):
    page = open_page(constrained(kind, s=0.9))
    handle = page.get_by_role("slider", name="Point on the constraint")
    along = np.array([-np.sin(0.9), np.cos(0.9)]) if kind == "disk" else np.array([1, -1]) / np.sqrt(2)
    middle = lambda: np.array([(b := handle.bounding_box())["x"] + b["width"] / 2, b["y"] + b["height"] / 2])
    before, drag = middle(), 25 * along * [1, -1]  # y goes down the page
    page.mouse.move(*before)
    page.mouse.down()
    page.mouse.move(*(before + drag), steps=4)
    page.mouse.up()
    settle(page)
    np.testing.assert_allclose(middle(), before + drag, atol=4)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"constraint": "ball"}, "line, halfplane, disk"),
        ({"constraint": "disk", "level": -1}, "between 0.2 and 2.4"),
        ({"centre": (9, 0)}, "centre must be"),
        ({"start": (0, np.nan)}, "start must be"),
        ({"kappa": 0}, "from 1 to 20"),
        ({"lr": 0}, "positive"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        constrained(**arguments)


def test_the_widget_and_the_room_share_their_name():
    from optcore.constraints import project_ball

    assert oc.constrained is constrained and oc.project_ball is project_ball
