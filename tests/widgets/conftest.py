"""Pages made of stored widget HTML, opened in a real browser with the network blocked."""

from pathlib import Path

import pytest


@pytest.fixture
def open_page(browser, tmp_path):
    """`open_page(widget, …, width=…, dark=…)`: a page that holds the widgets, its errors and requests watched."""
    pages = []

    def open_(*widgets, width=1000, dark=False, touch=False, reduced=False, hash="", body=None):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            has_touch=touch,
            reduced_motion="reduce" if reduced else "no-preference",
            offline=True,
        )
        page = context.new_page()
        page.errors, page.outside = [], []
        page.on("pageerror", lambda e: page.errors.append(str(e)))
        page.on("console", lambda m: page.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("request", lambda r: page.outside.append(r.url) if r.url.startswith("http") else None)
        html = body if body is not None else "\n".join(w.html() for w in widgets)
        file = Path(tmp_path) / f"page{len(pages)}.html"
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
        pages.append((context, page))
        return page

    yield open_
    for context, page in pages:
        assert page.errors == []
        assert page.outside == []
        context.close()
