"""Every notebook gives the stored outputs again, in time, and is made the way notebooks of this course are made."""

import json
import re

import pytest

from book.commands import run_notebooks
from book.course import GALLERY, ROOT, html_outputs, load, notebooks, number, pages, source, text_outputs
from book.pages import minutes
from optcore.widgets.base import page_source
from tests.prose import numbers, unstated
from tests.strict import another_processor, nbval

NOTEBOOKS = notebooks()
PICTURE_BYTES = 40_000
LOCAL_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|tmp|work|private|var)/|[A-Z]:\\\\Users")
TAGS = {"setup", "hide-cell", "hide-input", "hide-output", "nbval-ignore-output"}
HEADINGS = ("What you will be able to do", "In PyTorch", "Exercise", "Numbers on this page", "Further reading")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
each_run = pytest.mark.parametrize("path", [*NOTEBOOKS, GALLERY], ids=lambda path: f"{path.parent.name}/{path.stem}")


def code_cells(nb: dict) -> list[dict]:
    return [cell for cell in nb["cells"] if cell["cell_type"] == "code"]


def markdown(nb: dict) -> list[str]:
    return [source(cell) for cell in nb["cells"] if cell["cell_type"] == "markdown"]


def test_the_book_lists_every_notebook():
    listed = {path.relative_to(ROOT) for path in NOTEBOOKS}
    stored = {path.relative_to(ROOT) for path in (ROOT / "chapters").glob("*/*.ipynb")}
    assert listed == stored and listed
    assert len(pages()) == len(set(pages()))


@each_run
def test_a_run_on_another_processor_gives_the_stored_outputs(path):
    """A fresh run that computes as no machine does of its own accord: whichever stored the outputs, this is another.

    One run then shows both: that the outputs are what the code gives, and that they do not hang on the processor.
    `make processors` tries more of them.
    """
    cells = [cell for cell in code_cells(load(path)) if source(cell).strip()]
    done = nbval(path, another_processor())
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"{len(cells)} passed" in done.stdout, done.stdout[-500:]


# ---- how a notebook is made ---------------------------------------------------------------------------------


@each_notebook
def test_it_has_the_parts_of_a_lesson(path):
    nb = load(path)
    text, code = "\n".join(markdown(nb)), "\n".join(source(cell) for cell in code_cells(nb))
    assert source(nb["cells"][0]).startswith("# ")
    missing = [h for h in HEADINGS if not re.search(rf"^#+ {h}", text, re.MULTILINE)]
    missing += [] if f'oc.quiz("{number(path)}")' in code else ["quiz"]
    missing += [] if "claims.table()" in code else ["table of claims"]
    missing += [] if f"(../../exercises/{path.parent.name}.ipynb" in text else ["link to the exercises"]
    missing += [] if "Predict" in text else ["a question to answer before running"]
    assert not missing


@each_notebook
def test_it_asks_derives_line_by_line_and_answers(path):
    """The question first, then its picture; a derivation of folded lines, each held by numbers; an answer with one."""
    nb = load(path)
    cells, text = nb["cells"], "\n".join(markdown(nb))
    assert re.match(r"# .+\n\n> \*\*The question\.\*\* .{40,}", source(cells[0])), (
        "the question comes before all other text"
    )
    show = [k for k, cell in enumerate(cells) if k in figures(cells) or "data-oc=" in html_outputs(cell)]
    assert show and show[0] <= 4, "a picture that poses it stands before the first section"
    [lines] = re.findall(r"^#+ Line by line: .*\n([\s\S]*?)(?=^#|\Z)", text, re.MULTILINE)
    folds = re.findall(r"<summary>(\d+)\. .+</summary>", lines)
    tables = "\n".join(text_outputs(cell) for cell in cells if "claims.table()" in source(cell))
    held = re.findall(r"^line (\d+), ", tables, re.MULTILINE)
    assert len(folds) >= 4 and folds == [str(k + 1) for k in range(len(folds))] == held
    starts = [k for k, cell in enumerate(cells) if re.search(r"^## The answer$", source(cell), re.MULTILINE)]
    ends = [k for k, cell in enumerate(cells) if re.search(r"^## In PyTorch", source(cell), re.MULTILINE)]
    assert len(starts) == len(ends) == 1 and [k for k in show if starts[0] < k <= ends[0]], "the answer has no picture"


@each_notebook
def test_every_number_in_its_prose_is_in_its_table(path):
    """But for its minutes, which `make sync` counts."""
    nb = load(path)
    prose = minutes.LINE.sub("", "\n\n".join(markdown(nb)).split("\n## Further reading")[0])
    tables = [text_outputs(cell) for cell in code_cells(nb) if "claims.table()" in source(cell)]
    assert len(tables) == 1 and "as stated" in tables[0]
    assert not [str(x) for x in unstated(prose, tables[0])]


