"""Grades and exercises in the formats of other graders: Gradescope, GitHub Classroom, nbgrader.

`python -m optcore.grading.exports gradescope autograder.zip --seed S --only CHAPTER` makes the zip that Gradescope asks
for; `… nbgrader FOLDER --only CHAPTER` writes notebooks whose check cells nbgrader grades.
"""

import argparse
import json
import zipfile
from pathlib import Path
from typing import Any

from .classroom import NEEDS, Grade, choose
from .gradebook import GRADEBOOKS
from .notebooks import file_name, notebook
from .points import number, read_scheme
from .report import printable

_PACKAGE = Path(__file__).parents[1]
_SETUP = f"""#!/bin/sh
# Once, when the image is built. The grader moves out of the folder that is open to submissions.
set -e
apt-get update -qq
apt-get install -qq -y python3
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then  # as on Ubuntu 22.04, which has another one
    python=python3.11
    apt-get install -qq -y python3.11 || {{
        echo 'optcore needs Python 3.11 or later: choose Ubuntu 24.04 as the base image' >&2
        exit 1
    }}
fi
apt-get install -qq -y "$python-venv"
"$python" -m venv /autograder/python
/autograder/python/bin/python -m pip install -q numpy {" ".join(NEEDS)}
mv /autograder/source/optcore /autograder/python/lib/python3*/site-packages
chmod 700 /autograder/source
"""
_RUN = """#!/bin/sh
# For every submission. Where the grader stops, there is no results.json: Gradescope then says so, and gives no points.
cd /autograder/source
mkdir -p class results && rm -rf class/student && cp -Rp /autograder/submission class/student
[ -f grading.toml ] && set -- --points grading.toml
exec /autograder/python/bin/python -m optcore.grading class --seed "$(cat seed)" --only $(cat only) --fresh --quiet \\
    -o results/grades.csv --export gradescope=/autograder/results/results.json "$@"
"""


_LOCKED = """import sys

for name in [name for name in sys.modules if name.partition(".")[0] == "optcore"]:
    del sys.modules[name]
from optcore.grading.check import check
from optcore.grading.feedback import CORRECT, Feedback

feedback = {}
assert type(feedback) is Feedback, "not an answer of optcore's check"
print(feedback)
assert feedback.voice == CORRECT, feedback.text"""


def gradescope(grade: Grade) -> dict[str, Any]:
    """The `results.json` of one submission (gradescope-autograders.readthedocs.io, "Output format")."""
    return {
        "output": "\n".join(map(printable, grade.remarks + grade.notes)),
        "score": number(grade.points),
        "tests": [
            {
                "name": name,
                "score": number(grade.marks.get(name, bool(said))),
                "max_score": number(grade.worth.get(name, 1)),
                "status": "passed" if said else "failed",
                "output": repr(said),
            }
            for name, said in grade.feedback.items()
        ],
    }


def classroom(grade: Grade) -> dict[str, Any]:
    """What `classroom-resources/autograding-grading-reporter` reads, before it is packed in base64."""
    return {
        "version": 1,
        "max_score": number(grade.of),
        "tests": [
            {
                "name": name,
                "status": "pass" if said else "fail",
                "score": number(grade.marks.get(name, bool(said))),
                "message": repr(said),
            }
            for name, said in grade.feedback.items()
        ],
        "status": "pass" if all(grade.feedback.values()) else "fail",
    }


ONE_STUDENT = {"gradescope": gradescope, "classroom": classroom}
FORMATS = (*GRADEBOOKS, *ONE_STUDENT)


def export(grades: list[Grade], kind: str, path: Path, title: str = "") -> None:
    """Write the grades for another program; `title` is what it calls the assignment.

    Raises ValueError for an unknown kind, for several students where one is asked for, and where there is no grade.
    """
    if kind in GRADEBOOKS:
        GRADEBOOKS[kind](path, grades, title)
        return
    if kind not in ONE_STUDENT:
        raise ValueError(f"Unknown format '{kind}'; known are {', '.join(FORMATS)}.")
    if len(grades) != 1:
        raise ValueError(f"{kind} takes one student at a time, here are {len(grades)}.")
    if grades[0].broken:
        raise ValueError(f"No grade: the sandbox broke down twice ({grades[0].broken}).")
    path.write_text(json.dumps(ONE_STUDENT[kind](grades[0])), encoding="utf-8")


def gradescope_zip(path: Path, seed: str, only: list[str], points: Path | None = None) -> None:
    """The autograder to upload: `setup.sh`, `run_autograder`, the package, the seed, what exercises are worth."""
    chosen = choose(only)  # a slip in a name should show here, not at Gradescope
    files = {"setup.sh": _SETUP, "run_autograder": _RUN, "seed": seed, "only": " ".join(only)}
    if points:
        read_scheme(points, [exercise.id for exercise in chosen])
        files["grading.toml"] = points.read_text(encoding="utf-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o600) << 16
            archive.writestr(entry, text)
        for source in sorted([*_PACKAGE.rglob("*.py"), *_PACKAGE.glob("*.npz")]):
            archive.write(source, source.relative_to(_PACKAGE.parent))


def nbgrader(folder: Path, chapters: list[str]) -> list[Path]:
    """Write an nbgrader assignment per chapter, `source/CHAPTER/N-CHAPTER.ipynb`: a point for every check that passes.

    Only the check cells carry nbgrader's metadata; the stubs are ordinary cells, from which nothing has to be stripped.
    A check imports optcore afresh, so that an `oc.check` that was replaced is not the one that is asked.
    """
    written = []
    for name in chapters:
        made = notebook(name, folder)
        for cell in made["cells"]:
            if cell["metadata"].get("tags") == ["check"]:
                source = "".join(cell["source"])
                cell["source"] = _LOCKED.format(source.removeprefix("oc.")).splitlines(keepends=True)
                cell["metadata"]["nbgrader"] = {
                    "grade": True,
                    "grade_id": source.split('"')[1].replace("/", "-"),
                    "locked": True,
                    "points": 1,
                    "schema_version": 3,
                    "solution": False,
                    "task": False,
                }
        path = folder / "source" / name / file_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made, indent=1), encoding="utf-8")
        written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m optcore.grading.exports", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["gradescope", "nbgrader"], help="whose format")
    parser.add_argument("path", type=Path, help="a zip for Gradescope, a folder for nbgrader")
    parser.add_argument("--only", nargs="+", required=True, metavar="CHAPTER", help="which chapters' exercises")
    parser.add_argument("--seed", default="", help="of the cases, for Gradescope: whoever has it knows them")
    parser.add_argument("--points", type=Path, metavar="TOML", help="what exercises are worth, for Gradescope")
    asked = parser.parse_args()
    if asked.kind == "nbgrader":
        print(*nbgrader(asked.path, asked.only), sep="\n")
    elif asked.seed:
        gradescope_zip(asked.path, asked.seed, asked.only, asked.points)
    else:
        parser.error("gradescope needs a --seed.")


if __name__ == "__main__":
    main()
