"""What a reader finds wrong with the widgets of a notebook in Jupyter, in words; an empty list if nothing."""

import time
from collections.abc import Callable

from playwright.sync_api import ElementHandle

from tests.lab.notebook import PATIENCE, Notebook

COMMANDS = ["b", "a", "x", "m", "Enter", "ArrowDown", "ArrowUp"]  # keys with which Jupyter changes a notebook
LOOKS = "el => JSON.stringify([sitecheck.drawing(el), sitecheck.status(el)])"
GROUND = "el => Math.max(...getComputedStyle(el).backgroundColor.match(/[0-9]+/g).slice(0, 3))"
# Timers as in a tab that nobody looks at, or on a busy machine: those of a tenth of a second take two seconds.
LATE = """{
  const timer = setTimeout;
  window.setTimeout = (what, ms, ...rest) => timer(what, ms === 100 ? 2100 : ms, ...rest);
}"""
STILL = """([el]) => el.innerText.trim()
  || [...el.querySelectorAll('img')].some(img => img.naturalWidth > 100 && img.alt.length > 20)"""


# ---- one widget -------------------------------------------------------------------------------------------------


def undrawn(notebook: Notebook, widget: ElementHandle) -> list[str]:
    """Its status line stays empty, a drawing of it has one colour, or a run that takes many frames does not end."""
    widget.evaluate("el => el.scrollIntoView()")
    if not notebook.comes("([el]) => sitecheck.status(el)", widget):
        return ["has an empty status line"]
    if "could not" in (said := widget.evaluate("sitecheck.status")):
        return [f"says: {said}"]
    if not notebook.comes("([el]) => !sitecheck.blank(el).length", widget):
        return [f"shows one colour in {label!r}" for label in widget.evaluate("sitecheck.blank")]
    if not notebook.comes("([el]) => !el.hasAttribute('data-busy')", widget):
        return ["is not done with its run"]
    return []


def unheard(notebook: Notebook, widget: ElementHandle, number: int) -> list[str]:
    """What is dragged does not reach Python, or what Python sets does not reach the page."""
    looks, value = widget.evaluate(LOOKS), f"_shown[{number}].value"
    before = last = after = notebook.python(value)
    name = widget.evaluate("el => sitecheck.nudge(el, 'mouse')")
    deadline = time.monotonic() + PATIENCE / 1000
    while after == before or after != last:  # the page tells what it holds once it has rested, as long as here twice
        if time.monotonic() > deadline:
            return [f"Python does not hear of {name or 'any control'}"]
        notebook.page.evaluate("() => new Promise(done => setTimeout(done, 300))")
        last, after = after, notebook.python(value)
    if "“Start" in name and before["start"] == after["start"]:
        return [f"{name} is not the start that Python hears of"]
    notebook.python(f"_shown[{number}].set_trait('value', {before!r})")
    if not notebook.comes(f"([el, looks]) => ({LOOKS})(el) === looks", widget, looks):
        return [f"the page does not show what Python sets: {widget.evaluate('sitecheck.status')}"]
    return []


def dead(notebook: Notebook, widget: ElementHandle, how: str) -> list[str]:
    """A control of it moves nothing, or the notebook takes its keys."""
    widget.query_selector("output").click()  # makes its cell the active one
    before = notebook.place()
    found = widget.evaluate("(el, how) => sitecheck.exercise(el, how)", how)
    faults = [f"{how}: {line}" for line in found["dead"]] + ([] if found["controls"] else ["has no controls"])
    if how == "keys":
        control = widget.query_selector("input, select, .oc-handle")
        for key in COMMANDS:
            control.press(key)
    after = notebook.place()
    return faults + [f"{how}: the notebook heard it: {before} became {after}"] * (after != before)


def unanswered(notebook: Notebook, quiz: ElementHandle, number: int) -> list[str]:
    """An answer to one of the first questions is not taken, judged and explained, or the notebook takes the keys."""
    questions, faults = notebook.python(f"_shown[{number}].spec['questions']")[:2], []
    quiz.query_selector("output").click()
    for how in ("mouse", "keys"):
        before = notebook.place()
        found = quiz.evaluate("(el, [questions, how]) => sitecheck.answer(el, questions, how)", [questions, how])
        after = notebook.place()
        faults += [f"{how}: {line}" for line in found["faults"]] + ["few answers"] * (found["answers"] <= 3)
        faults += [f"{how}: the notebook heard it: {before} became {after}"] * (after != before)
    return faults


