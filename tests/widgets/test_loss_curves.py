"""Losses and slopes in the page against optcore, the naive formulas where they break, every control."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.loss_curves import loss_curves, naive_cross_entropy, squared_error

from .controls import assign, heights, live, numbers, seen, words
from .exact import exact_numbers


def pairs(*results):
    return [float(v) for pair in results for v in pair]


@pytest.mark.parametrize(("z", "label"), [(-4.0, 1), (2.5, 0), (0.3, 1), (-7.9, 0)])
def test_scores_equal_optcore(open_page, z, label):
    shown = exact_numbers(open_page, loss_curves(z=z, label=label))
    p = oc.sigmoid(z)
    value, slope = oc.mse(p, float(label), axis=())
    expected = pairs(
        (value, slope * p * (1 - p)),
        oc.binary_cross_entropy(z, float(label), axis=()),
        oc.hinge(z, 2 * label - 1, axis=()),
    )
    np.testing.assert_allclose(shown[2:8], expected, rtol=1e-9, atol=1e-15)


def test_headline_slopes_at_a_badly_wrong_score(open_page):
    """At z = -10, y = 1 the squared error has slope -9.08e-5, cross-entropy -0.99995."""
    shown = exact_numbers(open_page, loss_curves(z=-10, reach=20))
    assert f"{shown[3]:.2e}" == "-9.08e-05" and round(shown[5], 5) == -0.99995


@pytest.mark.parametrize(("residual", "delta"), [(3.0, 1.0), (-0.4, 0.7), (5.5, 4.0)])
def test_residuals_equal_optcore(open_page, residual, delta):
    shown = exact_numbers(open_page, loss_curves("residual", residual=residual, delta=delta))
    expected = pairs(
        oc.mse(residual, 0.0, axis=()), oc.mae(residual, 0.0, axis=()), oc.huber(residual, 0.0, delta, axis=())
    )
    np.testing.assert_allclose(shown[2:8], expected, rtol=1e-9)


def test_softmax_equals_optcore(open_page):
    z = np.array([0.7, -1.3, 2.2, 5.0])
    shown = exact_numbers(open_page, loss_curves("softmax", logits=z, right=3, shift=100))
    value, grad = oc.cross_entropy(z, np.array(2), axis=())
    np.testing.assert_allclose(shown[4:8], oc.softmax(z), rtol=1e-9)
    assert shown[8] == 3 and shown[9] == pytest.approx(float(value), rel=1e-9)
    np.testing.assert_allclose(shown[10:], grad, rtol=1e-9)


def test_naive_formulas_break_where_numpy_breaks(open_page):
    with np.errstate(all="ignore"):
        for z, broken in [(36.0, False), (38.0, True), (-800.0, True), (-700.0, False)]:
            assert broken != np.all(np.isfinite(naive_cross_entropy(z, 1.0)))
            said = words(open_page(loss_curves(z=z, reach=800, naive=True)))
            assert ("breaks down" in said) == broken, (z, said)
    assert "breaks down" in words(open_page(loss_curves("softmax", naive=True, shift=1000)))
    assert "breaks down" not in words(open_page(loss_curves("softmax", naive=True, shift=500)))
    stable = words(open_page(loss_curves("softmax", logits=[0, 1, 2], right=3, shift=1000)))
    assert numbers(stable)[3:6] == [0.09, 0.245, 0.665]


def test_points_move_by_keyboard(open_page):
    for kind, name in [("score", "Score z"), ("residual", "Residual r"), ("softmax", "Logit 2")]:
        page = open_page(loss_curves(kind))
        before = seen(page)
        page.locator(f".oc-handle[aria-label^='{name}']").focus()
        page.keyboard.press("ArrowUp" if kind == "softmax" else "ArrowRight")
        after = seen(page)
        assert before[0] != after[0] and before[1] != after[1], kind
        assert page.locator(".oc-handle:visible").count() == (3 if kind == "softmax" else 1)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"kind": "margin"}, "score, residual, softmax"),
        ({"label": -1}, "0 or 1"),
        ({"delta": 0}, "positive"),
        ({"right": 4}, "from 1 to 3"),
        ({"logits": [1.0]}, "2 to 6"),
        ({"logits": [1.0, np.inf]}, "finite"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        loss_curves(**arguments)


def test_a_goal_is_offered_unless_it_is_reached():
    of = lambda kind, **settings: loss_curves(kind, **settings).goal()
    assert of("residual", residual=3, delta=1) and of("residual", residual=-4.9, delta=1)
    assert of("residual", residual=-5.1, delta=1) is None and of("residual", residual=2.6, delta=0.5) is None
    assert of("score", z=-7) and of("score", z=-7, label=0) and of("score", z=-7.6) is None
    assert of("softmax", logits=[0, 3]) and of("softmax", logits=[0, 6], right=2) is None
    assert of("score").when[1:] == [("cross_entropy.slope", ">", 0.9), ("pull", ">", 1000)]  # as its sentence says


def test_two_classes_are_enough():
    w = loss_curves()
    w.logits = [1.0, 0.0]
    assert w.logits == [1.0, 0.0]


def test_what_the_slopes_say_is_said(open_page):
    page = open_page(body=live(loss_curves(z=-8.0)))
    p = oc.sigmoid(-8.0)
    assert "wrong for label 1" in words(page)
    assert numbers(words(page))[-1] == pytest.approx(1 / (2 * p * (1 - p)), rel=5e-3)
    right = assign(page, z=8.0)
    assert "right for label 1" in right and "times as hard" not in right
    assert "times as hard" not in assign(page, z=-8.0, shown=["hinge", "squared"])
    assert numbers(assign(page, kind="residual", residual=4.0, delta=0.5, shown=["mse", "huber"]))[-1] == 16


def test_what_a_kind_has_no_use_for_is_not_shown(open_page):
    page = open_page(body=live(loss_curves()))
    page.evaluate("() => document.querySelectorAll('details').forEach(d => (d.open = true))")
    labels = lambda: {
        e.inner_text().strip("●■▲\n") for e in page.query_selector_all(".oc-widget label") if e.is_visible()
    }
    words(page)
    assert {"Axis up to ±", "Compute as textbooks write it", "cross-entropy"} <= labels()
    assign(page, kind="residual")
    assert not labels() & {"Axis up to ±", "Compute as textbooks write it"} and "Huber" in labels()
    assign(page, kind="softmax")
    assert "Compute as textbooks write it" in labels() and "Axis up to ±" not in labels()


@pytest.mark.parametrize("kind", ["score", "residual", "softmax"])
@pytest.mark.parametrize("width", [375, 760])
def test_the_place_is_held_before_the_script_runs(kind, width, open_page):
    before, after = heights(open_page(loss_curves(kind), width=width))
    assert before == pytest.approx(after, rel=0.08)


@pytest.mark.parametrize("f", [squared_error, naive_cross_entropy])
def test_slopes_are_those_of_the_values(f):
    """By central differences, for both labels."""
    z, h = np.linspace(-4, 4, 9), 1e-5
    for y in (0.0, 1.0):
        slope = (f(z + h, y)[0] - f(z - h, y)[0]) / (2 * h)
        np.testing.assert_allclose(f(z, y)[1], slope, rtol=1e-6, atol=1e-9)
