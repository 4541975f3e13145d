"""Pages made of stored widget HTML, opened in a real browser with the network blocked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page


def new_page(browser: Browser, touch: bool) -> Page:
    """A page without a network; `errors` and `outside` list what it complains about and asks for."""
    page = browser.new_context(has_touch=touch, offline=True).new_page()
    page.on("pageerror", lambda e: page.errors.append(str(e)))
    page.on("console", lambda m: page.errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("request", lambda r: page.outside.append(r.url) if r.url.startswith("http") else None)
    return page


@pytest.fixture(scope="session")
def idle(browser) -> Iterator[dict[bool, list[Page]]]:
    """Pages that no test holds, with touch and without: a page of its own would cost a test four times as much."""
    pages = {True: [], False: []}
    yield pages
    for page in pages[True] + pages[False]:
        page.context.close()


@pytest.fixture
def open_page(browser, idle, tmp_path):
    """`open_page(widget, …, width=…, dark=…)`: a page that holds the widgets, its errors and requests watched."""
    opened = []

    def open_(*widgets, width=1000, dark=False, touch=False, reduced=False, forced=False, hash="", body=None):
        page = idle[touch].pop() if idle[touch] else new_page(browser, touch)
        opened.append((touch, page))
        page.errors, page.outside = [], []
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced else "no-preference",
            forced_colors="active" if forced else "none",
        )
        page.mouse.move(0, 0)
        html = body if body is not None else "\n".join(w.html() for w in widgets)
        file = Path(tmp_path) / f"page{len(opened)}.html"
        file.write_text(
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Widgets</title>"
            "<meta name=viewport content='width=device-width'><body style='margin:0'>"
            f"<main style='padding:8px;max-width:60rem;margin:auto'><h1>Widgets</h1>{html}</main>",
            encoding="utf-8",
        )
        page.goto(file.as_uri() + hash)
        page.wait_for_function(
            "n => [...document.querySelectorAll('.oc-widget output')].filter(o => o.textContent).length >= n",
            arg=len(widgets),
        )
        return page

    yield open_
    for touch, page in opened:
        page.mouse.up()
        page.goto("about:blank")
        idle[touch].append(page)
    assert [page.errors for _, page in opened if page.errors] == []
    assert [page.outside for _, page in opened if page.outside] == []
