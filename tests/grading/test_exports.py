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
from optcore.grading.feedback import CORRECT, MISSING, Feedback
from tests.grading.adversaries import FIRST, GD, HONEST

ONE, TWO = Feedback("a/one", CORRECT, "One."), Feedback("a/two", MISSING, "Two.")
ANNA = Grade("anna", {"a/one": ONE, "a/two": TWO}, ["note"])


def test_gradescope_gets_a_test_per_exercise():
    assert exports.gradescope(ANNA) == {
        "output": "note",
        "score": 1,
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
    with pytest.raises(ValueError, match="Unknown format 'ilias'; known are moodle, canvas, gradescope, classroom"):
        exports.export([ANNA], "ilias", tmp_path / "g.json")
    with pytest.raises(ValueError, match="No grade: the sandbox broke down twice"):
        exports.export([Grade("anna", {"a/one": ONE}, broken="gone")], "gradescope", tmp_path / "none.json")
    assert not (tmp_path / "none.json").exists()


def test_points_and_remarks_reach_other_graders():
    grade = Grade(
        "anna", {"a/one": ONE, "a/two": TWO}, worth={"a/one": 2, "a/two": 1}, marks={"a/one": 2, "a/two": 0.5}
    )
    grade.deduction, grade.remarks = 0.25, ["1 day late"]
    made = exports.gradescope(grade)
    assert made["score"] == 2.25 and made["output"] == "1 day late"
    assert [(test["score"], test["max_score"]) for test in made["tests"]] == [(2, 2), (0.5, 1)]
    assert exports.classroom(grade)["max_score"] == 3


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
    """What `run_autograder` leaves, with this Python in place of the one that `setup.sh` makes."""
    script = (home / "source" / "run_autograder").read_text().replace("/autograder/", f"{home}/")
    python = home / "python" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(["sh", "-c", script], check=False, capture_output=True, text=True)
    results = home / "results" / "results.json"
    return done, json.loads(results.read_text()) if results.exists() else None


def test_the_gradescope_zip_grades_a_submission(autograder):
    assert (autograder / "source" / "optcore" / "grading" / "catalogue" / "gradient_descent.py").is_file()
    (autograder / "submission" / "work.py").write_text(FIRST + GD + HONEST.replace("abs", ""))
    _, results = run_autograder(autograder)
    assert [(test["name"], test["score"]) for test in results["tests"]] == [
        ("gradient-descent/gd", 1),
        ("gradient-descent/contraction", 0),
    ]


def test_points_travel_to_gradescope(autograder, tmp_path):
    (tmp_path / "grading.toml").write_text('[points]\n"gradient-descent/gd" = 3\n')
    exports.gradescope_zip(tmp_path / "b.zip", "s", ["gradient-descent/gd"], tmp_path / "grading.toml")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        (autograder / "source" / "grading.toml").write_bytes(archive.read("grading.toml"))
    (autograder / "submission" / "work.py").write_text(FIRST + GD)
    _, results = run_autograder(autograder)
    assert results["score"] == 3 and results["tests"][0]["max_score"] == 3


def test_a_grader_that_stops_gives_gradescope_no_points(autograder):
    (autograder / "source" / "only").write_text("no-such-chapter")
    done, results = run_autograder(autograder)
    assert done.returncode == 1 and results is None and "no exercise 'no-such-chapter'" in done.stderr


@pytest.mark.parametrize(
    "python, universe, installed, fails",
    [
        ((3, 12), True, ["python3", "python3-venv"], False),
        ((3, 11), True, ["python3", "python3-venv"], False),
        ((3, 10), True, ["python3", "python3.11", "python3.11-venv"], False),  # Gradescope's default image
        ((3, 10), False, ["python3", "python3.11"], True),
    ],
)
def test_setup_finds_a_python_that_the_package_needs(tmp_path, python, universe, installed, fails):
    """`setup.sh`, to the letter, where `apt-get` notes what it is asked for and Python makes an empty environment."""
    home, tools = tmp_path / "autograder", tmp_path / "tools"
    (home / "source" / "optcore").mkdir(parents=True)
    (home / "python/lib/python3.12/site-packages").mkdir(parents=True)
    (home / "python/bin").mkdir()
    tools.mkdir()
    asks = f"import sys; sys.version_info = {python!r} if sys.argv[1] == 'python3' else (3, 11); exec(sys.argv[2])"
    scripts = {
        tools
        / "apt-get": f'echo "$@" >> {tmp_path}/log\ncase "$*" in *python3.11) {"true" if universe else "false"};; esac',
        tools / "python3": f'[ "$1" = -m ] || exec "{sys.executable}" -c "{asks}" python3 "$2"',
        tools / "python3.11": "true",
        home / "python/bin/python": f'echo "$@" > {tmp_path}/pip',
    }
    for path, script in scripts.items():
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    setup = exports._SETUP.replace("/autograder/", f"{home}/")
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", setup], env=environment, capture_output=True, text=True, check=False)
    asked = [line.split()[-1] for line in (tmp_path / "log").read_text().splitlines() if "install" in line]
    assert (asked, bool(done.returncode)) == (installed, fails), done.stderr
    if fails:
        assert "choose Ubuntu 24.04 as the base image" in done.stderr
    else:
        assert (home / "python/lib/python3.12/site-packages/optcore").is_dir()
        assert "numpy ipython joblib tqdm" in (tmp_path / "pip").read_text()


def test_a_slip_in_a_name_shows_when_the_zip_is_made(tmp_path):
    with pytest.raises(LookupError, match="no exercise 'gradient-decent'"):
        exports.gradescope_zip(tmp_path / "a.zip", "s", ["gradient-decent"])


def test_nbgrader_gets_a_locked_point_for_every_check(tmp_path):
    for _ in range(2):  # and once more into the same folder
        (path,) = exports.nbgrader(tmp_path, ["gradient-descent"])
    assert path == tmp_path / "source" / "gradient-descent" / "3-gradient-descent.ipynb"
    cells = [cell for cell in json.loads(path.read_text())["cells"] if "nbgrader" in cell["metadata"]]
    about = [cell["metadata"]["nbgrader"] for cell in cells]
    assert [a["grade_id"] for a in about] == [e.id.replace("/", "-") for e in chapter("gradient-descent")]
    assert all(a["grade"] and a["locked"] and a["points"] == 1 and not a["solution"] and not a["task"] for a in about)
    assert 'feedback = check("gradient-descent/gd", gradient_descent)\n' in "".join(cells[0]["source"])


@pytest.mark.parametrize(
    "answer, passes",
    [
        (GD, True),
        (GD.replace("- lr", "+ lr"), False),
        ("def gradient_descent(*a): pass\noc.check = lambda *a: T()", False),
        ("def gradient_descent(*a): pass\nimport optcore.grading.check as c\nc.check = lambda *a: T()", False),
        (
            "def gradient_descent(*a): pass\nimport sys, types\nm = types.ModuleType('m')\nm.check = lambda *a: T()\n"
            "m.CORRECT, m.Feedback = 'Correct', T\nsys.modules['optcore.grading.check'] = sys.modules["
            "'optcore.grading.feedback'] = m",
            False,
        ),
    ],
)
def test_nbgraders_locked_cell_asks_the_real_check(tmp_path, answer, passes):
    (path,) = exports.nbgrader(tmp_path, ["gradient-descent"])
    cells = [cell for cell in json.loads(path.read_text())["cells"] if "nbgrader" in cell["metadata"]]
    liar = "class T:\n    voice = 'Correct'\n    text = ''\n    def __bool__(self): return True\n"
    done = subprocess.run(
        [sys.executable, "-c", FIRST + liar + answer + "\n" + "".join(cells[0]["source"])],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == passes, done.stderr
    assert passes or "AssertionError" in done.stderr


def test_the_classroom_workflow_installs_this_repository_and_feeds_the_reporter():
    workflow = yaml.safe_load((ROOT / "exercises" / "github-classroom.yml").read_text())
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    steps = workflow["jobs"]["grade"]["steps"]
    assert any(f"git+{address['url']}@{address['branch']}" in step.get("run", "") for step in steps)
    grade = next(step for step in steps if step.get("id") == "optcore")
    words = grade["run"].splitlines()[0].replace('"$SEED"', "s").split()
    asked = arguments(words[3:])
    assert asked.export == ["classroom=grade.json"] and asked.only == ["gradient-descent"]
    assert steps[-1]["env"] == {"OPTCORE_RESULTS": "${{ steps.optcore.outputs.result }}"}
