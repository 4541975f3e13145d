"""A class as Moodle gives it, from its zip to what its gradebook imports; `bench.grading` has one of 1,000."""

import csv
import os
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from book.course import ROOT
from tests.grading import moodle_class
from tests.grading.test_cells import RIGHT
from tests.grading.test_gradebook import import_into_moodle

HOSTILE, ABSENT = 12, 5
STUDENTS = 30 + len(RIGHT) + HOSTILE + ABSENT


def command(made, output, *more):
    return [
        sys.executable, "-m", "optcore.grading", str(made.zip), "--roster", str(made.worksheet), "--seed", "bench",
        "--only", *moodle_class.EXERCISES, "--jobs", "2", "--wall", "6", "--quiet", "-o", str(output),
        "--export", f"moodle={output.with_suffix('.moodle.csv')}", f"canvas={output.with_suffix('.canvas.csv')}",
        "--feedback", str(output.with_suffix("")), *more,
    ]  # fmt: skip


def rows(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class, graded in a run that was killed and resumed: (class, output, lines that the killed run left)."""
    base = tmp_path_factory.mktemp("moodle")
    made = moodle_class.write(base / "class", STUDENTS, len(RIGHT), HOSTILE, ABSENT)
    output = base / "grades.csv"
    process = subprocess.Popen(command(made, output), cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    journal, end = output.with_suffix(".jsonl"), time.monotonic() + 120
    while not journal.exists() or journal.read_bytes().count(b"\n") <= STUDENTS // 2:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = journal.read_bytes()
    assert not output.exists()
    subprocess.run(command(made, output), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return made, output, done


def test_everybody_has_a_row_with_the_right_marks(graded):
    made, output, _ = graded
    table = {int(row["id"]): row for row in rows(output)}
    assert len(table) == STUDENTS == len(made.points) + len(made.absent)
    assert {number: int(row["points"]) for number, row in table.items() if number in made.points} == made.points
    assert all(table[number]["notes"] == "nothing was handed in" for number in made.absent) and made.absent
    assert all(
        row["email"] == f"s{number}@uni.example" and "Zoë Müller-" in row["student"] for number, row in table.items()
    )


def test_what_was_done_before_the_kill_was_not_done_again(graded):
    _, output, done = graded
    whole = done[: done.rindex(b"\n") + 1]
    assert output.with_suffix(".jsonl").read_bytes().startswith(whole)


def test_moodle_and_canvas_take_the_points(graded):
    made, output, _ = graded
    content = output.with_suffix(".moodle.csv").read_bytes()
    numbers = set(made.points) | made.absent
    taken = import_into_moodle(content, numbers, maximum=4)
    assert {number: grade for number, (grade, _) in taken.items()} == made.points | dict.fromkeys(made.absent, 0)
    canvas = rows(output.with_suffix(".canvas.csv"))
    assert {
        int(row["ID"]): int(row["grades.canvas"]) for row in canvas[1:] if int(row["ID"]) in made.points
    } == made.points


def test_every_student_has_a_page_that_moodle_gives_back(graded):
    made, output, _ = graded
    with zipfile.ZipFile(output.with_suffix(".zip")) as archive:
        numbers = {int(name.split("_")[1]) for name in archive.namelist() if name.count("_") >= 3}
        assert numbers == set(made.points) and len(archive.namelist()) == STUDENTS
