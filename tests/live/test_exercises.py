"""Exercises in the page: written, checked, kept and handed in, in Chromium without a network."""

import csv
import gzip
import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from book.browser import axe, comes_to_hold, show_in
from book.course import ROOT
from optcore.grading.catalogue import CHAPTERS, chapter, exercises
from optcore.grading.check import check
from optcore.grading.notebooks import file_name

from ..book.site.test_store import BLOCKED
from .conftest import PATIENCE

PAGES = {name: f"exercises/{file_name(name).removesuffix('.ipynb')}" for name in CHAPTERS}
GD = PAGES["gradient-descent"]
LESSON = "chapters/3-gradient-descent/3-momentum-and-nesterov"
FIRST, MANY = chapter("gradient-descent")[0], len(chapter("gradient-descent"))

# The exercises of more pages, put below those of this one.
MORE = """async (pages) => {
  for (const page of pages) {
    const text = await (await fetch(`../${page}.html`)).text();
    const article = new DOMParser().parseFromString(text, "text/html").querySelector(".bd-article");
    document.querySelector(".bd-article").append(article);
    ocExercises(article, page + ".html");
  }
}"""
# Presses every Check, one after the other, and gives what is said: {id: [voice, text, case]}.
CHECK_ALL = """async () => {
  const all = {};
  const checkedAgain = (button) => new Promise((done) => {
    const watch = new MutationObserver(() => button.textContent === "Check" && done(watch.disconnect()));
    watch.observe(button, { childList: true });
  });
  for (const bar of document.querySelectorAll("[data-exercise]")) {
    const button = [...bar.children].find((one) => one.textContent === "Check");
    const checked = checkedAgain(button);
    button.click();
    await checked;
    const said = bar.parentElement.querySelector(".oc-said");
    all[bar.dataset.exercise] = [said.dataset.voice, said.querySelector("p").textContent,
      said.querySelector("pre")?.textContent ?? ""];
  }
  return all;
}"""


