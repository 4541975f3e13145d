"""How fast a class is graded, and whether anything gets lost: `python -m bench.grading [students]`.

First a class without slips, for the throughput of ordinary submissions (goal: 6 a second on two cores, isolated).
Then 1,000 submissions with 20 adversaries among them, killed half-way and resumed, against the same run undisturbed.
"""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from book.course import ROOT
from optcore.grading import sandbox
from optcore.grading.demo import write_class
from optcore.grading.notebooks import notebook
from tests.grading.adversaries import ADVERSARIES

CHAPTER = "gradient-descent"
EXERCISES = [f"{CHAPTER}/{name}" for name in ("gd", "contraction", "nesterov", "clip-by-global-norm")]


def start(folder: Path, output: Path) -> subprocess.Popen:
    command = [
        sys.executable,
        "-m",
        "optcore.grading",
        str(folder),
        "--seed",
        "bench",
        "--jobs",
        "2",
        "--wall",
        "6",
        "--quiet",
        "-o",
        str(output),
        "--only",
        *EXERCISES,
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)


def graded(folder: Path, output: Path) -> float:
    begin = time.perf_counter()
    assert start(folder, output).wait() == 0
    return time.perf_counter() - begin


def grades(path: Path) -> list[list[str]]:
    """Rows without the notes, which tell how busy the machine was."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row[:-1] for row in csv.reader(file)][1:]


def main(students: int) -> None:
    print(sandbox.isolation())
    base = Path(tempfile.mkdtemp())
    ordinary, mixed = base / "ordinary", base / "mixed"
    ordinary.mkdir()
    solved = json.dumps(notebook(CHAPTER, base, lambda exercise: exercise.solution))
    for number in range(students // 5):
        (ordinary / f"{number}.ipynb").write_text(solved)
    seconds = graded(ordinary, base / "ordinary.csv")
    print(
        f"{students // 5} ordinary submissions of {len(EXERCISES)} exercises: {seconds:.1f} s, "
        f"{students / 5 / seconds:.1f} a second"
    )

    write_class(mixed, students - 20, CHAPTER)
    for name, (source, _) in list(ADVERSARIES.items())[:20]:
        (mixed / f"{name}.py").write_bytes(source.encode("utf-8", "surrogateescape"))
    seconds = graded(mixed, base / "whole.csv")
    print(f"{students} submissions, 20 of them adversaries: {seconds:.1f} s")
    journal = base / "parts.jsonl"
    process = start(mixed, base / "parts.csv")
    while not journal.exists() or journal.read_text().count("\n") <= students // 2:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = journal.read_text().count("\n") - 1
    seconds = graded(mixed, base / "parts.csv")
    whole, parts = grades(base / "whole.csv"), grades(base / "parts.csv")
    print(
        f"killed after {done}, resumed in {seconds:.1f} s: {len(parts)} rows, "
        f"{'the same grades' if parts == whole else 'OTHER GRADES'}"
    )
    shutil.rmtree(base)
    assert parts == whole and len(parts) == students


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
