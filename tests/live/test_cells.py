"""Run and Edit on the cells of a page of the built site: with a mouse, by keyboard, in the dark, on a phone."""

from contextlib import contextmanager

import optcore as oc
from book.browser import axe, opened, served, show_in
from book.commands.run_pages import differences, run_page
from book.widgets import SCRIPT

from .conftest import PATIENCE

PAGE = "chapters/3-gradient-descent/3-momentum-and-nesterov.html"
CELL = "div.cell:has(.cell_input)"
SAID = ".oc-python [role=status]"


@contextmanager
def chapter(browser, site, name=PAGE, **look):
    """The page of a notebook, on which something fails only where the test says so."""
    with opened(browser, f"{site}/{name}", **look) as (page, record):
        page.set_default_timeout(PATIENCE)
        yield page
        assert record.errors == [] and record.external(site) == []


def says(page, words):
    """Wait until the foot of the window says it."""
    page.wait_for_function(
        "([where, words]) => document.querySelector(where)?.textContent.includes(words)", arg=[SAID, words]
    )


def test_every_cell_has_labelled_buttons_that_mouse_and_keyboard_reach(browser, site):
    with chapter(browser, site) as page:
        cells = page.locator(CELL)
        count = cells.count()
        assert count > 10
        for verb in ("Run", "Edit"):
            names = page.eval_on_selector_all(
                f".oc-cell-bar [aria-label^='{verb} cell']", "all => all.map(b => b.ariaLabel)"
            )
            assert names == [f"{verb} cell {k}" for k in range(1, count + 1)]
        assert page.get_by_role("button", name="Run all cells").count() == 1
        bar = cells.nth(3).locator(".oc-cell-bar")
        opacity = "bar => getComputedStyle(bar).opacity"
        assert bar.evaluate(opacity) == "0"
        cells.nth(3).hover()
        assert bar.evaluate(opacity) == "1"
        page.mouse.move(0, 0)
        bar.get_by_role("button", name="Run").focus()
        assert bar.evaluate(opacity) == "1"
        assert axe(page) == []


def test_a_cell_runs_with_those_above_is_changed_fails_and_is_restored(browser, site):
    with chapter(browser, site) as page:
        cells = page.locator(CELL)
        at = page.eval_on_selector_all(
            CELL, "cells => cells.findIndex((cell, k) => k > 2 && cell.querySelector('.cell_output .stream'))"
        )
        cell = cells.nth(at)
        stored = cell.locator(".cell_output").inner_text()
        code = cell.locator("pre").first.inner_text()
        cell.get_by_role("button", name=f"Run cell {at + 1}", exact=True).press("Enter")
        says(page, f"{at + 1} cells have run")
        assert cell.locator(".cell_output").inner_text() == stored
        cell.get_by_role("button", name=f"Edit cell {at + 1}", exact=True).press("Enter")
        page.locator(".cm-content:focus").wait_for()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("answer = 84")
        page.keyboard.type(" / 2\nprint(answer)\noc.explore(oc.rosenbrock, oc.adam, lr=0.123)")
        assert cell.locator(".oc-edited-mark").is_visible()
        page.keyboard.press("Shift+Enter")
        says(page, "One cell has run")
        assert cell.locator(".cell_output .stream").inner_text().strip() == "42.0"
        widget = cell.locator(".oc-widget[data-oc=explore]")
        widget.locator("input[type=range]").first.wait_for()
        assert "0.123" in widget.inner_text()
        page.evaluate(SCRIPT)
        assert widget.evaluate("el => sitecheck.nudge(el, 'script')"), "a control changes drawing and words"
        cell.locator(".cm-content").focus()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text("1\nmissing")
        page.keyboard.press("Shift+Enter")
        says(page, f"NameError in cell {at + 1}")
        assert "NameError: name 'missing' is not defined" in cell.locator(".oc-python-error").inner_text()
        assert cell.locator(".oc-at-fault").inner_text() == "missing"
        for scheme in ("light", "dark"):
            show_in(page, scheme)
            assert page.evaluate("document.documentElement.dataset.theme") == scheme and axe(page) == []
        cell.get_by_role("button", name=f"Restore cell {at + 1}").click()
        assert cell.locator(".cell_output").inner_text() == stored
        assert cell.locator("pre").first.inner_text() == code and not cell.locator(".oc-edited-mark").is_visible()