@each_notebook
def test_its_cells_are_in_order(path):
    nb = load(path)
    problems = []
    for place, cell in enumerate(nb["cells"]):
        lines, where = source(cell).splitlines(), f"cell {place}: {source(cell)[:50]!r}"
        if cell["cell_type"] == "code":
            outputs = cell["outputs"]
            tags = set(cell["metadata"].get("tags", []))
            pictures = [o for o in outputs if "image/png" in o.get("data", {})]
            alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
            problems += [f"{where} has {len(lines)} lines"] if len(lines) > 25 else []
            problems += [f"{where} has tags {tags - TAGS}"] if tags - TAGS else []
            missing = "its figure has no alternative text (the cell's metadata: mystnb.image.alt)"
            problems += [f"{where}: {missing}"] if pictures and len(alt) < 20 else []
            sizes = [len(o["data"]["image/png"]) * 3 // 4 for o in pictures]
            problems += [f"{where}: its figure has {max(sizes)} bytes"] if max(sizes, default=0) > PICTURE_BYTES else []
            problems += [f"{where} wrote an error"] if any(
                o["output_type"] == "error" or o.get("name") == "stderr" for o in outputs
            ) else []  # fmt: skip
        if LOCAL_PATH.search(source(cell) + text_outputs(cell)):
            problems.append(f"{where} names a local path")
        if re.search(r" at 0x[0-9a-f]+>", text_outputs(cell)):
            problems.append(f"{where} shows an address in memory: end its last line with a semicolon")
    assert not problems
    counts = [cell["execution_count"] for cell in code_cells(nb) if source(cell).strip()]
    assert counts == list(range(1, len(counts) + 1)), "run it from the top: make run"


def figures(cells: list[dict]) -> list[int]:
    return [k for k, cell in enumerate(cells) if any("image/png" in o.get("data", {}) for o in cell.get("outputs", []))]


def test_the_notebooks_have_figures():
    assert sum(len(figures(load(path)["cells"])) for path in notebooks()) > 60


@each_notebook
def test_a_sentence_under_each_figure_says_what_to_see(path):
    """The text that follows a figure begins with a sentence, not with a heading or a box."""
    cells = load(path)["cells"]
    after = [next(source(cell) for cell in cells[k:] if cell["cell_type"] == "markdown") for k in figures(cells)]
    assert not [text[:50] for text in after if text.startswith(("#", ">", "<", "|", "-"))]


@each_run
def test_its_widgets_carry_the_current_scripts(path):
    for cell in code_cells(load(path)):
        for output in cell["outputs"]:
            stored = "".join(output.get("data", {}).get("text/html", ""))
            for name in re.findall(r'data-oc="([\w-]+)"', stored):
                current = page_source("common.js") + page_source(f"{name}.js").split("export default")[0]
                assert current in stored, f"{name}: stored before its script changed; make run stores it afresh"


def test_exercises_are_stored_without_outputs():
    paths = notebooks("exercises")
    assert paths and not [path.name for path in paths if any(cell["outputs"] for cell in code_cells(load(path)))]


# ---- the checks can fail ------------------------------------------------------------------------------------


def test_canary_a_wrong_number_and_a_failing_cell_are_noticed_and_a_semicolon_silences(tmp_path):
    """Four cells in one run: the stored number, no result behind a semicolon, another number, an error."""
    number = "print(f'{99/101:.6f}')"
    cells = []
    for text, stored in ((number, "0.980198\n"), ("1 + 1;", ""), (number, "0.980199\n"), ("assert False", "")):
        outputs = [{"output_type": "stream", "name": "stdout", "text": stored}] if stored else []
        cell = {"cell_type": "code", "id": f"cell-{len(cells)}", "metadata": {}, "source": text}
        cells.append(cell | {"execution_count": len(cells) + 1, "outputs": outputs})
    path = tmp_path / "four.ipynb"
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": cells, "metadata": run_notebooks.METADATA})
    )
    done = nbval(path)
    assert done.returncode == 1 and "2 failed, 2 passed" in done.stdout, done.stdout
    assert re.findall(r"^_+ \S+::(Cell \d) _+$", done.stdout, re.MULTILINE) == ["Cell 2", "Cell 3"]
    assert "0.980199" in done.stdout and "AssertionError" in done.stdout


def test_canary_a_number_without_a_claim_is_noticed():
    table = "claim   stated    measured\nfactor  0.980198  0.980198\n1 numbers, all as stated"
    assert unstated("The factor is 0.980198, in 98.0198 % of 2 cases.", table) == []
    assert [str(x) for x in unstated("It takes 691 steps at 0.980198.", table)] == ["691"]


@pytest.mark.parametrize(
    "text, found",
    [
        ("100 runs, 1500 steps, 640 weights, 0.05, in 1986", []),
        ("$99/101 = 0.980198$ and 691", ["0.980198", "691"]),
        (r"$4.32 \cdot 10^{-5}$, 1.25e3, 7.81 · 10⁻³", ["0.0000432", "1.25E+3", "0.00781"]),
        ("`x = 123.4` [text](a-123.ipynb) [Ba (2016)](b.md#ba2016abc123) v1.234x", []),
        ("1,797 digits", ["1797"]),
    ],
)
def test_numbers_of_a_text(text, found):
    assert [str(x) for x in numbers(text, 3)] == found
