"""Grade a class: `python -m optcore.grading SUBMISSIONS --seed S -o grades.csv`."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from . import sandbox
from .child import keep_memory_private
from .classroom import choose, grade_class
from .exports import FORMATS, ONE_STUDENT, export
from .handins import find_handins
from .points import Scheme, mark, read_scheme
from .report import write_csv, write_feedback, write_html, write_mistakes
from .roster import join, read_roster
from .similar import similar_pairs, write_similar


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m optcore.grading",
        allow_abbrev=False,
        description="""
        Grade a folder or a zip of submissions, also as Moodle and Canvas give them, against fresh cases. Writes a CSV
        row per student, pages with the feedback and with what was misunderstood next to it, and a journal from which
        an interrupted run goes on.""",
    )
    parser.add_argument("submissions", type=Path, help="what the class has handed in")
    parser.add_argument("--seed", required=True, help="any text; whoever does not know it does not know the cases")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("grades.csv"), help="the table of grades (%(default)s)"
    )
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
    parser.add_argument("--roster", type=Path, metavar="CSV", help="who is in the class: names, numbers, e-mail")
    parser.add_argument("--points", type=Path, metavar="TOML", help="what exercises are worth (default: a point each)")
    parser.add_argument("--feedback", type=Path, metavar="DIR", help="a page for each student, and a zip of them")
    parser.add_argument("--similar", action="store_true", help="list the pairs whose code is alike")
    parser.add_argument(
        "--export",
        nargs="+",
        default=[],
        metavar="FORMAT=FILE",
        help=f"also for another program: {', '.join(FORMATS)}",
    )
    parser.add_argument("--title", default="", help="the assignment's column in a gradebook")
    parser.add_argument("--delimiter", default=",", help="of the CSV (default: a comma)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    asked = arguments(argv)
    keep_memory_private()
    isolation = sandbox.isolation(not asked.no_bubblewrap, bool(asked.dask))
    print(isolation)
    try:
        run(asked, isolation)
    except (OSError, LookupError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run(asked: argparse.Namespace, isolation: str) -> None:
    """Grade, and write all that is asked for; a slip in the request shows before anybody is graded."""
    chosen = choose(asked.only)
    scheme = read_scheme(asked.points, [exercise.id for exercise in chosen]) if asked.points else Scheme()
    exports = [(kind, Path(path)) for kind, _, path in (wanted.partition("=") for wanted in asked.export)]
    for kind, path in exports:
        if kind not in FORMATS or path == Path():
            raise ValueError(f"--export takes FORMAT=FILE, and the formats are {', '.join(FORMATS)}.")
    handins = find_handins(asked.submissions)
    if asked.roster:
        handins = join(handins, read_roster(asked.roster))
    journal = asked.output.with_suffix(".jsonl")
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    if asked.fresh:
        journal.unlink(missing_ok=True)
    grades = grade_class(
        asked.submissions,
        asked.seed,
        journal,
        only=asked.only,
        jobs=asked.jobs,
        limits=replace(sandbox.Limits(), wall=asked.wall, cpu=int(asked.wall) + 1, memory=asked.memory << 20),
        walled=not asked.no_bubblewrap,
        again=asked.again,
        quiet=asked.quiet,
        dask=asked.dask,
        handins=handins,
    )
    mark(grades, scheme)
    beside = lambda what: asked.output.with_name(f"{asked.output.stem}{what}.html")
    write_csv(asked.output, grades, asked.delimiter)
    write_html(beside(""), grades, isolation)
    write_mistakes(beside("-mistakes"), grades)
    if asked.feedback:
        print(f"a page for each student: {asked.feedback}, {write_feedback(asked.feedback, grades)}")
    if asked.similar:
        pairs = similar_pairs(handins, chosen)
        write_similar(beside("-similar"), pairs)
        print(f"{len(pairs)} pairs of hand-ins that are alike: {beside('-similar')}")
    for kind, path in exports:
        export(grades, kind, path, asked.title)
        if kind in ONE_STUDENT:
            print(*(f"{name}\n{said}\n" for name, said in grades[0].feedback.items()), sep="\n")
    if broken := sum(bool(grade.broken) for grade in grades):
        print(f"{broken} could not be graded, because the sandbox broke down twice; run the command again")
    solved = sum(sum(map(bool, grade.feedback.values())) for grade in grades)
    print(
        f"{len(grades)} students, {solved} of {len(grades) * len(chosen)} exercises solved: "
        f"{asked.output}, {beside('')}, {beside('-mistakes')}"
    )


def without_seed(argv: list[str]) -> list[str]:
    """The command line with the seed moved into a pipe: every process of a machine may read every command line."""
    asked = arguments(argv)
    read, write = os.pipe()
    os.write(write, asked.seed.encode())
    os.close(write)
    os.set_inheritable(read, True)
    kept = [
        word
        for before, word in zip(["", *argv], argv, strict=False)
        if before != "--seed" and word.partition("=")[0] != "--seed"
    ]
    return [*kept, f"--seed=pipe:{read}"]


if __name__ == "__main__":
    words = sys.argv[1:]
    piped = [word for word in words if word.startswith("--seed=pipe:")]
    if not piped:
        moved = without_seed(words)
        os.execv(sys.executable, [sys.executable, "-m", "optcore.grading", *moved])
    words.remove(piped[0])
    with open(int(piped[0].rpartition(":")[2])) as pipe:
        sys.exit(main([*words, "--seed", pipe.read()]))
