"""Write what-is-tested.md: the tests by file, and each page of the built site as a browser meets it.

make tested
"""

import ast
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from book.browser import axe, chromium, opened, served, show_in, weight
from book.commands import run_pages
from book.commands.lighthouse import SCORES
from book.commands.run_notebooks import execute
from book.course import ROOT, SITE, pages
from book.course import title as heading
from book.widgets import answer_quizzes, exercise_widgets

TEXT = """# What is tested

`make test` runs {count} tests. It skips {peers} that compare with PyTorch, JAX and optax, where these are missing;
`make peers` runs them. Without a browser or bubblewrap it skips the tests that need it, and says so; with
`OC_REQUIRE_BROWSER` and `OC_REQUIRE_BUBBLEWRAP` set it fails instead. This page is written by `make tested` from one
run on one machine.

## Tests

| file | tests | what it holds |
|---|---:|---|
{files}

Run by themselves: `make firefox` (every control and answer in Firefox, a notebook run in its page, an exercise done),
`make labs` (a notebook of each chapter in JupyterLab, with two versions of anywidget, and the gallery in Notebook 7),
`make colab` and `make oldest` (old versions), `make processors` (the notebooks as other processors compute),
`make pages-run` (below).
Not tested: Colab and Binder themselves, Safari, screen readers.

## Changes to the code

`make mutants` changes the code in one place at a time, another operator, number or comparison, and runs the tests of
that module. A fresh sample finds gaps; of the last one, now that they have tests, {mutants}

## Notebooks run in their pages

`make pages-run` opens each page in Chromium with the network blocked, presses *Run all*, and compares every text,
figure and table with what is stored. *Seconds* are those from the press, Python's start included, while other programs
were at work. {run_sum}

| page | cells | seconds | differs |
|---|---:|---:|---:|
{run_rows}

## Pages

Each page in headless Chromium with the network blocked.

- *kB*: everything the page loads, gzipped.
- *requests*: all of them, and those that leave the site.
- *axe*: rules of WCAG 2.2 A and AA that axe-core finds broken, in light mode and, for contrast, in dark mode.
- *controls*: those that change the drawing and the status line of their widget, of all.
- *answers*: quiz answers that are judged and explained, of all.
- *seconds*: to execute the notebook, one thread, while the other core is at work too.
- *Lighthouse*: performance, accessibility, best practices, SEO, of 100 each, as on a phone with a slow line; the median
  of three runs by `make lighthouse`, which looks at six pages.

| page | kB | requests | axe | controls | answers | seconds | Lighthouse |
|---|---:|---:|---:|---:|---:|---:|---|
{pages}

{sums}
"""
MUTANTS = ROOT / "tests" / "mutation" / "last.json"
SUMS = """{pages} pages, the heaviest of {heaviest} kB; {external} requests left the site; axe found {axe} broken rules;
{alive} controls and {explained} answers did what they should; the notebooks took {seconds} seconds."""


