"""Run every cell of every page in the page's own Python, and compare what it prints with what is stored.

    make pages-run        (PAGES="chapters/4-adaptive-methods/2-adam gallery" for some)

Prints a line for each page: seconds, cells, and what is wrong. Cells tagged `nbval-ignore-output` measure time. What
came out is kept in run_pages.json beside this file, from which the page "What is tested" is written.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import TimeoutError

from book.browser import chromium, require_browser, served
from book.course import GALLERY, SITE, docname, notebooks, require_site

LAST = Path(__file__).with_suffix(".json")
PATIENCE = 1_200_000  # ms, for one cell
END = re.compile("have run|has run| in cell |could not|cannot|memory|too old")
TEXTS = """cells => cells.map(cell => [
    ...[...cell.querySelectorAll(".output.stream pre")].map(pre => pre.textContent.trim()),
    `${cell.querySelectorAll(".cell_output > img, .output > img").length} figures, ${
    cell.querySelectorAll(".output.text_html").length} tables and widgets`].join("\\n"))"""
IGNORED = "cells => cells.map(cell => cell.matches('.tag_nbval-ignore-output'))"


def pages() -> list[str]:
    """The pages whose cells can be run, as paths without a suffix."""
    return [docname(path) for path in [*notebooks(), GALLERY]]


def differences(stored: list[str], fresh: list[str], ignored: list[bool]) -> Iterator[str]:
    """Which cells show something else than what is stored; those that measure time are ignored."""
    for at, (old, new, free) in enumerate(zip(stored, fresh, ignored, strict=True), 1):
        if old != new and not free:
            yield f"cell {at} shows\n{new}\ninstead of\n{old}"


def ended(page) -> str:
    """What the foot of the page says at the end; a page may take as long as it tells of another cell now and then."""
    status, said = "document.querySelector('.oc-python [role=status]')?.textContent ?? ''", ""
    while not END.search(said):
        try:
            page.wait_for_function(f"old => ({status}) !== old", arg=said, timeout=PATIENCE)
        except TimeoutError:
            return f"{said} And nothing more for {PATIENCE / 60_000:.0f} minutes."
        said = page.evaluate(status)
    return said


def run_page(page) -> tuple[int, list[str]]:
    """Press Run all on an open page, wait, and compare: (cells that were run, what is wrong)."""
    stored = page.eval_on_selector_all("div.cell:has(.cell_input)", TEXTS)
    ignored = page.eval_on_selector_all("div.cell:has(.cell_input)", IGNORED)
    page.evaluate("document.querySelector('.oc-cell-bar [aria-label=\"Run all cells\"]').click()")
    said = ended(page)
    fresh = page.eval_on_selector_all("div.cell:has(.cell_input)", TEXTS)
    wrong = [] if said == f"{len(stored)} cells have run." else [said]
    wrong += page.eval_on_selector_all(".oc-python-error", "all => all.map(one => one.textContent.trim())")
    return len(stored), wrong or list(differences(stored, fresh, ignored))


def run(names: list[str]) -> Iterator[tuple[str, float, int, list[str]]]:
    """(page, seconds from the request, cells, what is wrong) for each page of the built site."""
    with chromium() as browser, served(SITE) as address:
        for name in names:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(f"{address}/{name}.html", wait_until="load")
            page.keyboard.press("Shift")
            begin = time.perf_counter()
            cells, wrong = run_page(page)
            yield name, time.perf_counter() - begin, cells, wrong
            context.close()


def last() -> dict[str, dict]:
    """Page -> {"seconds", "cells", "wrong"} of the time that it was last run."""
    return json.loads(LAST.read_text(encoding="utf-8")) if LAST.is_file() else {}


def keep(name: str, seconds: float, cells: int, wrong: list[str]) -> None:
    """Store what came out of one page, in the order of the book."""
    results = last() | {name: {"seconds": round(seconds, 1), "cells": cells, "wrong": wrong}}
    ordered = {name: results[name] for name in pages() if name in results}
    LAST.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(names: list[str]) -> int:
    require_browser()
    require_site()
    failed = 0
    for name, seconds, cells, wrong in run(names or pages()):
        print(f"{seconds:6.1f} s  {cells:3d} cells  {name}", *wrong, sep="\n         ", flush=True)
        keep(name, seconds, cells, wrong)
        failed += bool(wrong)
    print(f"{failed} pages differ" if failed else "every page runs, and prints what is stored")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
