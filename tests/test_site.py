"""The built site in a real browser, with the network blocked."""

import re

import pytest

from tests.course import ROOT, notebooks, pages, stored_html

pytest.importorskip("playwright")
from tests.site.browser import axe, opened  # noqa: E402
from tests.site.widgets import WIDGETS, exercise_widgets  # noqa: E402

WITH_WIDGETS = [str(path.relative_to(ROOT).with_suffix("")) for path in notebooks() if "data-oc=" in stored_html(path)]


ALTS = "images => images.map(image => [image.src, image.alt])"


def is_real(alt: str) -> bool:
    """Words, not the file name that Sphinx falls back to."""
    return bool(re.search("[A-Za-z]{3}", alt)) and not re.search(r"[0-9a-f]{16}|\.png", alt)


def test_the_book_builds_without_warnings(built_book):
    folder, build = built_book
    assert build.returncode == 0, build.stdout[-4000:]
    missing = [page for page in pages() if not (folder / f"{page}.html").is_file()]
    assert pages() and not missing


@pytest.mark.parametrize("page_name", pages())
def test_page(page_name, site, browser):
    with opened(browser, f"{site}/{page_name}.html") as (page, record):
        problems = [f"light, {line}" for line in axe(page)]
        problems += [f"no text for {src}" for src, alt in page.eval_on_selector_all("img", ALTS) if not is_real(alt)]
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        problems += [f"dark, {line}" for line in axe(page)]
        page.set_viewport_size({"width": 375, "height": 800})
        page.wait_for_timeout(150)
        wide = page.evaluate("document.documentElement.scrollWidth")
        problems += [f"{wide} pixels wide on a screen of 375"] if wide > 375 else []
        problems += [f"left the site: {url}" for url in record.external(site)] + record.errors
        assert len(record.requests) > 5
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("page_name", WITH_WIDGETS)
def test_every_control_of_every_widget_is_alive(page_name, site, browser):
    stored = len(re.findall(r'<div class="oc-widget[^>]*data-oc="(?!quiz")', stored_html(ROOT / f"{page_name}.ipynb")))
    with opened(browser, f"{site}/{page_name}.html") as (page, record):
        found = exercise_widgets(page)
        assert len(found) == stored
        assert all(widget.controls for widget in found), found
        assert not [widget for widget in found if widget.dead]
        assert not record.errors


def test_a_page_works_from_a_file(built_book, browser):
    page_name = (WITH_WIDGETS or pages())[0]
    with opened(browser, (built_book[0] / f"{page_name}.html").as_uri()) as (page, record):
        assert not record.errors
        assert len(page.query_selector_all(f"{WIDGETS} input")) > 0 or not WITH_WIDGETS
