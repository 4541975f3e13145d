"""How long a notebook takes, by one measure for all: the line "**Time:**" of each, and the sentence in intro.md.

Prose is read at 200 words a minute, a formula as the words that it is written in; listings and outputs count as none. A
cell of code takes a minute, its run included (a whole notebook runs in 20 seconds), a Predict box 1, a question to an
instrument 2, one of the quiz 1, an exercise 10. The cells that every page has (set-up, quiz, table) do not count.
"""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

from book.course import ROOT, html_outputs, load, notebooks, number, source, stored
from optcore.grading.catalogue import exercises
from optcore.widgets.quiz import load_quiz

WORDS_A_MINUTE = 200
CELL, PREDICTION, INSTRUMENT_QUESTION, QUIZ_QUESTION, EXERCISE = 1, 1, 2, 1, 10

_NOT_PROSE = re.compile(r"^```.*?^```$|</?[a-z][^<>]*>|(?<=\])\([^)\s]*\)", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^\*\*Time:\*\* \d+ minutes(?:, \d+ with the exercises)?", re.MULTILINE)
_SENTENCE = re.compile(r"^A notebook takes \d+ to \d+ minutes, with its quiz and exercises \d+ to \d+", re.MULTILINE)


def words(text: str) -> int:
    """The words of a Markdown text: those of a link are its text, those of a listing are none.

    >>> words("The [*step*](a.ipynb#b) is $-\\\\eta g$, <b>short</b>.\\n\\n```python\\nprint(1)\\n```\\n")
    6
    """
    return sum(bool(re.search(r"\w", word)) for word in _NOT_PROSE.sub(" ", text).split())


def minutes(nb: dict) -> float:
    """The minutes for a notebook without its quiz and exercises."""
    cells = nb["cells"]
    prose = "\n\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    time = words(prose) / WORDS_A_MINUTE + PREDICTION * len(re.findall(r"^> \*\*Predict\.", prose, re.MULTILINE))
    for before, cell in pairwise(cells):
        common = "setup" in cell["metadata"].get("tags", []) or re.match(r"oc\.quiz|claims\.table", source(cell))
        if cell["cell_type"] == "code" and not common:
            asked = len(re.findall(r"^\d+\. ", source(before), re.MULTILINE)) if "data-oc=" in html_outputs(cell) else 0
            time += INSTRUMENT_QUESTION * asked or CELL
    return time


def times() -> dict[Path, tuple[int, int]]:
    """For each notebook its minutes, without and with quiz and exercises, in steps of 5."""
    given = Counter(exercise.notebook for exercise in exercises())
    found = {}
    for path in notebooks():
        alone = minutes(load(path))
        more = QUIZ_QUESTION * len(load_quiz(number(path))) + EXERCISE * given[number(path)]
        found[path] = 5 * round(alone / 5), 5 * round((alone + more) / 5)
    return found


def written(nb: dict, time: tuple[int, int], name: str = "") -> dict | None:
    """The notebook with this time in its first cell, or None where it is right already."""
    before = source(nb["cells"][0])
    after, lines = LINE.subn(f"**Time:** {time[0]} minutes, {time[1]} with the exercises", before)
    if lines != 1:
        raise ValueError(f"{name}: its first cell needs a line '**Time:** 50 minutes.', with any number.")
    first = {**nb["cells"][0], "source": after.splitlines(keepends=True)}
    return None if after == before else {**nb, "cells": [first, *nb["cells"][1:]]}


def stale() -> dict[Path, str]:
    """The notebooks, and intro.md, whose minutes are out of date, as they should be written."""
    found, page = times(), ROOT / "intro.md"
    files = {path: stored(nb) for path, time in found.items() if (nb := written(load(path), time, path.name))}
    alone, whole = zip(*found.values(), strict=True)
    takes = f"A notebook takes {min(alone)} to {max(alone)} minutes"
    before = page.read_text(encoding="utf-8")
    after = _SENTENCE.sub(f"{takes}, with its quiz and exercises {min(whole)} to {max(whole)}", before)
    return files if after == before else {**files, page: after}
