"""The page "Which optimizer when": every line cites a section of a notebook, its numbers stand in that table."""

import re

import pytest

from book.course import ROOT, load, source, text_outputs
from book.pages import concepts
from tests.prose import numbers, unstated

TEXT = (ROOT / "which-optimizer-when.md").read_text(encoding="utf-8")
LINES = [row for row in TEXT.splitlines() if re.match(r"\| (?!situation|question)", row)]
LINK = re.compile(r"\]\((chapters/[\w./-]+\.ipynb)#([\w-]+)\)")


def table_of(path: str) -> str:
    """The table of a notebook's claims, as text."""
    cells = load(ROOT / path)["cells"]
    return "".join(text_outputs(c) for c in cells if c["cell_type"] == "code" and "claims.table()" in source(c))


def test_there_are_lines():
    assert len(LINES) >= 20


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_every_line_cites_a_measurement(line):
    links = LINK.findall(line)
    assert links
    for path, anchor in links:
        assert anchor in concepts.headings(ROOT / path).values(), f"{path} has no #{anchor}"
    assert unstated(line, "\n".join(table_of(path) for path, _ in links)) == []


def test_canary_a_number_that_no_notebook_states():
    line = LINES[0].replace("691", "692")
    path, _ = LINK.findall(line)[0]
    assert [str(x) for x in unstated(line, table_of(path))] == ["692"]
    assert numbers(table_of(path))
