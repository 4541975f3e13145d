"""What other graders are given: their formats, and a dry run of Gradescope's script."""

import json
import os
import subprocess
import sys
import zipfile

import pytest
import yaml

from book.course import ROOT
from optcore.grading import exports
from optcore.grading.__main__ import arguments
from optcore.grading.catalogue import chapter
from optcore.grading.classroom import Grade
from optcore.grading.judge import CORRECT, MISSING, Feedback
from tests.grading.adversaries import FIRST, GD, HONEST

ONE, TWO = Feedback("a/one", CORRECT, "One."), Feedback("a/two", MISSING, "Two.")
ANNA = Grade("anna", {"a/one": ONE, "a/two": TWO}, ["note"])


def test_gradescope_gets_a_test_per_exercise():
    assert exports.gradescope(ANNA) == {
        "output": "note",
        "tests": [
            {"name": "a/one", "score": 1, "max_score": 1, "status": "passed", "output": "Correct. One."},
            {"name": "a/two", "score": 0, "max_score": 1, "status": "failed", "output": "Still missing. Two."},
        ],
    }


def test_classroom_gets_what_its_reporter_adds_up():
    made = exports.classroom(ANNA)
    assert made["max_score"] == 2 and sum(test["score"] for test in made["tests"]) == 1 and made["status"] == "fail"
    assert exports.classroom(Grade("anna", {"a/one": ONE}))["status"] == "pass"


def test_only_one_student_and_a_known_format_are_exported(tmp_path):
    exports.export([ANNA], "classroom", tmp_path / "g.json")
    assert json.loads((tmp_path / "g.json").read_text()) == exports.classroom(ANNA)
    with pytest.raises(ValueError, match="one student at a time, here are 2"):
        exports.export([ANNA, ANNA], "classroom", tmp_path / "g.json")
    with pytest.raises(ValueError, match="unknown format 'moodle'; known are gradescope, classroom"):
        exports.export([ANNA], "moodle", tmp_path / "g.json")


@pytest.fixture
def autograder(tmp_path):
    """Gradescope's folders, with the zip unpacked as Gradescope does."""
    exports.gradescope_zip(
        tmp_path / "autograder.zip", "a seed", ["gradient-descent/gd", "gradient-descent/contraction"]
    )
    home = tmp_path / "autograder"
    for folder in ("source", "submission", "results"):
        (home / folder).mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        archive.extractall(home / "source")
        rights = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert rights["run_autograder"] == rights["setup.sh"] == 0o755 and rights["seed"] == 0o600
    return home


def run_autograder(home):
    script = (home / "source" / "run_autograder").read_text().replace("/autograder/", f"{home}/")
    python = home / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    subprocess.run(
        ["sh", "-c", script],
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"},
    )
    return json.loads((home / "results" / "results.json").read_text())


def test_the_gradescope_zip_grades_a_submission(autograder):
    assert (autograder / "source" / "optcore" / "grading" / "catalogue" / "gradient_descent.py").is_file()
    (autograder / "submission" / "work.py").write_text(FIRST + GD + HONEST.replace("abs", ""))
    results = run_autograder(autograder)
    assert [(test["name"], test["score"]) for test in results["tests"]] == [
        ("gradient-descent/gd", 1),
        ("gradient-descent/contraction", 0),
    ]


def test_gradescope_hears_of_a_grader_that_stops(autograder):
    (autograder / "source" / "only").write_text("no-such-chapter")
    assert run_autograder(autograder) == {"score": 0, "output": "The grader stopped; please tell your teacher."}


def test_a_slip_in_a_name_shows_when_the_zip_is_made(tmp_path):
    with pytest.raises(LookupError, match="no exercise 'gradient-decent'"):
        exports.gradescope_zip(tmp_path / "a.zip", "s", ["gradient-decent"])


def test_nbgrader_gets_a_locked_point_for_every_check(tmp_path):
    (path,) = exports.nbgrader(tmp_path, ["gradient-descent"])
    assert path == tmp_path / "source" / "gradient-descent" / "3-gradient-descent.ipynb"
    cells = [cell for cell in json.loads(path.read_text())["cells"] if "nbgrader" in cell["metadata"]]
    about = [cell["metadata"]["nbgrader"] for cell in cells]
    assert [a["grade_id"] for a in about] == [e.id.replace("/", "-") for e in chapter("gradient-descent")]
    assert all(a["grade"] and a["locked"] and a["points"] == 1 and not a["solution"] for a in about)
    assert "".join(cells[0]["source"]) == (
        'feedback = oc.check("gradient-descent/gd", gradient_descent)\nprint(feedback)\nassert feedback'
    )


def test_the_classroom_workflow_installs_this_repository_and_feeds_the_reporter():
    workflow = yaml.safe_load((ROOT / "exercises" / "github-classroom.yml").read_text())
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    steps = workflow["jobs"]["grade"]["steps"]
    assert any(f"git+{address['url']}@{address['branch']}" in step.get("run", "") for step in steps)
    grade = next(step for step in steps if step.get("id") == "optcore")
    words = grade["run"].splitlines()[0].replace('"$SEED"', "s").split()
    asked = arguments(words[3:])
    assert asked.export == "classroom=grade.json" and asked.only == ["gradient-descent"]
    assert steps[-1]["env"] == {"OPTCORE_RESULTS": "${{ steps.optcore.outputs.result }}"}
