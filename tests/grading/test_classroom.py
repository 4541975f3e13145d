"""The class grader: adversaries beside honest students, interrupted runs, what it writes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from book.course import ROOT
from optcore.grading import classroom, sandbox
from optcore.grading.demo import write_class
from optcore.grading.report import cell, write_csv, write_html
from tests.grading.adversaries import BREAKS_ITS_OWN, FIRST, GD, HONEST, write
from tests.grading.wall import require_wall

EXERCISES = ["gradient-descent/gd", "gradient-descent/contraction"]
SEED = "s3cret-of-the-teacher"
HONEST_ONES = {
    "honest 0": (FIRST + HONEST, 1),
    "honest 1": (FIRST + HONEST + GD, 2),
    "honest 2": (FIRST + HONEST.replace("abs", ""), 0),
}


def run(folder, output, *more, **how):
    command = [
        sys.executable,
        "-m",
        "optcore.grading",
        str(folder),
        "--seed",
        SEED,
        "-o",
        str(output),
        "--quiet",
        "--jobs",
        "2",
        "--only",
        *EXERCISES,
        *more,
    ]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def finished(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def honest(folder):
    folder.mkdir()
    for name, (source, _) in HONEST_ONES.items():
        (folder / f"{name}.py").write_text(source)
    return folder


MODES = ["bubblewrap", "limits only"]


@pytest.fixture(scope="module", params=MODES)
def attacked(request, tmp_path_factory):
    """One run with every adversary: (rows, points deserved, standard output, page)."""
    walled = request.param == "bubblewrap"
    if walled:
        require_wall()
    base = tmp_path_factory.mktemp("class")
    folder = honest(base / "submissions")
    deserved = write(folder, walled or os.getuid() == 0)
    deserved |= {name: points for name, (_, points) in HONEST_ONES.items()}
    before = {path.name: path.stat().st_mtime for path in folder.iterdir()}
    out = finished(run(folder, base / "grades.csv", "--wall", "4", *([] if walled else ["--no-bubblewrap"])))
    assert {path.name: path.stat().st_mtime for path in folder.iterdir()} == before
    return rows(base / "grades.csv"), deserved, out, (base / "grades.html").read_text(encoding="utf-8"), walled


def test_nobody_is_lost(attacked):
    graded, deserved, *_ = attacked
    assert len(deserved) > 50
    assert len(graded) == len(deserved)


def test_adversaries_get_what_they_deserve_and_no_more(attacked):
    graded, given, *_, walled = attacked
    deserved = dict(given)
    got = {name: int(graded[cell(name)]["points"]) for name in deserved}
    if not walled:  # a note in /tmp is beyond what limits can prevent
        got["finding the note"] = deserved["finding the note"]
    for name in BREAKS_ITS_OWN & got.keys():  # as root it may not, as an ordinary user it loses all
        assert got.pop(name) <= deserved.pop(name)
    assert got == deserved


def test_what_went_wrong_is_said(attacked):
    graded, *_ = attacked
    for name, words in {
        "endless loop": "cell 1, line 6: stopped after",
        "endless loop that catches everything": "stopped after",
        "fork bomb": "BlockingIOError",
        "endless loop without alarm": "ended by the grader: wall time",
        "thread bomb": "can't start new thread",
        "memory bomb": "MemoryError",
        "1 GB into the pipe": "ended by the grader: too much output",
        "a crash": "ended by the grader: exit code -11",
        "SystemExit": "SystemExit",
        "files too large": "File too large",
        "not UTF-8": "save it as UTF-8",
        "broken JSON": "not a notebook",
        "no cells": "no code cells",
        "200 MB": "larger than 20 MB",
        "a link": "a symbolic link",
        "a folder with a link": "a symbolic link",
        "an empty folder": "no notebook in the folder",
        "essay": "neither a notebook nor a script",
        "a syntax error": "SyntaxError",
    }.items():
        assert words in graded[name]["notes"], name


def test_the_first_line_tells_how_good_the_isolation_is(attacked):
    *_, out, page, walled = attacked
    first = "Isolation: bubblewrap; no network" if walled else "Isolation: WEAK (bubblewrap is switched off)"
    assert out.startswith(first)
    assert page.index(first) < page.index("<h1>")


def test_the_page_is_well_formed_whatever_students_are_called(attacked):
    *_, page, _ = attacked

    class Tags(HTMLParser):
        opened: list[str] = []

        def handle_starttag(self, tag, attributes):
            assert tag != "script"
            if tag not in ("meta", "link", "br"):
                self.opened.append(tag)

        def handle_endtag(self, tag):
            assert self.opened.pop() == tag

    parser = Tags()
    parser.feed(page)
    assert parser.opened == []
    assert "\u202e" not in page


def test_adversaries_change_no_other_grade(attacked, tmp_path):
    graded, *_, walled = attacked
    folder = honest(tmp_path / "submissions")
    finished(run(folder, tmp_path / "grades.csv", *([] if walled else ["--no-bubblewrap"])))
    alone = rows(tmp_path / "grades.csv")
    assert alone == {name: graded[name] for name in HONEST_ONES}
    assert [int(alone[name]["points"]) for name in HONEST_ONES] == [1, 2, 0]


def test_behind_the_wall_there_is_nothing_to_see(tmp_path):
    require_wall()
    folder = tmp_path / "submissions"
    folder.mkdir()
    elsewhere = ["/proc/self", "/etc/passwd", str(folder), str(ROOT / "tests")]
    assert all(map(os.path.exists, elsewhere))
    (folder / "curious.py").write_text(
        FIRST
        + f"""