# ---- all of them ------------------------------------------------------------------------------------------------


def each(notebook: Notebook, kinds: list[str], faults_of: Callable) -> list[str]:
    """`faults_of(kind, widget, number)` of every widget on the page; one that is missing is a fault, too."""
    widgets = notebook.widgets(len(kinds))
    found = [widget.get_attribute("data-oc") for widget in widgets]
    if found != kinds:
        words = notebook.page.text_content(".jp-OutputArea-output")
        return [f"{len(found)} of {len(kinds)} widgets are there; the first output is {words[:80]!r}"]
    triples = zip(kinds, widgets, range(len(kinds)), strict=True)
    return [f"{kind} {n} {line}" for kind, widget, n in triples for line in faults_of(kind, widget, n)]


def opened(notebook: Notebook, kinds: list[str]) -> list[str]:
    """Before anything runs Jupyter keeps the scripts back: a widget must be a still picture, a quiz its text."""
    widgets = notebook.widgets(len(kinds))
    faults = [] if len(widgets) == len(kinds) else [f"{len(widgets)} of {len(kinds)} widgets are there"]
    for number, widget in enumerate(widgets):
        widget.evaluate("el => el.scrollIntoView()")
        if not notebook.comes(STILL, widget):
            faults.append(f"widget {number} is neither a picture nor text")
    return faults


def run(notebook: Notebook, kinds: list[str]) -> list[str]:
    """Every widget is drawn; Python and the page hear each other; each control moves it, by mouse and by keys."""

    def faults_of(kind: str, widget: ElementHandle, number: int) -> list[str]:
        if found := undrawn(notebook, widget):
            return found
        if kind == "quiz":
            return unanswered(notebook, widget, number)
        return unheard(notebook, widget, number) or [
            line for how in ("mouse", "keys") for line in dead(notebook, widget, how)
        ]

    notebook.run_all()
    return each(notebook, kinds, faults_of)


def themes(notebook: Notebook, kinds: list[str]) -> list[str]:
    """Every widget follows Jupyter into the dark, and comes back as it was."""
    light = {}

    def bright(kind: str, widget: ElementHandle, number: int) -> list[str]:
        found = undrawn(notebook, widget)
        light[number] = widget.evaluate(LOOKS)
        return found + ["is dark in the light"] * (widget.evaluate(GROUND) < 200)

    def dark(kind: str, widget: ElementHandle, number: int) -> list[str]:
        if not notebook.comes(f"([el]) => ({GROUND})(el) < 60", widget):
            return ["does not darken"]
        drawn = kind == "quiz" or notebook.comes(f"([el, looks]) => ({LOOKS})(el) !== looks", widget, light[number])
        return undrawn(notebook, widget) + ["has a drawing that does not darken"] * (not drawn)

    def back(kind: str, widget: ElementHandle, number: int) -> list[str]:
        widget.evaluate("el => el.scrollIntoView()")
        same = notebook.comes(f"([el, looks]) => ({LOOKS})(el) === looks", widget, light[number])
        return ["does not come back to the light as it was"] * (not same)

    faults = each(notebook, kinds, bright)
    notebook.theme(dark=True)
    faults += each(notebook, kinds, dark)
    notebook.theme(dark=False)
    return faults + each(notebook, kinds, back)


def reopened(notebook: Notebook, kinds: list[str]) -> list[str]:
    """Closed and opened again where timers come late, every widget is drawn, and moves."""

    def faults_of(kind: str, widget: ElementHandle, number: int) -> list[str]:
        found = undrawn(notebook, widget)
        still = kind != "quiz" and not found and not widget.evaluate("el => sitecheck.nudge(el, 'keys')")
        return found + ["does not move"] * still

    notebook.page.add_init_script(LATE)
    notebook.open()
    return each(notebook, kinds, faults_of)


def faults(notebook: Notebook, kinds: list[str]) -> list[str]:
    """All that is wrong with a notebook just opened, in which widgets of these kinds are stored."""
    found = [f"as opened: {line}" for line in opened(notebook, kinds)]
    found += [f"run: {line}" for line in run(notebook, kinds)]
    found += [f"theme: {line}" for line in themes(notebook, kinds)]
    notebook.command("docmanager:save")
    found += [f"opened again: {line}" for line in reopened(notebook, kinds)]
    return found
