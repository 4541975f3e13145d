"""Grade a class: `python -m optcore.grading SUBMISSIONS --seed S -o grades.csv`."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from . import sandbox
from .child import keep_memory_private
from .classroom import grade_class
from .exports import export
from .report import write_csv, write_html


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m optcore.grading",
        description="""
        Grade a folder of submissions (one notebook, script or folder per student) against fresh cases. Writes a CSV
        row per student, a page with the feedback next to it, and a journal from which an interrupted run goes on.""",
    )
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--seed", required=True, help="any text; whoever does not know it does not know the cases")
    parser.add_argument("-o", "--output", type=Path, default=Path("grades.csv"))
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="chapters or exercises (default: all)")
    parser.add_argument(
        "--again", nargs="+", default=[], metavar="NAME", help="grade these students or exercises once more"
    )
    parser.add_argument("--dask", default="", metavar="ADDRESS", help="let the workers of this Dask scheduler run them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="students at a time (default: every core)")
    parser.add_argument("--wall", type=float, default=sandbox.Limits.wall, help="seconds each (%(default)s)")
    parser.add_argument("--memory", type=int, default=sandbox.Limits.memory >> 20, help="megabytes each (%(default)s)")
    parser.add_argument("--no-bubblewrap", action="store_true", help="weaker isolation; the report says so")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run has done")
    parser.add_argument("--export", metavar="FORMAT=FILE", help="also for another grader: gradescope or classroom")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    asked = arguments(argv)
    keep_memory_private()
    walled = not asked.no_bubblewrap
    journal = asked.output.with_suffix(".jsonl")
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    if asked.fresh:
        journal.unlink(missing_ok=True)
    limits = replace(sandbox.Limits(), wall=asked.wall, cpu=int(asked.wall) + 1, memory=asked.memory << 20)
    isolation = sandbox.isolation(walled, bool(asked.dask))
    print(isolation)
    try:
        grades = grade_class(
            asked.submissions,
            asked.seed,
            journal,
            only=asked.only,
            jobs=asked.jobs,
            limits=limits,
            walled=walled,
            again=asked.again,
            quiet=asked.quiet,
            dask=asked.dask,
        )
        if asked.export:
            kind, _, path = asked.export.partition("=")
            export(grades, kind, Path(path))
            print(*(f"{name}\n{said}\n" for name, said in grades[0].feedback.items()), sep="\n")
    except (OSError, LookupError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_csv(asked.output, grades)
    write_html(asked.output.with_suffix(".html"), grades, isolation)
    broken = sum(bool(grade.broken) for grade in grades)
    if broken:
        print(f"{broken} could not be graded, because the sandbox broke down twice; run the command again")
    solved, of = sum(grade.points for grade in grades), sum(len(grade.feedback) for grade in grades)
    print(
        f"{len(grades)} students, {solved} of {of} exercises solved: {asked.output}, "
        f"{asked.output.with_suffix('.html')}"
    )
    return 0


def without_seed(argv: list[str]) -> list[str]:
    """The command line with the seed moved into a pipe: every process of a machine may read every command line."""
    asked = arguments(argv)
    read, write = os.pipe()
    os.write(write, asked.seed.encode())
    os.close(write)
    os.set_inheritable(read, True)
    at = next(i for i, word in enumerate(argv) if word.split("=")[0] == "--seed")
    return argv[:at] + argv[at + (1 if "=" in argv[at] else 2) :] + [f"--seed=pipe:{read}"]


if __name__ == "__main__":
    words = sys.argv[1:]
    piped = [word for word in words if word.startswith("--seed=pipe:")]
    if not piped:
        moved = without_seed(words)
        os.execv(sys.executable, [sys.executable, "-m", "optcore.grading", *moved])
    words.remove(piped[0])
    with open(int(piped[0].rpartition(":")[2])) as pipe:
        sys.exit(main([*words, "--seed", pipe.read()]))
