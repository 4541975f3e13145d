"""Run by `make firefox`: every widget and quiz of the built site in Firefox, the other engine that readers have; a
notebook run whole in its page, and an exercise typed, checked and corrected.

Firefox is driven over WebDriver BiDi, which it speaks by itself on a socket.
"""

import json
import shutil
import subprocess
import time
from itertools import count

import pytest
from websockets.sync.client import connect

from book.browser import served
from book.commands.run_pages import IGNORED, TEXTS, differences
from book.course import SITE, pages, widgets_on
from book.widgets import QUIZZES, SCRIPT, WIDGETS
from optcore.grading.catalogue import chapter
from optcore.grading.check import check
from tests.book.site.test_pages import WITH_WIDGETS

# A reader scrolls down, and the widgets start.
READ = """(async () => {
  for (const el of document.querySelectorAll("[data-oc]")) {
    el.scrollIntoView();
    for (let k = 0; !el.matches("[data-oc-ready]") && k < 200; k++) await new Promise(done => setTimeout(done, 50));
  }
})()"""
EACH = """(async () => {{
  const all = [];
  for (const el of document.querySelectorAll({!r})) all.push(await sitecheck.{}(el));
  return all;
}})()"""


CELLS = "[...document.querySelectorAll('div.cell:has(.cell_input)')]"
# A promise of the first value that is not empty; Python may take its time on a slow machine.
SOON = "new Promise(done => {{ const look = () => {{ const v = {}; v ? done(v) : setTimeout(look, 100) }}; look(); }})"
ENTER, CONTROL = "\ue006", "\ue009"


class Firefox:
    """A page in a headless Firefox: open an address, evaluate JavaScript, type, hear its errors."""

    def __init__(self, socket):
        self._socket, self._numbers, self.errors = socket, count(1), []
        self._call("session.new", capabilities={})
        self._call("session.subscribe", events=["log.entryAdded"])
        self._tab = self._call("browsingContext.create", type="tab")["context"]
        self._call("browsingContext.setViewport", context=self._tab, viewport={"width": 1280, "height": 800})

    def _call(self, method: str, **params) -> dict:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=1200))
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, url: str) -> None:
        self.errors.clear()
        self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, js: str):
        """The value of an expression, awaited, as JSON carries it."""
        expression = f"Promise.resolve({js}).then(value => JSON.stringify(value ?? null))"
        done = self._call("script.evaluate", expression=expression, target={"context": self._tab}, awaitPromise=True)
        assert done["type"] == "success", done["exceptionDetails"]["text"]
        return json.loads(done["result"]["value"])

    def type(self, text: str) -> None:
        """Press the keys of a text, over all that stands where the focus is."""
        strokes = [[CONTROL, "a"], *([ENTER if sign == "\n" else sign] for sign in text)]
        actions = []
        for keys in strokes:
            actions += [{"type": "keyDown", "value": key} for key in keys]
            actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._call("input.performActions", context=self._tab, actions=[source])


@pytest.fixture(scope="session")
def firefox(tmp_path_factory):
    program = shutil.which("firefox") or shutil.which("firefox-esr")
    assert program, "There is no Firefox on the PATH; install one, for example: apt-get install firefox-esr"
    folder = tmp_path_factory.mktemp("profile")
    options = ["--headless", "--no-remote", "--profile", str(folder), "--remote-debugging-port", "0"]
    told = folder / "WebDriverBiDiServer.json"  # Firefox writes where it listens
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not told.is_file() or not told.stat().st_size:
                assert process.poll() is None and time.monotonic() < deadline, f"{program} did not start to listen"
                time.sleep(0.1)
            server = json.loads(told.read_text())
            with connect(f"ws://{server['ws_host']}:{server['ws_port']}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def address():
    with served(SITE) as address:
        yield address


@pytest.mark.parametrize("name", WITH_WIDGETS)
def test_every_widget_and_quiz_is_alive(name, address, firefox):
    firefox.open(f"{address}/{name}.html")
    firefox.evaluate(READ)
    firefox.evaluate(SCRIPT.strip().removesuffix(";"))
    widgets, quizzes = (firefox.evaluate(EACH.format(*pair)) for pair in ((WIDGETS, "exercise"), (QUIZZES, "answer")))
    assert len(widgets) + len(quizzes) == len(widgets_on(name))
    assert all(widget["controls"] and not widget["dead"] for widget in widgets), widgets
    assert all(quiz["answers"] and not quiz["faults"] for quiz in quizzes), quizzes
    assert not firefox.errors
    print(f"{sum(w['controls'] for w in widgets)} controls, {sum(q['answers'] for q in quizzes)} answers")


@pytest.mark.parametrize("name", [name for name in pages() if name not in WITH_WIDGETS])
def test_other_pages_have_no_errors(name, address, firefox):
    firefox.open(f"{address}/{name}.html")
    time.sleep(0.2)
    assert firefox.evaluate("document.querySelector('article h1').innerText") and not firefox.errors


def test_a_notebook_runs_whole_in_its_page(address, firefox):
    firefox.open(f"{address}/chapters/1-objective/1-from-data-to-a-loss-surface.html")
    stored, ignored = (firefox.evaluate(f"({js})({CELLS})") for js in (TEXTS, IGNORED))
    firefox.evaluate("document.querySelector('.oc-cell-bar [aria-label=\"Run all cells\"]').click()")
    said = "document.querySelector('.oc-python [role=status]')?.textContent"
    told = firefox.evaluate(SOON.format(f"/have run|in cell|could not|cannot|memory/.exec({said})?.input"))
    assert told == f"{len(stored)} cells have run." and len(stored) > 10
    assert list(differences(stored, firefox.evaluate(f"({TEXTS})({CELLS})"), ignored)) == [] and not firefox.errors


def test_an_exercise_is_typed_checked_and_corrected(address, firefox):
    exercise = chapter("gradient-descent")[0]
    found = f"from optcore.grading.catalogue import find\n{exercise.name} = find({exercise.id!r})"
    hint = check(exercise.id, exercise.misconceptions[0].wrong)
    firefox.open(f"{address}/exercises/3-gradient-descent.html")
    buttons = f"[...document.querySelector('[data-exercise={json.dumps(exercise.id)}]').children]"
    kept = f"ocStore.get('exercise', {exercise.id!r})"
    for code, voice in ((f"{found}.misconceptions[0].wrong", hint.voice), (f"{found}.reference", "Correct")):
        firefox.evaluate(f"{buttons}[0].click()")  # Edit
        firefox.evaluate(SOON.format("document.querySelector('.cm-focused')?.className"))
        firefox.type(code)
        assert firefox.evaluate(f"{kept}.code") == code
        firefox.evaluate(f"{buttons}[1].click()")  # Check
        said = firefox.evaluate(SOON.format(f"{kept}.feedback"))
        assert said["voice"] == voice and (voice == "Correct" or said["text"] == hint.text)
    assert not firefox.errors