@contextmanager
def reader(browser, site, script="", **device):
    """A new reader, and a function that opens a page of the site; nothing may go wrong or leave the site."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **device})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(script)
    faults = []

    def opened(name=GD):
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: None if r.url.startswith((site, "blob:", "data:")) else faults.append(r.url))
        page.goto(f"{site}/{name}.html")
        return page

    yield opened
    context.close()
    assert not faults, faults


def bar(page, title=FIRST.title):
    return page.get_by_role("group", name=title, exact=True)


def press(page, name, title=FIRST.title):
    bar(page, title).get_by_role("button", name=name, exact=True).click()


def write(page, code, title=FIRST.title):
    """Type an answer over what is there."""
    editor = page.get_by_role("textbox", name=f"Answer: {title}", exact=True)
    if not editor.count():
        press(page, "Edit", title)
    editor.press("Control+a")
    page.keyboard.insert_text(code)


def ask(page, title=FIRST.title):
    """Press Check and give the voice of the answer."""
    press(page, "Check", title)
    bar(page, title).get_by_role("button", name="Check", exact=True).wait_for()
    return said(page, title).get_attribute("data-voice")


def said(page, title=FIRST.title):
    return page.locator(f".oc-bar[aria-label={json.dumps(title)}] ~ .oc-said").first


def file_of(page, answers):
    """Load answers as a reader does from a file: {id: code}."""
    page.evaluate(
        """answers => { for (const [id, code] of answers) ocStore.set("exercise", id, { code }); }""",
        [*answers.items()],
    )
    text = page.evaluate("ocStore.text()")
    page.evaluate("ocStore.erase()")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Load answers").click()
    chooser.value.set_files({"name": "my-answers.json", "mimeType": "application/json", "buffer": text.encode()})
    page.get_by_text("Taken from the file").wait_for()


def spoken(feedback):
    """What the page shows of a feedback, without the signs for code."""
    return [feedback.voice, f"{feedback.voice}. {feedback.text.replace('`', '')}", feedback.case]


NO_CACHE = "CacheStorage.prototype.open = () => Promise.reject(new DOMException('no', 'SecurityError'));"
WRONG = "from optcore.grading.catalogue import find\n{name} = find({id!r}).misconceptions[0].wrong"


def test_every_exercise_and_every_hand_in(site, browser, tmp_path):
    """Stubs fail, solutions pass, a known mistake is named with Python's sentence; the class grader agrees."""
    every = exercises()
    assert len(every) >= 113
    solutions = {e.id: e.solution.rstrip() for e in every}
    mistakes = {e.id: WRONG.format(name=e.name, id=e.id) for e in every}
    with reader(browser, site, accept_downloads=True) as opened:
        page = opened(PAGES[CHAPTERS[0]])
        page.evaluate(MORE, [PAGES[name] for name in CHAPTERS[1:]])
        stubs = page.evaluate(CHECK_ALL)
        assert list(stubs) == [e.id for e in every]
        assert [name for name, (voice, *_) in stubs.items() if voice != "Still missing"] == []
        file_of(page, solutions)
        passed = page.evaluate(CHECK_ALL)
        assert [(name, *rest) for name, (voice, *rest) in passed.items() if voice != "Correct"] == []
        file_of(page, mistakes)
        named = page.evaluate(CHECK_ALL)
        assert named == {e.id: spoken(check(e.id, e.misconceptions[0].wrong)) for e in every}

        # the first of each chapter wrong, the last one left alone, the others right
        mixed = dict(solutions)
        for name in CHAPTERS:
            del mixed[chapter(name)[-1].id]
            mixed[chapter(name)[0].id] = mistakes[chapter(name)[0].id]
        file_of(page, mixed)
        page.evaluate(CHECK_ALL)
        shown = {}
        for name in CHAPTERS:
            page = opened(PAGES[name])
            count = page.locator(".oc-answers strong").inner_text().split()
            shown[file_name(name)] = int(count[0])
            assert int(count[2]) == len(chapter(name)) == int(count[0]) + 2
            with page.expect_download() as download:
                page.get_by_role("button", name="Hand in").click()
            assert download.value.suggested_filename == file_name(name)
            download.value.save_as(tmp_path / "class" / file_name(name))
    grader = [sys.executable, "-m", "optcore.grading", "class", "--seed", "fresh", "-o", "grades.csv", "--quiet"]
    done = subprocess.run(
        grader, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        points = {f"{row['student']}.ipynb": float(row["points"]) for row in csv.DictReader(file)}
    assert points == shown


OURS = {
    GD: {"live/exercises.js"},
    LESSON: {"live/here.js", "live/own.js", "run.js"},
    "gallery": {"live/own.js", "run.js"},
}
MOST = 4000  # bytes, gzipped, for a reader who runs and answers nothing: with the store of answers, and the styles


@pytest.mark.parametrize("name", OURS)
def test_a_page_that_nobody_touches_loads_little_and_nothing_of_python_or_the_editor(name, site, browser, built_book):
    static = built_book[0] / "_static"
    with reader(browser, site) as opened:
        page = opened(name)
        page.mouse.wheel(0, 20_000)
        page.wait_for_load_state("networkidle")
        loaded = page.evaluate("performance.getEntriesByType('resource').map(r => new URL(r.name).pathname)")
        names = {url.removeprefix("/_static/") for url in loaded}
        assert "store.js" in names and {n for n in names if n.startswith(("live", "run"))} == OURS[name]
        parts = [static / one for one in {*OURS[name], "store.js"}] + [ROOT / "book/assets/run.css"]
        assert 1000 < sum(len(gzip.compress(part.read_bytes())) for part in parts) <= MOST
        if name == GD:
            assert bar(page).is_visible() and page.locator(".tag_check").first.is_hidden()
            told = page.locator("h1 + p")
            assert all(told.get_by_text(verb, exact=True).count() for verb in ("Check", "Hint"))


def test_an_answer_from_the_first_word_to_the_next_day(site, browser):
    """Typed, wrong in each voice, corrected, found again; axe, light and dark, and 375 pixels, with all that shown."""
    solution = FIRST.solution.rstrip()
    with reader(browser, site) as opened:
        page = opened()
        press(page, "Solution")
        said(page).get_by_text("Try first").wait_for()
        page.locator(".oc-exercise pre").first.click()  # the code itself opens too
        page.locator(".cm-content").wait_for()
        write(page, "x = 1\nx +")
        assert ask(page) == "Error" and "cannot read line 2" in said(page).inner_text()
        assert page.locator(".oc-at-fault").all_inner_texts() == ["x +"]
        write(page, "print('seen')\n" + FIRST.stub)
        assert ask(page) == "Still missing" and page.locator(".oc-printed").first.inner_text().strip() == "seen"
        write(page, WRONG.format(name=FIRST.name, id=FIRST.id))
        assert ask(page) == "Hint" and page.locator(".oc-said").first.locator("pre").count() == 1
        write(page, "def gradient_descent(grad, w0, lr, steps):\n    return np.zeros((steps + 1, len(w0)))")
        assert ask(page) == "Keep working"
        for number in range(1, len(FIRST.hints) + 1):
            press(page, "Hint")
            shown = page.locator(".oc-hints").first.locator("p").nth(number - 1)
            assert shown.inner_text().startswith(f"Hint {number} of {len(FIRST.hints)}.")
        press(page, "Hint")
        assert page.locator(".oc-hints").first.locator("p").last.inner_text() == "That was the last hint."
        press(page, "Solution")
        assert page.locator(".oc-solution pre").inner_text().strip() == solution
        write(page, solution)
        assert said(page).evaluate("el => getComputedStyle(el, '::before').content") == '"Before your last change:"'
        assert ask(page) == "Correct" and f"1 of {MANY} correct." in page.locator(".oc-answers").inner_text()
        write(page, "1 / 0", chapter("gradient-descent")[1].title)
        assert ask(page, chapter("gradient-descent")[1].title) == "Error"
        problems = axe(page)
        show_in(page, "dark")
        problems += axe(page, contrast_only=True)
        assert not problems
        page.set_viewport_size({"width": 375, "height": 800})
        assert comes_to_hold(page, "document.documentElement.scrollWidth <= 375", 150)

        page.reload()
        page.get_by_text(f"1 of {MANY} correct.").wait_for()
        page.locator("[data-voice=Correct]").wait_for()
        expect(page.locator(".oc-exercise pre").first).to_have_text(solution)
        press(page, "Start again")
        assert page.locator(".oc-exercise pre").first.inner_text().strip() == FIRST.stub
        assert f"0 of {MANY} correct." in page.locator(".oc-answers").inner_text()
        assert "solved before" in bar(page).inner_text() and said(page).inner_text() == ""
        press(page, "Bring back my answer")
        assert page.locator(".oc-exercise pre").first.inner_text().strip() == solution


def test_by_keyboard_alone_in_a_browser_that_keeps_nothing(site, browser):
    focus = "(document.activeElement.textContent || '').slice(0, 20)"
    with reader(browser, site, BLOCKED + NO_CACHE) as opened:
        page = opened()
        assert "This browser keeps nothing" in page.locator(".oc-answers").inner_text()
        for _ in range(100):
            page.keyboard.press("Tab")
            if page.evaluate(focus) == "Edit":
                break
        page.keyboard.press("Enter")
        page.locator(".cm-focused").wait_for()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(FIRST.solution)
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        assert page.evaluate(focus) == "Check"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Enter")
        page.get_by_text(f"1 of {MANY} correct.").wait_for()
        assert said(page).get_attribute("role") == "status"
        page.reload()
        assert page.locator(".oc-exercise pre").first.inner_text().strip() == FIRST.stub


def test_two_tabs_keep_each_others_answers(site, browser):
    second = chapter("gradient-descent")[1]
    with reader(browser, site) as opened:
        one, two = opened(), opened()
        write(one, "a = 1")
        write(two, "b = 2", second.title)
        two.locator(".oc-exercise pre").first.get_by_text("a = 1").wait_for()
        write(two, "a = 3")
        assert comes_to_hold(one, "document.querySelector('.cm-content').innerText === 'a = 3'", 50)
        one.reload()
        for title, code in ((FIRST.title, "a = 3"), (second.title, "b = 2")):
            press(one, "Edit", title)
            assert one.get_by_role("textbox", name=f"Answer: {title}", exact=True).inner_text() == code


def test_an_endless_loop_is_stopped_twice_and_the_next_answer_is_checked(site, browser):
    with reader(browser, site) as opened:
        page = opened()
        for word in ("begun", "again"):
            write(page, f"print('{word}')\nwhile True:\n    pass")
            press(page, "Check")
            page.locator(".oc-printed").first.get_by_text(word).wait_for()
            press(page, "Stop")
            said(page).get_by_text("Stopped. What you wrote is kept.").wait_for()
            assert "while True" in page.locator(".cm-content").inner_text()
        write(page, FIRST.solution)
        assert ask(page) == "Correct"


def test_the_exercises_of_a_lesson_open_at_its_end(site, browser):
    own = [e for e in chapter("gradient-descent") if e.notebook == "3.3"]
    with reader(browser, site) as opened:
        page = opened(LESSON)
        page.get_by_role("button", name="Do the exercises here").click()
        bar(page, own[0].title).wait_for()
        assert page.locator("[data-exercise]").evaluate_all("all => all.map(one => one.dataset.exercise)") == [
            e.id for e in own
        ]
        assert page.evaluate("document.activeElement.firstChild.textContent") == own[0].title
        write(page, own[0].solution, own[0].title)
        assert ask(page, own[0].title) == "Correct"
        problems = axe(page)
        links = page.locator(".oc-here a").evaluate_all("all => all.map(a => a.href)")
        assert not problems and links and all(link.startswith(site) for link in links)
        page = opened(GD)
        assert f"1 of {MANY} correct." in page.locator(".oc-answers").inner_text()
