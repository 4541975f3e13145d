"""Fingers: a tap picks, a drag of a handle moves it, a swipe scrolls the page and changes nothing."""

import pytest

from book.widgets import live

from .controls import words
from .examples import NAMES, example

# A place on each picture, and on each slider, that no handle covers, nor a finger's width around it.
PLACES = """selector => [...document.querySelectorAll(".oc-widget " + selector)].map(e => {
  if (!e.checkVisibility()) return null;
  scrollTo(0, 0);
  const handles = [...document.querySelectorAll(".oc-handle")].map(handle => handle.getBoundingClientRect());
  const near = (x, y) => handles.some(h => Math.hypot(h.x + h.width / 2 - x, h.y + h.height / 2 - y) < 40);
  const box = e.getBoundingClientRect();
  for (const [p, q] of [[0.7, 0.6], [0.3, 0.7], [0.6, 0.3], [0.25, 0.25]]) {
    const [x, y] = [box.x + p * box.width, box.y + q * box.height];
    scrollTo(0, y - 600);
    if (!near(x, y) && document.elementFromPoint(x, y - scrollY) === e) return [x, y];
  }
  return null;
}).filter(Boolean)"""
STEPS = 8


class Finger:
    """One finger on a page; places are those of the document."""

    def __init__(self, page):
        self.page, self.session = page, page.context.new_cdp_session(page)

    def send(self, kind: str, *point: float) -> None:
        points = [{"x": point[0], "y": point[1]}] if point else []
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(self, x: float, y: float, dx: float, dy: float) -> float:
        """From (x, y) by (dx, dy); returns how far the page has scrolled."""
        top = self.page.evaluate("y => (scrollTo(0, y - 600), scrollY)", y)
        self.send("touchStart", x, y - top)
        for k in range(1, STEPS + 1):
            self.send("touchMove", x + dx * k / STEPS, y - top + dy * k / STEPS)
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        self.send("touchEnd")
        self.page.wait_for_timeout(50)
        return self.page.evaluate("scrollY") - top


def opened(open_page, name: str):
    room = "<div style='height:400px'></div>"
    page = open_page(body=room + live(example(name)) + 5 * room, width=375, touch=True)
    page.wait_for_function("document.querySelector('output').textContent")
    return page, Finger(page)


@pytest.mark.parametrize("name", NAMES)
def test_a_swipe_scrolls_and_changes_nothing(name, open_page):
    page, finger = opened(open_page, name)
    before = words(page)
    pictures = page.evaluate(PLACES, "canvas")
    assert pictures or name == "quiz"
    for x, y in pictures + page.evaluate(PLACES, "input[type=range]")[:3]:
        assert finger.swipe(x, y, 5, -150) > 50
        assert words(page) == before, (x, y)


def test_a_tap_picks_and_a_handle_is_dragged(open_page):
    page, finger = opened(open_page, "explore")
    before = words(page)
    (x, y), *_ = page.evaluate(PLACES, "canvas")
    assert finger.swipe(x, y, -100, 0) == 0 and words(page) == before  # sideways: nothing to scroll, nothing to pick
    top = page.evaluate("y => (scrollTo(0, y - 600), scrollY)", y)
    for _ in range(20):  # Chromium takes a tap that follows a swipe at once for the end of that swipe
        page.touchscreen.tap(x, y - top)
        page.wait_for_timeout(100)
        if (tapped := words(page)) != before:
            break
    assert tapped != before
    handle = page.locator(".oc-handle").first.bounding_box()
    scrolled = page.evaluate("scrollY")
    assert finger.swipe(handle["x"] + 14, handle["y"] + 14 + scrolled, -40, -60) == 0
    assert words(page) != tapped
    slider = page.get_by_label("Learning rate η")
    value = slider.input_value()
    box = slider.bounding_box()
    finger.swipe(box["x"] + box["width"] / 2, box["y"] + 12 + page.evaluate("scrollY"), 60, 0)
    assert slider.input_value() != value


@pytest.mark.parametrize("name", ["feedback", "moments"])
def test_a_finger_draws_where_one_draws(name, open_page):
    page, finger = opened(open_page, name)
    before = words(page)
    (x, y), *_ = page.evaluate(PLACES, "canvas")
    finger.swipe(x - 60, y, 80, 4)
    assert words(page) != before
