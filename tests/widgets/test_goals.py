"""Every goal of every widget of the notebooks is open at first, and is reached by somebody who only moves controls."""

import json
import re
from collections import Counter

import pytest

from book.course import GALLERY, notebooks, number, stored_html
from book.widgets import settle

from .reader import _STATE, Instrument, Reader, page_of

# Moves a slider through its stops until the goal is reached: through some, then through all.
_SEEK = """async input => {
  for (const stride of [Math.ceil(input.max / 40), 1])
    for (let stop = 0; stop <= +input.max; stop += stride) {
      input.value = stop;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      await new Promise(requestAnimationFrame);
      if (document.querySelector(".oc-aim.met")) return;
    }
}"""


def seek(slider):
    return lambda reader: reader.page.evaluate(_SEEK, reader._find("input[type=range]", slider))


def slide(slider, to, within=0.005):
    return lambda reader: reader.slide(slider, to, within)


def choose(menu, option):
    return lambda reader: reader.choose(menu, option)


def press(button, times=1):
    return lambda reader: reader.press(button, times)


def drag(point, *to):
    return lambda reader: reader.drag(point, *to)


def check(*boxes):
    return lambda reader: reader.check(*boxes)


def onto_the_saddle(reader):
    for _ in range(10):
        if "a strict saddle" in reader.said:
            return
        reader.press("Next critical point")


RATE = "Learning rate η"
LINE = [slide("Slope w", 2), slide("Intercept b", 1)]
DEAD = [slide("b₂", -1.5), slide("b₃", -2.5)]
SADDLE = [onto_the_saddle, seek("Gradient noise σ")]
STILL = [slide("Batch size b", 32), seek(RATE)]
LONG = [seek("β₂")]
ORTHOGONAL = [choose("Coefficients a, b, c", "1.875, −1.25, 0.375"), seek("Newton-Schulz steps")]
MANY = [slide("Workers k", 64), slide("Examples in a pass", 1), slide("Delay τ", 3)]
CORNER = [check("drawn by you")]
HE = [choose("Initial weights", "He normal")]
FREE = [choose("Regularizer", "none"), seek("Degree")]

#: page and widget, and which of that kind on it from the second on → what the reader does
MOVES = {
    "1.1 regression": LINE,
    "1.2 loss_curves": [slide("Score z", -8)],
    "1.3 backprop": DEAD,
    "2.1 chord": [drag("Point A", -1, 1)],
    "2.2 critical_points": SADDLE,
    "2.3 constrained": [press("Go to the best point")],
    "3.1 explore": [seek(RATE)],
    "3.2 gradient_cloud": STILL,
    "3.2 explore": [seek(RATE)],
    "3.2 classifier": [choose("Schedule of η", "cosine"), slide(RATE, 0.5, 0.03)],
    "3.3 explore": [seek(RATE)],
    "3.4 explore": [seek(RATE)],
    "3.5 workers": MANY,
    "4.1 explore": [seek(RATE)],
    "4.2 moments": LONG,
    "4.2 classifier": [choose("Rule", "adam"), slide(RATE, 0.1, 0.001)],
    "4.3 explore": [seek(RATE)],
    "4.4 spectrum": ORTHOGONAL,
    "4.4 explore": [seek(RATE)],
    "4.5 explore": [seek(RATE)],
    "4.6 explore": [seek(f"{RATE}, adam")],
    "5.1 schedule": [*CORNER, drag("Corner 3", 600, 0.01)],
    "5.1 classifier": [choose("Schedule of η", "cosine")],
    "5.2 schedule": [*CORNER, drag("Corner 3", 600, 0.04)],
    "5.3 feedback": [slide("Patience", 3)],
    "6.1 newton": [choose("Run and model of", "saddle-free Newton")],
    "6.2 newton": [choose("Run and model of", "Newton, full step")],
    "6.3 training": [seek("learning rate")],
    "6.4 explore": [seek(RATE)],
    "7.1 classifier": [slide("Their scale", 1)],
    "7.1 signal": HE,
    "7.2 signal": HE,
    "7.3 training": [seek("forget bias")],
    "7.3 training 2": [seek("width"), choose("parametrization", "μP"), seek("width")],
    "8.1 classifier": [choose("Penalty", "L2 (λΣw²)"), slide("Strength λ", 0.01, 0.03)],
    "8.1 fit": FREE,
    "8.2 fit": FREE,
    "8.2 training": [choose("method", "shifts")],
    "8.3 explore": [seek(RATE)],
    "8.4 training": [lambda r, run=run: r.choose("run", run) for run in "BCD"],
    "8.5 plane": [choose("Plane", "one run"), press("To the middle")],
    "gallery explore": [seek(f"{RATE}, gd")],
    "gallery explore 2": [seek(RATE)],
    "gallery explore 3": [seek(f"{RATE}, bfgs")],
    "gallery regression": LINE,
    "gallery loss_curves": [slide("Score z", -8)],
    "gallery backprop": DEAD,
    "gallery chord": [drag("Point A", -0.5, 0.9), drag("Point B", 0.55, 1)],
    "gallery critical_points": SADDLE,
    "gallery constrained": [press("Go to the best point")],
    "gallery gradient_cloud": STILL,
    "gallery workers": MANY,
    "gallery moments": LONG,
    "gallery spectrum": ORTHOGONAL,
    "gallery schedule": [*CORNER, drag("Corner 3", 600, 0.01)],
    "gallery feedback": [slide("Patience", 3)],
    "gallery newton": [choose("Run and model of", "saddle-free Newton")],
    "gallery signal": HE,
    "gallery fit": FREE,
    "gallery classifier": [slide("Number of points", 300)],
    "gallery training": [seek("learning rate")],
    "gallery plane": [press("To the middle")],
}  # fmt: skip


