"""A class that never was: `python -m optcore.grading.demo FOLDER` writes its submissions.

Each student solves some exercises, leaves some as they are, and gets some wrong: a wrong answer is the solution with
one slip in it. The report then looks like a real one, and shows which slips are named.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np

from .catalogue import CHAPTERS
from .exercise import Exercise
from .notebooks import notebook
from .slips import slips


def answer(exercise: Exercise, rng: np.random.Generator) -> str:
    """What some student writes into the exercise's cell."""
    solved, wrong = rng.random(2) < (0.6, 0.7)
    if exercise.template is ...:
        values = [m.wrong for m in exercise.misconceptions]
        value = exercise.reference if solved else values[rng.integers(len(values))]
        return exercise.stub if not (solved or wrong) else f"{exercise.name} = {value!r}"
    if solved or not wrong:
        return exercise.solution if solved else exercise.stub
    made = [slip.source for slip in slips(exercise.solution) if slip.clause]
    return made[rng.integers(len(made))]


def write_class(folder: Path, students: int, chapter: str = "gradient-descent", seed: int = 0) -> None:
    """Write a notebook per student into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(students):
        made = notebook(chapter, folder, partial(answer, rng=np.random.default_rng([seed, number])))
        (folder / f"student-{number:04d}.ipynb").write_text(json.dumps(made), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m optcore.grading.demo", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where its submissions are written")
    parser.add_argument("--students", type=int, default=200, help="how many there are (%(default)s)")
    parser.add_argument("--chapter", choices=CHAPTERS, default="gradient-descent", help="what they hand in")
    asked = parser.parse_args()
    write_class(asked.folder, asked.students, asked.chapter)


if __name__ == "__main__":
    main()