import os
raise ValueError(sorted(os.listdir("/scratch")), *map(os.path.exists, {elsewhere}),
                 os.listdir(os.path.join(os.path.dirname(oc.__file__), "grading", "catalogue")))
"""
    )
    (entry,) = classroom.grade_class(folder, "s", tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    seen = entry.notes[0].partition("ValueError: ")[2]
    assert seen.startswith("(['tmp") and "', 'tmp" not in seen.split("]")[0]  # its own scratch folder only
    assert seen.endswith("], False, False, False, False, ['__init__.py'])")


# --- interrupted, repeated, changed -----------------------------------------------------------------------------------


@pytest.fixture
def small_class(tmp_path):
    write_class(tmp_path / "class", 24)
    return tmp_path / "class"


def test_a_killed_run_goes_on_where_it_stopped(small_class, tmp_path):
    finished(run(small_class, tmp_path / "whole.csv"))
    process = run(small_class, tmp_path / "grades.csv", start_new_session=True)
    journal = tmp_path / "grades.jsonl"
    end = time.monotonic() + 60
    while not journal.exists() or journal.read_text().count("\n") < 6:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    done = journal.read_text().splitlines()
    assert 6 <= len(done) < 25 and not (tmp_path / "grades.csv").exists()
    with journal.open("a") as file:
        file.write('{"at": ["student-0000.ipynb", "torn')
    finished(run(small_class, tmp_path / "grades.csv"))
    assert (tmp_path / "grades.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert journal.read_text().startswith("\n".join(done[:-1]))  # not done again
    assert len(journal.read_text().splitlines()) == 25


def test_only_new_and_changed_submissions_run_again(small_class, tmp_path, monkeypatch):
    ran = []
    attempt = sandbox.attempt
    monkeypatch.setattr(sandbox, "attempt", lambda *a: ran.append(a) or attempt(*a))
    grade = lambda: classroom.grade_class(small_class, SEED, tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    first = grade()
    assert len(ran) == 24
    assert grade() == first and len(ran) == 24
    (small_class / "student-0003.ipynb").write_text(
        json.dumps(
            {
                "cells": [
                    {"cell_type": "code", "source": FIRST},
                    {"cell_type": "code", "source": ["if True:\n", "    %pip install x\n", "!ls\n", GD]},
                ]
            }
        )
    )
    (small_class / "new.py").write_text(FIRST + HONEST)
    again = {one.student: one for one in grade()}
    assert len(ran) == 26 and len(again) == 25
    assert again["student-0003"].points == 1 and again["student-0003"].notes == [] and again["new"].points == 1


def test_a_journal_of_another_seed_is_refused(small_class, tmp_path):
    classroom.grade_class(small_class, SEED, tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    with pytest.raises(ValueError, match="another seed"):
        classroom.grade_class(small_class, "other", tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    assert (tmp_path / "j.jsonl").stat().st_mode & 0o077 == 0
    assert SEED not in (tmp_path / "j.jsonl").read_text()


def test_grades_depend_on_the_answer_not_on_the_seed(small_class, tmp_path):
    points = [
        [
            one.points
            for one in classroom.grade_class(small_class, seed, tmp_path / f"{seed}.jsonl", only=EXERCISES, quiet=True)
        ]
        for seed in ("a", "b")
    ]
    assert points[0] == points[1] and 0 < sum(points[0]) < 48


def test_what_a_student_checked_last_is_what_counts(tmp_path):
    folder = tmp_path / "class"
    (folder / "anna").mkdir(parents=True)
    (folder / "anna" / "a.py").write_text(
        FIRST + HONEST.replace("contraction", "mine") + "oc.check('contraction', mine)\n"
        "contraction = 3\noc.hint('gd'); oc.progress()"
    )
    (folder / "anna" / "b.py").write_text(
        FIRST + GD + "oc.check('gradient-descent/gd', 1)\noc.check('gradient-descent/gd', gradient_descent)"
    )
    (anna,) = classroom.grade_class(folder, "s", tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    assert anna.student == "anna" and anna.points == 2


def test_a_name_that_two_exercises_share_is_not_taken_for_an_answer(tmp_path):
    names = Counter(exercise.name for exercise in classroom.choose([]))
    shared = {exercise.id: exercise for exercise in classroom.choose([]) if names[exercise.name] > 1}
    assert shared
    folder = tmp_path / "class"
    folder.mkdir()
    for number, exercise in enumerate(shared.values()):
        (folder / f"{number}.py").write_text(f"{FIRST}{exercise.solution}\n")
    for only, most in ((list(shared), 0), (list(shared)[:1], 1)):
        grades = classroom.grade_class(folder, "s", tmp_path / f"{most}.jsonl", only=only, quiet=True)
        assert max(grade.points for grade in grades) == most


def test_hardcoding_what_oc_check_shows_earns_nothing(tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "eve.py").write_text(
        FIRST + "contraction = lambda mu, L, lr: {1.5: 3.5, 0.001: .999}.get(lr, 0.98019802)"
    )
    (eve,) = classroom.grade_class(folder, "s", tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    assert eve.points == 0 and eve.feedback["gradient-descent/contraction"].voice == "Keep working"


# --- the command and its files ----------------------------------------------------------------------------------------


def test_the_seed_leaves_the_command_line():
    from optcore.grading.__main__ import without_seed

    for words in (["--seed", "abc"], ["--seed=abc"], ["--seed", "abcd", "--seed=abc"]):
        moved = without_seed(["folder", *words, "--jobs", "2"])
        assert moved[:-1] == ["folder", "--jobs", "2"] and "abc" not in " ".join(moved)
        pipe = int(moved[-1].removeprefix("--seed=pipe:"))
        with open(pipe) as file:
            assert file.read() == "abc"


@pytest.mark.parametrize(
    "words, complaint",
    [
        (["no-such-folder", "--seed", "s"], "No such file or directory"),
        ([".", "--seed", "s", "--only", "gradient-descent/dg"], "did you mean gradient-descent/gd"),
        (["."], "--seed"),
        ([".", "--see", "s"], "--seed"),
        ([".", "--seed", "s", "--export", "moodle"], "--export takes FORMAT=FILE"),
        ([".", "--seed", "s", "--export", "ilias=x"], "the formats are moodle, canvas, gradescope, classroom"),
        ([".", "--seed", "s", "--points", "none.toml"], "none.toml"),
        ([".", "--seed", "s", "--roster", "none.csv"], "none.csv"),
    ],
)
def test_misuse_gets_one_line(words, complaint, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "optcore.grading", *words, "-o", str(tmp_path / "g.csv")],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert complaint in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("package", classroom.NEEDS)
def test_a_missing_package_is_named(package, tmp_path):
    (tmp_path / "absent").mkdir()
    module = {"ipython": "IPython"}.get(package, package)
    (tmp_path / "absent" / f"{module}.py").write_text("raise ModuleNotFoundError")
    process = run(
        honest(tmp_path / "class"), tmp_path / "g.csv", env={**os.environ, "PYTHONPATH": f"{tmp_path}/absent"}
    )
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (
        1,
        "error: Grading a class needs ipython, joblib, tqdm: pip install ipython joblib tqdm.\n",
    )


def test_what_cannot_be_read_is_named_where_there_are_several_files():
    good = SimpleNamespace(name="a.py", read=lambda most: (b"x = 1", ""))
    bad = SimpleNamespace(name="b.py", read=lambda most: (b"", "too long"))
    assert classroom._contents(SimpleNamespace(files=[good, bad]), 9) == ([("a.py", b"x = 1")], ["b.py: too long"])
    assert classroom._contents(SimpleNamespace(files=[bad]), 9) == ([], ["too long"])


def test_an_empty_class_is_no_error(tmp_path):
    (tmp_path / "class").mkdir()
    finished(run(tmp_path / "class", tmp_path / "grades.csv", "--fresh"))  # with nothing to forget
    assert rows(tmp_path / "grades.csv") == {}


def test_a_sandbox_that_cannot_start_says_why(tmp_path):
    box = sandbox.Sandbox(b"no plan", walled=False)
    with pytest.raises(RuntimeError, match="The sandbox does not start: (?s:.*)broken bytes"):
        box.run("a.py", b"", 5)
    assert box.server is None and box not in sandbox._running


def test_the_report_counts_by_exercise(small_class, tmp_path):
    grades = classroom.grade_class(small_class, SEED, tmp_path / "j.jsonl", only=EXERCISES, quiet=True)
    write_csv(tmp_path / "g.csv", grades)
    write_html(tmp_path / "g.html", grades, sandbox.isolation())
    table = rows(tmp_path / "g.csv")
    assert list(table) == [f"student-{i:04d}" for i in range(24)]
    for name in EXERCISES:
        solved = sum(int(row[name]) for row in table.values())
        assert f"<td>{name}</td><td>{solved} of 24</td>" in (tmp_path / "g.html").read_text()
    assert all(int(row["points"]) == sum(int(row[name]) for name in EXERCISES) for row in table.values())
