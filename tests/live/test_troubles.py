"""What keeps Python from starting is said in one sentence, and the page stays as it was, cells and answers alike."""

from contextlib import contextmanager

import pytest

from book.browser import FLAGS, SEALED, find_browser

from .conftest import PATIENCE
from .test_cells import CELL, SAID
from .test_cells import PAGE as CHAPTER
from .test_exercises import FIRST, GD, press, said, write

LITTLE = "--js-flags=--wasm-max-mem-pages=100"  # 6.4 MB
SHOWN = """cells => cells.map(cell => [cell.querySelectorAll(".cell_output").length,
    ...[...cell.querySelectorAll("pre, img")].map(e => e.textContent || e.src)])"""
TROUBLES = {
    "little memory": "There is not enough memory to run Python here; close other tabs, then try again.",
    "no download": "numpy.zip, a part of Python, could not be loaded; look at the connection, then try again.",
    "old browser": "This browser is too old to run Python; a current Firefox, Chrome, Edge or Safari can.",
}


@pytest.fixture(scope="module")
def poor_browser(browser):
    """The same browser where programs get little memory."""
    poor = browser.browser_type.launch(executable_path=find_browser(), args=[*FLAGS, SEALED, LITTLE])
    yield poor
    poor.close()


@contextmanager
def troubled(trouble, browser, poor_browser):
    """A page in a browser with this trouble."""
    context = (poor_browser if trouble == "little memory" else browser).new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(PATIENCE)
    if trouble == "no download":
        page.route("**/numpy.zip*", lambda route: route.abort())
    if trouble == "old browser":
        page.add_init_script("delete window.Worker")
    yield page
    assert errors == []
    context.close()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_cell_says_why_it_cannot_run_and_all_stays(trouble, site, browser, poor_browser):
    with troubled(trouble, browser, poor_browser) as page:
        page.goto(f"{site}/{CHAPTER}")
        before = page.eval_on_selector_all(CELL, SHOWN)
        page.get_by_role("button", name="Run cell 2", exact=True).press("Enter")
        page.locator(SAID).get_by_text(TROUBLES[trouble], exact=True).wait_for()
        page.wait_for_load_state("networkidle")  # what still comes does not hide the sentence
        assert page.locator(SAID).inner_text() == TROUBLES[trouble]
        assert page.eval_on_selector_all(CELL, SHOWN) == before and len(before) > 9
        assert page.get_by_role("button", name="Run all cells").count() == 2, "it can be tried again"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_exercise_says_why_it_cannot_be_checked_and_keeps_the_answer(trouble, site, browser, poor_browser):
    with troubled(trouble, browser, poor_browser) as page:
        page.goto(f"{site}/{GD}.html")
        write(page, "mine = 1")
        press(page, "Check")
        said(page).get_by_text(TROUBLES[trouble]).wait_for()
        page.wait_for_load_state("networkidle")
        assert page.locator(".oc-wait").all_inner_texts() == [""] and TROUBLES[trouble] in said(page).inner_text()
        assert page.locator(".cm-content").inner_text() == "mine = 1"
        assert page.evaluate("id => ocStore.get('exercise', id).code", FIRST.id) == "mine = 1"
        page.get_by_role("group", name=FIRST.title, exact=True).get_by_role(
            "button", name="Check", exact=True
        ).wait_for()


def test_a_part_of_the_page_that_does_not_come_is_asked_for_again(site, browser):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{site}/{GD}.html")
    for part in ("answering.js", "editor.js"):
        page.route(f"**/{part}", lambda route: route.abort())
        press(page, "Edit")
        said(page).get_by_text(
            "A part of this page could not be loaded: look at the connection, then try again."
        ).wait_for()
        page.unroute(f"**/{part}")
        page.evaluate("document.querySelector('.oc-said').replaceChildren()")
    press(page, "Edit")
    page.locator(".cm-content").wait_for()
    context.close()
