"""Are the widgets of a page alive? Every control changes the status text and the drawing, every answer is explained."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "page.js").read_text(encoding="utf-8")
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
