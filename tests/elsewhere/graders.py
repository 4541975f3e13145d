"""Run by `make graders`: exercises in nbgrader itself, and hand-ins as otter-grader packs them.

Both live in an environment of their own (.venv-graders), in which this course is installed from its folder.
"""

import csv
import json
import os
import subprocess

import pytest

from book.course import ROOT
from optcore.grading import classroom, exports
from optcore.grading.catalogue import chapter

BIN = ROOT / ".venv-graders" / "bin"
CHAPTER = "gradient-descent"
LIAR = """
class T:
    voice, text = "Correct", ""
    def __bool__(self):
        return True
oc.check = lambda *what: T()
"""


def command(*words, where):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONSAFEPATH": "1"}
    done = subprocess.run([*map(str, words)], cwd=where, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def completed(notebook, code):
    """The notebook with `code(exercise)` in the cells that a reader completes."""
    made = json.loads(json.dumps(notebook))
    cells = [cell for cell in made["cells"] if "exercise" in cell["metadata"].get("tags", ())]
    assert len(cells) == len(chapter(CHAPTER)) > 10
    for cell, exercise in zip(cells, chapter(CHAPTER), strict=True):
        cell["source"] = code(exercise)
    return made


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """What nbgrader gives three students: source, release, submitted, autograded, exported."""
    course = tmp_path_factory.mktemp("course")
    exports.nbgrader(course, [CHAPTER])
    root = f"--CourseDirectory.root={course}"
    command("nbgrader", "generate_assignment", CHAPTER, root, where=course)
    (release,) = (course / "release" / CHAPTER).glob("*.ipynb")
    hand_ins = {
        "anna": lambda exercise: exercise.solution,
        "ben": lambda exercise: exercise.stub,
        "eve": lambda exercise: exercise.stub + LIAR,
    }
    for student, code in hand_ins.items():
        path = course / "submitted" / student / CHAPTER / release.name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(completed(json.loads(release.read_text()), code)))
    command("nbgrader", "autograde", CHAPTER, root, where=course)
    command("nbgrader", "export", f"--to={course}/grades.csv", root, where=course)
    with (course / "grades.csv").open(newline="") as file:
        return {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}


def test_nbgrader_gives_what_each_student_earned(points):
    whole = float(len(chapter(CHAPTER)))
    assert points == {"anna": (whole, whole), "ben": (0, whole), "eve": (0, whole)}


def test_a_hand_in_that_otter_packed_is_graded(tmp_path):
    """A notebook made for otter, run and exported by otter itself, whose zip is then what the student hands in."""
    solutions = {exercise.name: exercise.solution for exercise in chapter(CHAPTER)[:2]}
    sources = [
        "# Initialize Otter\nimport otter\ngrader = otter.Notebook('work.ipynb', tests_dir='tests')",
        "import numpy as np\nimport optcore as oc",
        *solutions.values(),
        "grader.check('q1')",
    ]
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, "id": f"c{i}"}
        for i, source in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (tmp_path / "work.ipynb").write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells})
    )
    (tmp_path / "tests").mkdir()
    case = {"code": ">>> callable(gradient_descent)\nTrue", "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    (tmp_path / "tests" / "q1.py").write_text(f"test = {dict(name='q1', points=1, suites=[suite])!r}")
    script = (
        "import otter, shutil; grader = otter.Notebook('work.ipynb', tests_dir='tests'); "
        "grader.export('work.ipynb', pdf=False, run_tests=False, export_path='anna.zip', force_save=False)"
    )
    command("python", "-c", script, where=tmp_path)
    (tmp_path / "class").mkdir()
    (tmp_path / "anna.zip").rename(tmp_path / "class" / "anna.zip")
    ids = [exercise.id for exercise in chapter(CHAPTER)[:2]]
    (anna,) = classroom.grade_class(tmp_path / "class", "s", tmp_path / "j.jsonl", only=ids, quiet=True)
    assert (anna.student, anna.points) == ("anna", 2), anna.notes
    assert any("No module named 'otter'" in note for note in anna.notes)
