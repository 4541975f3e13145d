"""The site remembers what a reader did: in this browser, over reloads, as a file, in two tabs, and without storage."""

import json
from contextlib import contextmanager

import pytest

from book.browser import axe, comes_to_hold
from book.course import ROOT, notebooks
from book.site.progress import course
from tests.book.site.test_store import BLOCKED

PAGE = "chapters/3-gradient-descent/3-momentum-and-nesterov"
DAY = 24 * 3600 * 1000
STATUS = "[data-oc=quiz] .oc-status"


@contextmanager
def reader(browser, script="", **look):
    """A new reader, and a function that opens a page in one more tab; what a tab complained of ends the test."""
    context, errors = browser.new_context(reduced_motion="reduce", **look), []
    context.add_init_script(script)

    def tab(address):
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.keyboard.press("Shift")  # wakes the widgets: all of the page is laid out, and stays where it is
        return page

    yield tab
    context.close()
    assert not errors


def answer(page, right: bool) -> str:
    """Answer the quiz's open question with one choice, rightly or wrongly; its id."""
    page.wait_for_selector("[data-oc=quiz][data-oc-ready] form input")
    spec = json.loads(page.eval_on_selector("[data-oc=quiz] script", "e => e.textContent"))["spec"]
    at = page.eval_on_selector_all(".oc-quiz-nav button", "all => all.findIndex(b => b.ariaCurrent)")
    question = spec["questions"][at]
    assert question["kind"] == "one"
    choice = [bool(option["right"]) for option in question["options"]].index(right)
    page.locator("[data-oc=quiz] .oc-option input").nth(choice).check()
    page.get_by_role("button", name="Check").click()
    page.wait_for_function("document.querySelector('[data-oc=quiz] .oc-why')")
    return f"3.3/{question['id']}"


def kept(page, question: str) -> dict:
    page.wait_for_function("id => ocStore.get('quiz', id)", arg=question)
    return page.evaluate("id => ocStore.get('quiz', id)", question)


def test_the_scripts_know_every_page_with_its_questions_and_exercises():
    pages = course(ROOT)
    assert len(pages) == len(notebooks()) + 8 >= 40
    assert sum(len(page.get("quiz", [])) for page in pages) > 100
    assert sum("goals" in page for page in pages) == len(notebooks())
    assert sum(len(page.get("exercises", [])) for page in pages) > 80


def test_answers_and_goals_outlast_a_reload(site, browser):
    with reader(browser) as tab:
        page = tab(f"{site}/{PAGE}.html")
        question = answer(page, right=False)
        page.locator(".oc-goal").nth(1).check()
        item = kept(page, question)
        assert item["right"] is False and 0 <= item["due"] - item["at"] - DAY < 5000
        page.reload()
        page.keyboard.press("Shift")
        assert comes_to_hold(page, f"document.querySelector('{STATUS}')?.textContent.includes('0 right of 1')")
        assert page.locator(".oc-goal").nth(1).is_checked() and not page.locator(".oc-goal").first.is_checked()


def test_a_wrong_answer_comes_back_after_a_day_three_and_a_week(site, browser):
    with reader(browser) as tab:
        page = tab(f"{site}/{PAGE}.html")
        question = answer(page, right=False)
        for days in (3, 7, None):
            kept(page, question)
            page.evaluate("id => ocStore.set('quiz', id, { due: Date.now() - 1 })", question)  # its day has come
            progress = tab(f"{site}/progress.html")
            assert "1 question to answer again now" in progress.inner_text("#progress-report")
            assert progress.locator("#progress-report li a").get_attribute("href").endswith(f"{PAGE}.html#quiz")
            progress.close()
            page.reload()
            page.keyboard.press("Shift")
            assert answer(page, right=True) == question
            page.wait_for_function("id => ocStore.get('quiz', id).right", arg=question)
            item = kept(page, question)
            assert item.get("due") is None if days is None else 0 <= item["due"] - item["at"] - days * DAY < 5000
        progress = tab(f"{site}/progress.html")
        assert "1 of 6 questions right" in progress.inner_text("#progress-report")
        assert progress.locator(".bd-links .oc-done").inner_text() == "1/6"


def test_a_file_takes_it_along_and_nothing_is_left_after_erasing(site, browser, tmp_path):
    with reader(browser) as tab:
        tab(f"{site}/{PAGE}.html").evaluate("ocStore.set('goal', '3.3/0', { met: true })")
        page = tab(f"{site}/progress.html")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as a file").click()
        saved.value.save_as(tmp_path / "mine.json")
        page.get_by_role("button", name="Erase everything").click()
        assert page.evaluate("ocStore.all('goal')['3.3/0'].met")  # asked first
        page.get_by_role("button", name="Yes, erase everything").click()
        assert page.evaluate("ocStore.all('goal')") == {} and "0 goals ticked" in page.inner_text("#progress-report")
        page.set_input_files("#progress-file", tmp_path / "mine.json")
        page.wait_for_function("document.body.textContent.includes('1 goal ticked')")
        (tmp_path / "other.json").write_text("[]")
        page.set_input_files("#progress-file", tmp_path / "other.json")
        page.wait_for_function("document.querySelector('.progress-said').textContent.includes('choose one')")
        assert page.inner_text("h1").startswith("Your progress")
        assert not axe(page)


def test_two_tabs_see_each_other(site, browser):
    with reader(browser) as tab:
        lesson, progress = tab(f"{site}/{PAGE}.html"), tab(f"{site}/progress.html")
        lesson.bring_to_front()
        lesson.locator(".oc-goal").first.check()
        assert comes_to_hold(progress, "document.body.textContent.includes('1 goal ticked')")
        progress.evaluate("ocStore.set('goal', '3.3/1', { met: true })")
        assert comes_to_hold(lesson, "document.querySelectorAll('.oc-goal:checked').length === 2")


@pytest.mark.parametrize("name", [PAGE, "progress", "intro"])
def test_pages_work_where_storage_is_blocked(name, site, browser):
    with reader(browser, BLOCKED) as tab:
        page = tab(f"{site}/{name}.html")
        assert page.evaluate("ocStore.lasts") is False
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        page.click(".theme-switch-button")
        if name == PAGE:
            assert kept(page, answer(page, right=True))["right"]
        if name == "progress":
            assert "keeps nothing" in page.inner_text("#progress-report")


def test_the_reader_goes_on_where_they_were(site, browser):
    with reader(browser) as tab:
        page = tab(f"{site}/{PAGE}.html")
        place = {"heading": "where-it-is-stable", "words": "Where it is stable"}
        page.evaluate("([page, place]) => ocStore.set('page', page, place)", [PAGE, place])
        for name in ("intro", "progress"):
            link = tab(f"{site}/{name}.html").get_by_role("link", name="Continue with 3.3")
            assert link.get_attribute("href").endswith(f"{PAGE}.html#where-it-is-stable")