def collected(*options: str) -> list[str]:
    """The tests that `make test` runs, or those of them that options of pytest select."""
    collect = [sys.executable, "-m", "pytest", "--doctest-modules", "tests", "optcore", "book", "--collect-only", "-q"]
    done = subprocess.run([*collect, *options], cwd=ROOT, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_rows() -> tuple[int, int, str]:
    """The number of tests, how many need other libraries, and a table row for each test file."""
    counts = Counter(line.split("::")[0] for line in collected())
    examples = sum(count for name, count in counts.items() if not name.startswith("tests/"))
    rows = [f"| docstrings | {examples} | The examples in the documentation of `optcore` and of the book's programs. |"]
    for name, count in sorted((name, count) for name, count in counts.items() if name.startswith("tests/")):
        doc = ast.get_docstring(ast.parse((ROOT / name).read_text(encoding="utf-8"))) or ""
        first = " ".join(doc.split("\n\n")[0].split())
        rows.append(f"| `{name.removeprefix('tests/')}` | {count} | {first} |")
    return counts.total(), len(collected("-m", "peers")), "\n".join(rows)


def mutation() -> str:
    """What came of the last sample of changes, and those that no test has noticed."""
    last = json.loads(MUTANTS.read_text(encoding="utf-8"))
    parts = {
        "in Python": [pair for file, pair in last["files"].items() if file.endswith(".py")],
        "in the widgets' scripts": [pair for file, pair in last["files"].items() if file.endswith(".js")],
    }
    scores = [f"{sum(p[0] for p in pairs)} of {sum(p[1] for p in pairs)} {where}" for where, pairs in parts.items()]
    left = "".join(f"\n- ``{name}``" for name in last["survivors"])
    return f"{' and '.join(scores)} were noticed. {f'Not noticed:{chr(10)}{left}' if left else ''}"


def run_in_pages() -> tuple[str, str]:
    """What came of running the notebooks in their pages: one sentence, and a row for each."""
    results = run_pages.last()
    rows = []
    for name, one in results.items():
        cells = [f"[{heading(ROOT / f'{name}.ipynb')}]({name}.ipynb)", str(one["cells"]), f"{one['seconds']:.0f}"]
        rows.append(f"| {' | '.join(cells)} | {len(one['wrong']) or ''} |")
    differ = sum(bool(one["wrong"]) for one in results.values())
    cells, seconds = (sum(one[key] for one in results.values()) for key in ("cells", "seconds"))
    count = f"{len(results)} of {len(run_pages.pages())} pages were run, {cells} cells in {seconds / 60:.0f} minutes"
    return f"{count}; {differ or 'none'} differed.", "\n".join(rows)


def share(count: int, faulty: int) -> str:
    """How many of so many are right."""
    return f"{count - faulty} of {count}" if count else ""


@dataclass
class Measured:
    """One page of the built site, measured."""

    name: str
    title: str
    kilobytes: float
    requests: int
    external: int
    axe: int
    controls: int
    dead: int
    answers: int
    faults: int
    seconds: float | None = None
    lighthouse: str = ""

    def row(self) -> str:
        """A line of the table."""
        source = f"{self.name}.ipynb" if (ROOT / f"{self.name}.ipynb").is_file() else f"{self.name}.md"
        cells = [
            f"[{self.title}]({source})",
            f"{self.kilobytes:.0f}",
            f"{self.requests}, {self.external}",
            str(self.axe),
            share(self.controls, self.dead),
            share(self.answers, self.faults),
            "" if self.seconds is None else f"{self.seconds:.0f}",
            self.lighthouse,
        ]
        return f"| {' | '.join(cells)} |"


def measure(browser, base: str, name: str) -> Measured:
    """Open a page as a reader does, and try all that is on it."""
    with opened(browser, f"{base}/{name}.html") as (page, record):
        page.wait_for_load_state("networkidle")
        title = page.title().split(" — ")[0]
        kilobytes = weight(page, record, base, SITE) / 1000
        asked, left = len(record.requests), len(record.external(base))
        broken = len(axe(page))
        show_in(page, "dark")
        broken += len(axe(page, contrast_only=True))
        show_in(page, "light")
        widgets, quizzes = exercise_widgets(page), answer_quizzes(page)
    return Measured(
        name,
        title,
        kilobytes,
        asked,
        left,
        broken,
        controls=sum(widget.controls for widget in widgets),
        dead=sum(len(widget.dead) for widget in widgets),
        answers=sum(quiz["answers"] for quiz in quizzes),
        faults=sum(len(quiz["faults"]) for quiz in quizzes),
    )


def lighthouse_scores() -> dict[str, str]:
    """What `make lighthouse` left, by page; the root page stands for the first one."""
    if not SCORES.is_file():
        return {}
    scores = json.loads(SCORES.read_text(encoding="utf-8"))
    names = {"index": pages()[0]}
    return {names.get(name, name): ", ".join(map(str, four.values())) for name, four in scores.items()}


def sums(measured: list[Measured]) -> str:
    """All pages in one sentence."""
    return SUMS.format(
        pages=len(measured),
        heaviest=f"{max(m.kilobytes for m in measured):.0f}",
        external=sum(m.external for m in measured),
        axe=sum(m.axe for m in measured),
        alive=share(sum(m.controls for m in measured), sum(m.dead for m in measured)),
        explained=share(sum(m.answers for m in measured), sum(m.faults for m in measured)),
        seconds=f"{sum(m.seconds or 0 for m in measured):.0f}",
    )


def main(names: list[str] | None = None, target: Path = ROOT / "what-is-tested.md") -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    names = names or [name for name in pages() if name != "what-is-tested"]
    scores, measured = lighthouse_scores(), []
    with ThreadPoolExecutor(1) as beside, served(SITE) as base, chromium() as browser:
        tests = beside.submit(test_rows)
        runs = {n: beside.submit(execute, ROOT / f"{n}.ipynb") for n in names if n.startswith("chapters/")}
        for name in names:
            measured.append(measure(browser, base, name))
            print(measured[-1].row(), flush=True)
        count, peers, files = tests.result()
        for page in measured:
            page.lighthouse = scores.get(page.name, "")
            page.seconds = runs[page.name].result()[1] if page.name in runs else None
    told = {"count": count, "peers": peers, "files": files, "mutants": mutation(), "sums": sums(measured)}
    told["run_sum"], told["run_rows"] = run_in_pages()
    text = TEXT.format(**told, pages="\n".join(page.row() for page in measured))
    target.write_text(text, encoding="utf-8")
    print(f"{target.name}: {sums(measured)}")


if __name__ == "__main__":
    main()
