"""The exercises in the page, the Sphinx side: the texts that the pages show when asked.

The notebooks of exercises stay plain; exercises.js finds the cells tagged "exercise" and "check" in their pages. What
it shows later (hints, solutions) lies in one file for each chapter, made here from the catalogue.
"""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from optcore.grading.catalogue import CHAPTERS, chapter
from optcore.grading.exercise import Exercise
from optcore.grading.notebooks import file_name
from optcore.widgets.quiz import markup

_EMPHASIS = re.compile(r"(?<![\w*])\*(\w[^*]*\w)\*(?![\w*])")


def texts(exercise: Exercise) -> dict:
    """What the page needs of an exercise when the reader asks; its statement and stub stand there already."""
    return {
        "id": exercise.id,
        "name": exercise.name,
        "hints": [_EMPHASIS.sub(r"<em>\1</em>", markup(hint)) for hint in exercise.hints],
        "solution": exercise.solution.rstrip(),
    }


def write_files(app: Sphinx) -> None:
    """A file of texts for each chapter, below _static/live."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static/live")
    (folder / "exercises").mkdir(parents=True, exist_ok=True)
    for name in filter(chapter, CHAPTERS):
        path = (folder / "exercises" / file_name(name)).with_suffix(".json")
        path.write_text(json.dumps([*map(texts, chapter(name))], ensure_ascii=False), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by extension.py."""
    app.connect("builder-inited", write_files)
