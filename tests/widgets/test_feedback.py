"""The plateau rule on a metric drawn by hand: the staircase equals the class's; every control counts."""

import numpy as np
import pytest

from optcore.widgets.feedback import feedback

from .controls import live, nudge_every_control, numbers, seen, settle, words


def test_plateau_staircase_equals_the_class(open_page):
    rng = np.random.default_rng(0)
    settings = [(2, 0.1, 1e-4, 0), (0, 0.5, 0.0, 3), (3, 0.3, 0.05, 1), (1, 0.9, 0.2, 10)]
    for patience, factor, threshold, cooldown in settings:
        metric = (1 / (1 + np.arange(40) / 5) + 0.1 * rng.random(40)).tolist()
        w = feedback(metric, patience=patience, factor=factor, threshold=threshold, cooldown=cooldown)
        rates = w.rates()
        cuts = (np.flatnonzero(np.diff(np.r_[1.0, rates])) + 1).tolist()
        assert cuts  # else the comparison would be of nothing
        text = words(open_page(body=live(w)))
        listed, end = text.split("after evaluation ")[1].split("; it ends at ")
        assert [int(n) for n in listed.split(", ")] == cuts
        assert numbers(end)[0] == pytest.approx(rates[-1], rel=6e-3)


def test_plateau_controls_and_drawing(open_page):
    page = open_page(body=live(feedback()))
    moved = nudge_every_control(page)
    assert len(moved) == 5
    assert [name for name, (said, drew) in moved.items() if not drew] == []
    assert [name for name in ("Patience", "Factor", "Threshold", "Cooldown") if not moved[name][0]] == []
    before = seen(page)
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 80)
    page.mouse.up()
    settle(page)
    after = seen(page)
    assert before[0] != after[0] and before[1] != after[1]
    page.get_by_role("slider", name="Value of the metric").focus()
    page.keyboard.press("ArrowUp")
    assert seen(page)[1] != after[1]


def test_plateau_refuses_nonsense():
    with pytest.raises(ValueError, match="positive numbers"):
        feedback([1.0, float("nan")])
    with pytest.raises(ValueError, match="factor"):
        feedback(factor=2)
