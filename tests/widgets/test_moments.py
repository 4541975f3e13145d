"""One coordinate's gradients: steps equal those of the rules in `descend`; every control counts."""

import numpy as np
import pytest

from optcore.widgets.moments import SIGNALS, moments, uncorrected_adam

from .controls import assign, exact, live, numbers, seen, settle, words


def test_steps_and_distances_equal_the_rules(open_page):
    w = moments(beta1=0.8, beta2=0.95, rho=0.9, eps=1e-3, scale=0.02)
    page = open_page(body=exact(w))
    names = [rule["name"] for rule in w.spec["rules"]]
    for signal in SIGNALS:
        w.value = {**w.value, "signal": signal}
        steps = {name: w.steps(name) for name in names}
        for at in (0, 7, 59):
            shown = numbers(assign(page, signal=signal, at=at, view="step"))
            np.testing.assert_allclose(shown[1], w.gradients[at], rtol=1e-12)
            np.testing.assert_allclose(shown[-4:], [steps[name][at] for name in names], rtol=1e-9, atol=1e-12)
        shown = numbers(assign(page, view="distance"))
        np.testing.assert_allclose(shown[-4:], [steps[name].sum() for name in names], rtol=1e-9, atol=1e-9)


def test_adam_wins_a_wrong_direction_on_reddi():
    w = moments("reddi", beta1=0.0, beta2=0.1)
    assert w.gradients.sum() > 0 > w.steps("adam").sum()


def test_uncorrected_gain_peaks_at_step_12():
    steps = moments("constant").steps("uncorrected_adam")
    assert steps.argmax() == 11 and steps.max() == pytest.approx(6.5685, abs=5e-5)


def test_own_rules_and_signals(open_page):
    def lazy(g, *, beta1=0.5):
        return beta1 * g

    w = moments([1.0, -2.0, 3.0, 0.0, 1.0], rules=[lazy, "momentum"], beta1=0.25)
    assert w.steps("lazy").tolist() == [0.25, -0.5, 0.75, 0.0, 0.25]
    assert "lazy −0.5, momentum" in words(open_page(body=live(w)))


def test_a_click_draws_the_step_that_is_under_it(open_page):
    page = open_page(body=live(moments([0.5] * 20)))
    handle = page.get_by_role("slider", name="Gradient at the step read")
    for at in (2, 10, 19):
        assign(page, at=at)
        settle(page)
        box = handle.bounding_box()  # where that step is
        assign(page, at=5)
        settle(page)
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] - 30)
        settle(page)
        value = page.evaluate("ui.value")
        assert value["at"] == at and value["drawn"][at] > 0.6


def test_drawing_by_pointer_and_keyboard(open_page):
    page = open_page(body=live(moments()))
    before = seen(page)
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 90, steps=5)
    page.mouse.up()
    drawn = seen(page)
    assert before[0] != drawn[0] and before[1] != drawn[1]
    assert page.locator("select").first.input_value() == "drawn"
    page.get_by_role("slider", name="Gradient at the step read").focus()
    page.keyboard.press("ArrowDown")
    assert seen(page)[0] != drawn[0]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"signal": "constat"}, "constat"),
        ({"signal": [1.0, float("nan")] * 5}, "5 to 200 numbers"),
        ({"rules": ["adamm"]}, "adamm"),
        ({"scale": 0}, "positive"),
        ({"view": "x"}, "view"),
        ({"gamma": 1}, "gamma"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        moments(**arguments)


def test_uncorrected_adam_is_adam_without_the_corrections():
    assert uncorrected_adam(np.array([5.0]), beta1=0.5, beta2=0.75)[0] == pytest.approx(1.0)


def test_the_lines_of_the_rules_are_named_where_they_are_drawn(open_page):
    page = open_page(body=live(moments()))
    caption = lambda: page.locator("figcaption").last.inner_text()
    words(page)
    labels = [rule["label"] for rule in moments().spec["rules"]]
    assert caption().endswith(": " + ", ".join(f"{glyph} {label}" for glyph, label in zip("●■▲◆", labels, strict=True)))
    assign(page, rules=["adam"], view="distance")
    assert caption().startswith("Distance gone") and caption().endswith(": ● Adam")
