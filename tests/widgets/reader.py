"""A reader of a notebook: opens a widget as the notebook stores it, moves its controls by their names, reads its words.

A slider goes to one of its own stops, a point is dragged by the mouse or moved by keys, a button is clicked: what a
reader cannot set, this one cannot either.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from playwright.sync_api import ElementHandle, Page

from book.course import html_outputs, load, source
from book.widgets import live, settle

_STATE = re.compile(r'data-oc="(?!quiz")\w+"[^>]*><script type="application/json">(.*?)</script>', re.DOTALL)
NUMBER = r"[−-]?\d+(?:\.\d+)?(?:e[−-]?\d+)?"

# the page's `ui`, so that places can be given in the units of a plot
_EXPOSED = "<script>oc.ui = (make => options => (window.ui = make(options)))(oc.ui);{\nconst state"
_FIND = """([selector, name]) => [...document.querySelectorAll(selector)].find(control =>
  (control.tagName === "BUTTON" ? control.textContent
    : control.ariaLabel ?? control.labels[0].textContent.replace(/^[●■▲◆▼⬟]/u, "")) === name
  && control.checkVisibility())"""
# Halves the stops until the one that shows the number, or the nearest, is found.
_SLIDE = """async ([input, wanted]) => {
  const at = async stop => {
    input.value = stop;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    return parseFloat(input.getAttribute("aria-valuetext").replaceAll("−", "-"));
  };
  let [low, high] = [0, +input.max];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (await at(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  const [above, below] = [await at(low), await at(Math.max(low - 1, 0))];
  return wanted - below < above - wanted ? below : at(low);
}"""
_PIXEL = """([name, point]) => {
  const panel = ui.panels.find(p => [p.canvas.ariaLabel, ...p.grips.map(g => g.el.ariaLabel)].includes(name));
  const box = panel.box.getBoundingClientRect();
  return [box.left + panel.X(point[0]), box.top + panel.Y(point[1])];
}"""


@dataclass(frozen=True)
class Instrument:
    """A widget that numbered questions stand before, what the notebook stores of it, and the answers folded below."""

    asked: tuple[str, ...]
    state: dict
    answers: tuple[str, ...]


def stored_widget(cell: dict) -> dict | None:
    """What the cell's output stores of a widget that is no quiz."""
    found = _STATE.search(html_outputs(cell))
    return json.loads(found[1]) if found else None


def _items(text: str) -> list[str]:
    """The last numbered list of a text."""
    items = re.findall(r"^(\d)\. (.*\n?(?:  .*\n?)*)", text, re.MULTILINE)
    last = max((k for k, (digit, _) in enumerate(items) if digit == "1"), default=0)
    return [words for _, words in items[last:]]


@cache
def instruments(notebook: Path) -> list[Instrument]:
    """The widgets of a notebook with numbered questions in the text before them."""
    cells, found = load(notebook)["cells"], []
    for k, cell in enumerate(cells[1:], 1):
        before = cells[k - 1]
        if before["cell_type"] == "markdown" and (state := stored_widget(cell)) and (asked := _items(source(before))):
            folded = next(text for text in map(source, cells[k + 1 :]) if text.startswith("<details><summary>Answer"))
            folded = re.sub(r"<span[^>]*>|</span>", "", folded)
            found.append(Instrument(tuple(asked), state, tuple(_items(folded))))
    return found


def page_of(instrument: Instrument) -> str:
    """The instrument on a page of its own, with the present scripts."""
    state = instrument.state
    widget = SimpleNamespace(name=state["spec"]["name"], **state)
    return live(widget).replace("<script>{\nconst state", _EXPOSED)


class Reader:
    """Somebody with a widget before them, and the answer that they will unfold."""

    def __init__(self, page: Page, answer: str):
        self.page, self.answer = page, answer
        page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
        settle(page)

    def _find(self, selector: str, name: str) -> ElementHandle:
        settle(self.page)
        found = self.page.evaluate_handle(_FIND, [f".oc-widget {selector}", name]).as_element()
        assert found, f"nothing here is called {name!r}"
        return found

    @property
    def said(self) -> str:
        """The status line."""
        settle(self.page)
        return self.page.evaluate("document.querySelector('.oc-widget output').textContent")

    def read(self, before: str, which: int = 0) -> float:
        """The number that follows these words (a regular expression) in the status line, at one of their places."""
        said = self.said
        found = re.findall(rf"{before}\s*({NUMBER})", said)
        assert len(found) > which, f"{before!r} is not in: {said}"
        return float(found[which].replace("−", "-"))

    def stated(self, number: str) -> float:
        """A number that the folded answer states, in its words."""
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d]|\.\d)", self.answer), f"{number}: {self.answer}"
        return float(number.replace(",", ""))

    def shown(self, name: str) -> float:
        """The number beside a slider."""
        words = self._find("input[type=range]", name).get_attribute("aria-valuetext")
        return float(words.replace("−", "-"))

    def marks(self, name: str) -> list[str]:
        """The words of the marks under a slider."""
        box = self._find("input[type=range]", name).evaluate_handle("e => e.closest('.oc-control')").as_element()
        return [mark.inner_text() for mark in box.query_selector_all(".oc-mark")]

    def wait(self, words: str) -> None:
        """Until the status line says it: a map that is still computed, a run that plays."""
        self.page.wait_for_function(
            "w => document.querySelector('.oc-widget output').textContent.includes(w)", arg=words
        )

    # -- what a reader does
    def slide(self, name: str, to: float, within: float = 0.005) -> float:
        """Moves a slider to the stop that is nearest to a number, which it must come close to; gives what it shows."""
        shown = self.page.evaluate(_SLIDE, [self._find("input[type=range]", name), to])
        assert abs(shown - to) <= within * abs(to), f"{name}: the stop nearest to {to} is {shown}"
        return shown

    def stops(self, name: str) -> Iterator[float]:
        """Moves a slider through its stops, by its arrow keys; gives what each shows."""
        slider = self._find("input[type=range]", name)
        slider.focus()
        self.page.keyboard.press("Home")
        for k in range(int(slider.get_attribute("max")) + 1):
            if k:
                self.page.keyboard.press("ArrowRight")
            yield self.shown(name)

    def choose(self, name: str, option: str) -> None:
        """Takes an option of a menu, by its words."""
        menu = self._find("select", name)
        assert option in menu.evaluate("e => [...e.options].map(o => o.label)"), f"{name} has no {option!r}"
        menu.select_option(label=option)

    def check(self, *names: str, on: bool = True) -> None:
        """Ticks boxes, or clears them."""
        for name in names:
            self._find("input[type=checkbox]", name).set_checked(on)

    def only(self, *names: str) -> None:
        """Of the boxes in a frame ticks these and clears the others."""
        frame = self._find("input[type=checkbox]", names[0]).evaluate_handle("e => e.closest('fieldset')").as_element()
        for label in frame.query_selector_all("label"):
            name = label.evaluate("e => e.textContent.replace(/^[●■▲◆▼⬟]/u, '')")
            label.query_selector("input").set_checked(name in names)

    def press(self, name: str, times: int = 1) -> None:
        """Clicks a button."""
        for _ in range(times):
            self._find("button", name).click()
            settle(self.page)

    def drag(self, name: str, *to: float) -> None:
        """Drags a point with the mouse to a place in the units of its plot."""
        handle = self._find(".oc-handle", f"{name}, arrow keys move it")
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(*self.page.evaluate(_PIXEL, [handle.get_attribute("aria-label"), to]), steps=3)
        self.page.mouse.up()

    def click(self, plot: str, *at: float) -> None:
        """Clicks in a plot, at a place in its units."""
        self._find("canvas", plot).scroll_into_view_if_needed()
        self.page.mouse.click(*self.page.evaluate(_PIXEL, [plot, at]))

    def sketch(self, plot: str, points: list[tuple[float, float]]) -> None:
        """Draws through points of a plot without lifting the mouse."""
        self._find("canvas", plot).scroll_into_view_if_needed()
        pixels = [self.page.evaluate(_PIXEL, [plot, at]) for at in points]
        self.page.mouse.move(*pixels[0])
        self.page.mouse.down()
        for pixel in pixels[1:]:
            self.page.mouse.move(*pixel)
        self.page.mouse.up()

    def keys(self, name: str, *keys: str) -> None:
        """Presses keys on a point that can be moved."""
        self._find(".oc-handle", f"{name}, arrow keys move it").focus()
        for key in keys:
            self.page.keyboard.press(key)
            settle(self.page)

    def place(self, name: str) -> list[float]:
        """Where a point is, as it says."""
        words = self._find(".oc-handle", f"{name}, arrow keys move it").get_attribute("aria-valuetext")
        return [float(n.replace("−", "-")) for n in re.findall(NUMBER, words)]
