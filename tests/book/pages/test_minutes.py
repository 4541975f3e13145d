"""The minutes at the head of a notebook: what counts, how much, and that a wrong number is noticed."""

import pytest

from book.course import load, notebooks, number, source
from book.pages import minutes
from optcore.grading.catalogue import exercises
from optcore.widgets.quiz import load_quiz

WORDS = " ".join(["word"] * 200)


def text(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, html: str = "", tags: tuple[str, ...] = ()) -> dict:
    outputs = [{"output_type": "display_data", "data": {"text/html": html}}] if html else []
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": outputs}


@pytest.mark.parametrize(
    "cells, time",
    [
        ([text(WORDS)], 1),
        ([text(f"```python\n{WORDS}\n```\n\n{WORDS}")], 1),
        ([text(f"{WORDS}"), text("$$" + "x " * 100 + "$$ " + "[a](b.ipynb) " * 100)], 2),
        ([text("# One"), code(WORDS)], 1),
        ([text("# One"), code(WORDS, tags=("setup",)), code('oc.quiz("1.1")', "data-oc="), code("claims.table()")], 0),
        ([text("> **Predict.** How far?"), code("print(1)")], 2),
        ([text("1. Move it.\n2. Stop it."), code("oc.explore()", "data-oc=")], 4),
        ([text("1. Move it.\n2. Stop it."), code("print(1)", "<table>")], 1),
    ],
)
def test_what_counts(cells, time):
    assert minutes.minutes({"cells": cells}) == pytest.approx(time, abs=0.06)


def test_exercises_and_questions_of_the_quiz_take_time():
    found = minutes.times()
    assert list(found) == notebooks() and len(found) > 30
    seen = 0
    for path, (alone, everything) in found.items():
        assert alone % 5 == everything % 5 == 0 and abs(alone - minutes.minutes(load(path))) <= 2.5
        told = [exercise for exercise in exercises() if exercise.notebook == number(path)]
        assert abs(everything - alone - 10 * len(told) - len(load_quiz(number(path)))) <= 5, "both are rounded to 5"
        assert everything - alone > 20 or len(told) < 2, "a quiz and two exercises"
        seen += len(told) >= 2
    assert seen > 30


def test_canary_a_wrong_number_is_noticed_and_what_follows_it_stays():
    line = "# One\n\n**Time:** {} minutes, {} with the exercises, and an afternoon.\n"
    nb = {"cells": [text(line.format(45, 80))]}
    assert minutes.written(nb, (45, 80)) is None
    for wrong in ((40, 80), (45, 85)):
        (cell,) = minutes.written(nb, wrong)["cells"]
        assert source(cell) == line.format(*wrong)
    with pytest.raises(ValueError, match="needs a line"):
        minutes.written({"cells": [text("# One")]}, (45, 80))
