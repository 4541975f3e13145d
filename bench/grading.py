"""How fast a class is graded, and whether anything gets lost: `python -m bench.grading [students]`.

First a class without slips, for the throughput of ordinary submissions against that of empty ones. Then 1,000
students in the shape of Moodle's download, 60 of them with right work in odd clothes and 20 hostile: killed half-way
and resumed, on this machine and on two workers of a Dask cluster, each mark against the one that is right.
"""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from book.course import ROOT
from optcore.grading import sandbox
from optcore.grading.catalogue import chapter
from optcore.grading.notebooks import notebook
from tests.grading import moodle_class
from tests.grading.dask_cluster import Cluster

CHAPTER = moodle_class.CHAPTER
EMPTY = json.dumps({"cells": [{"cell_type": "code", "source": "pass"}]})


def start(where: Path, output: Path, only: list[str], *more: str) -> subprocess.Popen:
    command = [
        sys.executable, "-m", "optcore.grading", str(where), "--seed", "bench", "--jobs", "2", "--wall", "6", "--quiet",
        "-o", str(output), "--only", *only, *more,
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)


def graded(where: Path, output: Path, only: list[str], *more: str) -> float:
    begin = time.perf_counter()
    assert start(where, output, only, *more).wait() == 0
    return time.perf_counter() - begin


def ordinary(base: Path, number: int) -> None:
    """Submissions of a whole chapter, all solved, against as many that hold nothing."""
    seconds = {}
    for name, content in (
        ("empty", EMPTY),
        ("solved", json.dumps(notebook(CHAPTER, base, lambda exercise: exercise.solution))),
    ):
        (base / name).mkdir()
        for i in range(number):
            (base / name / f"{i}.ipynb").write_text(content)
        seconds[name] = graded(base / name, base / f"{name}.csv", [CHAPTER])
    print(
        f"{number} submissions of {len(chapter(CHAPTER))} exercises: {number / seconds['solved']:.1f} a second, "
        f"{seconds['solved'] / seconds['empty']:.1f} times as long as empty ones"
    )


def killed_and_resumed(made: moodle_class.MoodleClass, output: Path, *more: str) -> str:
    """Grade the class in two runs, of which the first is killed half-way; how long the second took."""
    more = ("--roster", str(made.worksheet), *more)
    journal, half = output.with_suffix(".jsonl"), (len(made.points) + len(made.absent)) // 2
    process = start(made.zip, output, moodle_class.EXERCISES, *more)
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") <= half):
        time.sleep(0.05)
    assert process.poll() is None, "it ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = journal.read_bytes().count(b"\n") - 1
    seconds = graded(made.zip, output, moodle_class.EXERCISES, *more)
    with output.open(newline="", encoding="utf-8-sig") as file:
        rows = {int(row["id"]): row for row in csv.DictReader(file)}
    assert set(rows) == set(made.points) | made.absent
    wrong = {number: (rows[number]["points"], points) for number, points in made.points.items()
             if rows[number]["points"] != str(points)}  # fmt: skip
    assert not wrong, wrong
    return f"killed after {done}, resumed in {seconds:.1f} s: {len(rows)} rows, every mark right"


def main(students: int) -> None:
    print(sandbox.isolation())
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        ordinary(base, students // 5)
        made = moodle_class.write(base / "class", students, odd=60, hostile=20, absent=students // 50)
        print(f"{students} students, 60 in odd clothes, 20 hostile, {len(made.absent)} with nothing")
        print(f"here: {killed_and_resumed(made, base / 'here.csv')}")
        (base / "cluster").mkdir()
        cluster = Cluster(base / "cluster", [True, True])
        try:
            print(f"on two Dask workers: {killed_and_resumed(made, base / 'dask.csv', '--dask', cluster.address)}")
        finally:
            for process in reversed(cluster.processes):
                process.kill()
                process.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
