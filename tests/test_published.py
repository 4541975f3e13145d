"""What a published site needs: light pages, stable addresses, search, previews, keyboard, print."""

import re

import pytest

pytest.importorskip("playwright")
from tests.site.browser import opened  # noqa: E402

CHAPTER = "chapters/4-adaptive-methods/2-adam"

# ---- light --------------------------------------------------------------------------------------------------


def test_a_page_asks_for_one_style_sheet_before_it_shows(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, record):
        sheets = [url for url in record.requests if ".css" in url]
        blocking = page.eval_on_selector_all("script[src]:not([defer])", "all => all.map(script => script.src)")
    assert [url.rsplit("/", 1)[1] for url in sheets] == ["site.css"] and not blocking


def test_the_style_sheet_names_only_what_is_there(built_book):
    folder = built_book[0] / "_static"
    css = (folder / "site.css").read_text(encoding="utf-8")
    asked = [url for url in re.findall(r"url\(['\"]?([^'\")]+)", css) if not url.startswith(("data:", "#"))]
    assert len(asked) > 10
    assert not [url for url in asked if not (folder / url).is_file() and "KaTeX" not in url]
    assert ".oc-widget" in css and ".katex" in css and ".fa-download" in css and ".btn-outline-warning" not in css


def test_widgets_start_when_the_reader_comes_near(site, browser):
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.goto(f"{site}/gallery.html")
    page.wait_for_selector("[data-oc-ready]")
    ready = "document.querySelectorAll('[data-oc-ready]').length"
    widgets = page.query_selector_all("[data-oc]")
    started = page.evaluate(ready)
    last = widgets[-1].get_attribute("id")
    assert 0 < started < len(widgets) / 2
    widgets[-1].scroll_into_view_if_needed()
    page.wait_for_selector(f"#{last}[data-oc-ready]")
    page.keyboard.press("Tab")
    assert page.evaluate(ready) == len(widgets)
    page.goto("about:blank")
    page.goto(f"{site}/gallery.html#{last}&x=1")
    page.wait_for_selector(f"#{last}[data-oc-ready]")
    context.close()


def test_what_scrolls_is_reached_with_tab(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html", width=375) as (page, _):
        wide, rest = page.evaluate(
            """() => {
              const blocks = [...document.querySelectorAll("pre, div.math")];
              const scrolls = el => el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight;
              return [true, false].map(yes => blocks.filter(el => scrolls(el) === yes).map(el => el.tabIndex));
            }"""
        )
    assert set(wide) == {0} and set(rest) == {-1}
