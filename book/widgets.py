"""Are the widgets of a page alive? Every control changes the status text and the drawing, every answer is explained.

And one widget on a page of its own, to be driven and timed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from optcore.widgets.base import Widget, page_source, to_json

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
WIDGETS = ".oc-widget[data-oc]:not([data-oc=quiz])"
QUIZZES = ".oc-widget[data-oc=quiz]"


@dataclass
class Exercised:
    """One widget after every control was moved."""

    id: str
    controls: int
    dead: list[str]


def exercise_widgets(page: Page) -> list[Exercised]:
    """Move every control of every widget on the page."""
    page.evaluate(SCRIPT)
    widgets = page.query_selector_all(WIDGETS)
    return [Exercised(id=w.get_attribute("id") or "?", **w.evaluate("el => sitecheck.exercise(el)")) for w in widgets]


def answer_quizzes(page: Page) -> list[dict]:
    """Give every answer to every question on the page: for each quiz the number of answers, and the faults."""
    page.evaluate(SCRIPT)
    return [quiz.evaluate("el => sitecheck.answer(el)") for quiz in page.query_selector_all(QUIZZES)]


_SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let k = 0; k < 2 || document.querySelector(".oc-widget[data-busy]"); k++) await frame();
}"""


def settle(page: Page) -> None:
    """Wait until what was changed has been drawn, and runs that take more than a frame are done."""
    page.evaluate(_SETTLED)


def live(widget: Widget) -> str:
    """The widget on a page that tests can reach into: `oc`, `ui` and a `model` that speaks as a kernel would."""
    js = page_source(f"{widget.name}.js").replace("export default", "const widget =", 1)
    state = to_json({"spec": widget.spec, "value": widget.value})
    return f"""<style>{page_source("oc.css")}</style><div class="oc-widget" id="w"></div>
<script>{page_source("common.js")}</script>
<script>{{
const state = {state}, heard = [], el = document.getElementById("w");
window.model = {{
  get: k => state[k], set: (k, v) => ((state[k] = v), heard.forEach(fn => fn())), on: (_, fn) => heard.push(fn),
  off() {{}}, save_changes() {{}}, assign: value => model.set("value", {{ ...state.value, ...value }}),
}};
const make = oc.ui;
oc.ui = context => (window.ui = make(context));
{js}
widget.render({{ model, el }});
}}</script>"""


def frame_times(page: Page, act: Callable) -> list[float]:
    """Milliseconds of script in each frame drawn while `act()` drives a `live` page."""
    page.evaluate("() => { window.times = []; oc.onframe = (_, ms) => times.push(ms); }")
    act()
    settle(page)
    return page.evaluate("times")
