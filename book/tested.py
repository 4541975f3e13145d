"""Write what-is-tested.md: the tests by file, and each page of the built site as a browser meets it.

    make tested
"""

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from run_notebooks import ROOT, execute

sys.path.insert(0, str(ROOT))

from tests.course import pages  # noqa: E402
from tests.site.browser import axe, chromium, opened, served, weight  # noqa: E402
from tests.site.widgets import answer_quizzes, exercise_widgets  # noqa: E402

SITE = ROOT / "_build" / "html"
TEXT = """# What is tested

`make test` runs {count} tests; it fails when a browser is missing and `OC_REQUIRE_BROWSER` is set. This page is written
by `book/tested.py` from one run on one machine.

## Tests

| file | tests | what it holds |
|---|---:|---|
{files}

Not tested: Colab and Binder themselves, Firefox and Safari, screen readers, printing.

## Pages

Each page in headless Chromium with the network blocked.

- *kB*: everything the page loads, gzipped.
- *requests*: all of them, and those that leave the site.
- *axe*: rules of WCAG 2.2 A and AA that axe-core finds broken, in light mode and, for contrast, in dark mode.
- *controls*: those that change the drawing and the status line of their widget, of all.
- *answers*: quiz answers that are judged and explained, of all.
- *seconds*: to execute the notebook.

| page | kB | requests | axe | controls | answers | seconds |
|---|---:|---:|---:|---:|---:|---:|
{pages}
"""


def test_rows() -> tuple[int, str]:
    """The number of tests, and a table row for each test file."""
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "tests", "--collect-only", "-q"], cwd=ROOT, capture_output=True, text=True
    )
    counts = Counter(line.split("::")[0] for line in collected.stdout.splitlines() if "::" in line)
    rows = []
    for name, count in sorted(counts.items()):
        doc = ast.get_docstring(ast.parse((ROOT / name).read_text(encoding="utf-8"))) or ""
        first = " ".join(doc.split("\n\n")[0].split())
        rows.append(f"| `{name.removeprefix('tests/')}` | {count} | {first} |")
    return counts.total(), "\n".join(rows)


def share(count: int, faulty: int) -> str:
    """How many of so many are right."""
    return f"{count - faulty} of {count}" if count else ""


def page_row(browser, base: str, name: str) -> str:
    """One page's row."""
    with opened(browser, f"{base}/{name}.html") as (page, record):
        title = page.title().split(" — ")[0]
        kilobytes = weight(page, record, base, SITE) / 1000
        asked, left = len(record.requests), len(record.external(base))
        broken = len(axe(page))
        page.emulate_media(color_scheme="dark")
        broken += len(axe(page, "color-contrast"))
        page.emulate_media(color_scheme="light")
        widgets, quizzes = exercise_widgets(page), answer_quizzes(page)
    alive = share(sum(w.controls for w in widgets), sum(len(w.dead) for w in widgets))
    explained = share(sum(q["answers"] for q in quizzes), sum(len(q["faults"]) for q in quizzes))
    notebook = ROOT / f"{name}.ipynb"
    source = f"{name}.ipynb" if notebook.is_file() else f"{name}.md"
    seconds = f"{execute(notebook)[1]:.0f}" if name.startswith("chapters/") else ""
    figures = [f"{kilobytes:.0f}", f"{asked}, {left}", str(broken), alive, explained, seconds]
    return f"| {' | '.join([f'[{title}]({source})', *figures])} |"


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    count, files = test_rows()
    rows = []
    with served(SITE) as base, chromium() as browser:
        for name in pages():
            if Path(name).name != "what-is-tested":
                rows.append(page_row(browser, base, name))
                print(rows[-1], flush=True)
    text = TEXT.format(count=count, files=files, pages="\n".join(rows))
    (ROOT / "what-is-tested.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