def test_endless_cells_are_stopped_twice_and_the_next_one_runs_all_without_a_server(browser, built_book):
    """It has stopped after the first run: Python starts again from what the browser keeps. Nothing shown is lost."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    cell = page.locator(CELL).nth(2)

    def run(code):
        cell.locator(".cm-content").focus()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(code)
        page.keyboard.press("Control+Enter")

    with served(built_book[0]) as address:
        page.goto(f"{address}/{PAGE}", wait_until="load")
        page.get_by_role("button", name="Run cell 2", exact=True).press("Enter")
        says(page, "2 cells have run")
    page.get_by_role("button", name="Edit cell 3", exact=True).press("Enter")
    for word in ("on", "again"):
        run(f"print('{word}')\nwhile True: pass")
        cell.locator(".stream").get_by_text(word).wait_for()
        page.locator(".oc-python").get_by_role("button", name="Stop").press("Enter")
        says(page, "Stopped.")
        assert cell.locator(".stream").inner_text().strip() == word
        assert cell.locator(".cm-content").inner_text().startswith(f"print('{word}')")
    run("print(oc.__version__)")
    says(page, "3 cells have run")
    assert cell.locator(".stream").inner_text().strip() == oc.__version__
    context.close()


def test_nothing_of_python_is_loaded_before_it_is_asked_for(browser, site):
    with opened(browser, f"{site}/{PAGE}") as (page, record):
        page.mouse.wheel(0, 20_000)
        page.wait_for_timeout(500)
        assert len(record.requests) > 5
        live = {url.split("/live/")[1].split("?")[0] for url in record.requests if "/live/" in url}
        assert live <= {"here.js", "own.js"}  # the few lines that offer a lesson's exercises, and a rule of one's own


def test_on_a_phone_the_buttons_are_there_and_nothing_is_wider_than_the_page(browser, site):
    context = browser.new_context(viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{site}/{PAGE}")
    page.keyboard.press("Shift")
    run = page.get_by_role("button", name="Run cell 2", exact=True)
    box = run.bounding_box()
    assert box and box["height"] >= 44 and run.is_visible()
    page.get_by_role("button", name="Edit cell 2", exact=True).tap()
    page.locator(".cm-content").wait_for(timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    context.close()


def test_from_a_file_one_sentence_says_what_to_do(browser, built_book):
    folder, _ = built_book
    page = browser.new_page()
    page.goto((folder / PAGE).as_uri())
    page.get_by_role("button", name="Run cell 2", exact=True).press("Enter")
    page.locator(".oc-cell-bar [role=alert]").wait_for()
    assert "make serve" in page.locator(".oc-cell-bar [role=alert]").inner_text()
    page.close()


def test_canary_without_the_package_no_page_runs(browser, site):
    with opened(browser, f"{site}/{PAGE}") as (page, _):
        page.route("**/optcore.zip*", lambda route: route.fulfill(status=404))
        cells, wrong = run_page(page)
        assert cells > 10 and len(wrong) == 1 and "optcore.zip, a part of Python, could not be loaded" in wrong[0]


def test_canary_a_text_that_differs_is_named_unless_it_measures_time():
    assert list(differences(["a", "b"], ["a", "b"], [False, False])) == []
    assert list(differences(["a", "b"], ["a", "c"], [False, False])) == ["cell 2 shows\nc\ninstead of\nb"]
    assert list(differences(["a", "b"], ["a", "c"], [False, True])) == []
