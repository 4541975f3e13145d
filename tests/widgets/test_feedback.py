"""The plateau rule on a metric drawn by hand: the staircase equals the class's; every control counts."""

import numpy as np
import pytest

from optcore.widgets.feedback import feedback

from .controls import drawn, drawn_lines, holds_line, live, nudge_every_control, numbers, seen, settle, words


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


@pytest.mark.parametrize(("lr", "cut"), [(2e-8, True), (1.2e-8, False)])
def test_a_cut_smaller_than_eps_is_not_made(open_page, lr, cut):
    """By three quarters: 1.5e-8, and 0.9e-8, with eps = 1e-8."""
    w = feedback([1.0] * 4, lr=lr, factor=0.25, patience=1)
    assert w.rates()[-1] == pytest.approx(lr / 4 if cut else lr)
    assert ("after evaluation" in words(open_page(body=live(w)))) == cut


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


def test_the_metric_its_best_and_the_staircase_are_drawn(open_page):
    metric = (1 / (1 + np.arange(40) / 5) + 0.1 * np.random.default_rng(0).random(40)).tolist()
    w = feedback(metric, patience=2, factor=0.5, threshold=0.01, cooldown=1)
    rates, t = w.rates(), np.arange(1, 41)
    best, running = np.inf, []
    for value in metric:
        best = value if value < best * (1 - 0.01) else best
        running.append(best)
    made = drawn(open_page, w)
    lines = drawn_lines(open_page, w)
    assert holds_line(lines, np.c_[t, metric]) and holds_line(lines, np.c_[t, running])
    steps = np.c_[np.c_[t, t + 1].ravel(), np.repeat(rates, 2)]
    assert holds_line(drawn_lines(open_page, w, plot=1), steps)
    cuts = (np.flatnonzero(np.diff(np.r_[rates[0], rates])) + 1).tolist()
    ruled = [arguments[0]["x"] for number, kind, arguments in made if kind == "rule" and number == 0]
    assert cuts and ruled == cuts
    marks = {a[0]: a[2]["hollow"] for number, kind, a in made if (number, kind) == (0, "dot") and "hollow" in a[2]}
    better = np.array(metric) < np.r_[np.inf, running[:-1]] * (1 - 0.01)
    assert [marks[k] for k in t] == (~better).tolist()
