"""The page's Python without the book around it: an empty page, from which tests call python.js."""

from contextlib import contextmanager

import pytest

from book.browser import served
from book.live import lean

PATIENCE = 120_000  # ms; a test waits for Python, however slow the machine


@pytest.fixture(scope="session")
def live_files(tmp_path_factory):
    """The folder that the site serves as _static/live, with an empty page in it."""
    folder = tmp_path_factory.mktemp("live")
    lean.write_modules(folder)
    lean.write(folder)
    (folder / "index.html").write_text("<!DOCTYPE html><html lang=en><link rel=icon href='data:,'><title>empty</title>")
    return folder


@contextmanager
def bare(browser, address):
    """An empty page with python.js loaded as the global `live`; nothing of Python yet."""
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address + "/index.html")
    page.evaluate("async () => { window.live = await import('./python.js'); }")
    yield page
    assert errors == []
    context.close()


@pytest.fixture(scope="session")
def python(browser, live_files):
    """run(code, name="cell") -> {outputs, error, stopped}, in one page for all tests of a process: `.page`."""
    with served(live_files) as address, bare(browser, address) as page:
        page.evaluate("async () => { window.python = await live.start(); }")

        def run(code: str, name: str = "cell") -> dict:
            return page.evaluate("([code, name]) => python.run(code, { name })", [code, name])

        run.page = page  # type: ignore[attr-defined]
        yield run


def printed(result: dict) -> str:
    """What a run printed, which must have gone well."""
    assert "error" not in result, result["error"]["text"]
    return "".join(output.get("stream", "") for output in result["outputs"])