def uses() -> dict[str, Instrument]:
    """Every widget that notebooks store, but quizzes, by its page and kind."""
    found, seen = {}, Counter[str]()
    for path in [*notebooks(), GALLERY]:
        for state in map(json.loads, _STATE.findall(stored_html(path))):
            use = f"{'gallery' if path == GALLERY else number(path)} {state['spec']['name']}"
            seen[use] += 1
            found[use if seen[use] == 1 else f"{use} {seen[use]}"] = Instrument((), state, ())
    return found


USES = uses()


def test_each_use_has_a_line_and_a_goal_and_somebody_who_reaches_it():
    assert len(USES) > 45
    assert set(MOVES) == set(USES), "each use needs its line in MOVES: what a reader does to reach its goal"
    for part, how in (("line", "a `line`"), ("goal", "a `goal()` that is open at first, or its use `.aim(…)`")):
        without = [use for use, one in USES.items() if not one.state["spec"].get(part)]
        assert not without, f"their class needs {how}: {without}"


@pytest.mark.parametrize("use", MOVES, ids=lambda use: use.replace(" ", "-"))
def test_a_goal_is_open_at_first_and_reached_by_controls(use, open_page):
    page = open_page(body=page_of(USES[use]))
    page.wait_for_function("document.querySelector('output').textContent")
    reader, aim = Reader(page, ""), page.locator(".oc-aim")
    heard = page.evaluate_handle(
        "() => { const heard = []; addEventListener('oc-goal', e => heard.push(e.detail)); return heard; }"
    )
    goal = f"Goal: {USES[use].state['spec']['goal']['text']}"
    assert aim.inner_text() == goal
    for move in MOVES[use]:
        assert not heard.json_value(), "a move too many"
        move(reader)
        reader.page.wait_for_timeout(50)
        settle(page)
        if heard.json_value():
            break
    reached = aim.text_content()
    assert heard.json_value() == [reached], f"{goal}: {reader.said}"
    assert reached.startswith("Reached: ") and re.search(r"\d", reached), reached
    assert not re.search(r"[{}]|undefined|nan|∞", reached), reached
    page.get_by_role("button", name="Reset").click()
    reader.page.wait_for_timeout(50)
    assert aim.inner_text() == goal


def test_at_most_five_controls_stand_before_more(open_page):
    seen = 0
    for one in USES.values():
        page = open_page(body=page_of(one))
        page.wait_for_function("document.querySelector('output').textContent")
        seen += 1
        assert 1 <= page.locator(".oc-widget > .oc-controls > *").count() <= 5, one.state["spec"]["name"]
    assert seen == len(USES) > 45
