"""The exercise notebooks, made from the catalogue: one for each chapter, with statements, stubs and checks.

`make sync` writes them.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .catalogue import CHAPTERS, chapter
from .exercise import Exercise

_SETUP = "import numpy as np\nimport optcore as oc"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3", "file_extension": ".py"},
}
_INTRO = """# Exercises: {title}

Complete the code and check it: on the course's site with *Check* below the code, in a notebook by running the code,
then the cell below it. The answer comes in one of four voices: *correct*, a *hint* that names the bug, *still missing*,
or *keep working* with a small failing case. Stuck? There are hints, one nudge after the other, with *Hint* on the site,
with `oc.hint("{example}")` in a notebook, where `oc.progress()` shows how far you are in the whole course."""
_DO = {"implement": "Implement", "measure": "Measure", "explain": "Explain by choosing", "bug hunt": "Find the bug"}


def file_name(name: str) -> str:
    """The file of a chapter's exercises.

    >>> file_name("gradient-descent")
    '3-gradient-descent.ipynb'
    """
    return f"{CHAPTERS.index(name) + 1}-{name}.ipynb"


def notebook(
    name: str,
    course: Path,
    code: Callable[[Exercise], str] = lambda exercise: exercise.stub,
    setup: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The exercises of a chapter as a notebook; `code` gives what stands in an exercise's cell."""
    title = name.replace("-", " ")
    exercises = chapter(name)
    cells = [_text(_INTRO.format(title=title, example=exercises[0].id)), setup or _code(_SETUP, "setup")]
    lesson = ""
    for exercise in exercises:
        if exercise.notebook != lesson:
            lesson = exercise.notebook
            cells.append(_text(f"## {_lesson(lesson, course)}"))
        cells += [
            _text(f"### {exercise.title}\n\n*{_DO[exercise.kind]}.* {exercise.statement}"),
            _code(code(exercise), "exercise"),
            _code(f'oc.check("{exercise.id}", {exercise.name})', "check"),
        ]
    return {
        "cells": [{**cell, "id": f"cell-{i:02d}"} for i, cell in enumerate(cells)],
        "metadata": METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def stale(folder: Path, course: Path) -> dict[Path, str]:
    """The chapters' notebooks that are missing from a folder or have changed, as they should be written.

    A notebook's set-up cell belongs to another program and stays as it is.
    """
    texts = {}
    for name in filter(chapter, CHAPTERS):
        path = folder / file_name(name)
        old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"cells": []}
        new = notebook(name, course, setup=next((cell for cell in old["cells"] if "setup" in _tags(cell)), None))
        if [_essence(cell) for cell in old["cells"]] != [_essence(cell) for cell in new["cells"]]:
            texts[path] = json.dumps(new, indent=1, ensure_ascii=False) + "\n"
    return texts


def _lesson(number: str, course: Path) -> str:
    """A link to the notebook that teaches it, with its title."""
    at, position = number.split(".")
    found = list(course.glob(f"chapters/{at}-*/{position}-*.ipynb"))
    if not found:
        return number
    heading = next(
        line
        for cell in json.loads(found[0].read_text(encoding="utf-8"))["cells"]
        for line in _source(cell).splitlines()
        if line.startswith("# ")
    )
    title = re.sub(rf"^#\s*({re.escape(number)})?\s*", "", heading)
    return f"[{number} {title}](../{found[0].relative_to(course)})"


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source: str, tag: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {"tags": [tag]},
        "source": source.splitlines(keepends=True),
        "execution_count": None,
        "outputs": [],
    }


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _tags(cell: dict[str, Any]) -> list[str]:
    return cell["metadata"].get("tags", [])


def _essence(cell: dict[str, Any]) -> tuple:
    return cell["cell_type"], _source(cell), "setup" in _tags(cell)
