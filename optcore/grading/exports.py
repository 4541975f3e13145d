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
from .notebooks import file_name, notebook
from .report import printable

_PACKAGE = Path(__file__).parents[1]
_SETUP = f"""#!/bin/sh
# Once, when the image is built. The grader moves out of the folder that is open to submissions.
set -e
apt-get update -qq && apt-get install -qq -y python3 python3-pip
python3 -m pip install -q --break-system-packages numpy {" ".join(NEEDS)}
mv /autograder/source/optcore "$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
chmod 700 /autograder/source
"""
_RUN = """#!/bin/sh
# For every submission. Whatever happens, Gradescope needs a results.json.
cd /autograder/source
mkdir -p class results && rm -rf class/student && cp -R /autograder/submission class/student
python3 -m optcore.grading class --seed "$(cat seed)" --only $(cat only) --fresh --quiet -o results/grades.csv \\
    --export gradescope=/autograder/results/results.json && exit
echo '{"score": 0, "output": "The grader stopped; please tell your teacher."}' > /autograder/results/results.json
"""


def gradescope(grade: Grade) -> dict[str, Any]:
    """The `results.json` of one submission (gradescope-autograders.readthedocs.io, "Output format")."""
    return {
        "output": "\n".join(map(printable, grade.notes)),
        "tests": [
            {
                "name": name,
                "score": int(bool(said)),
                "max_score": 1,
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
        "max_score": len(grade.feedback),
        "tests": [
            {"name": name, "status": "pass" if said else "fail", "score": int(bool(said)), "message": repr(said)}
            for name, said in grade.feedback.items()
        ],
        "status": "pass" if all(grade.feedback.values()) else "fail",
    }


FORMATS = {"gradescope": gradescope, "classroom": classroom}


def export(grades: list[Grade], kind: str, path: Path) -> None:
    """Write the grade of the only student there is. Raises ValueError for another format or another number of them."""
    if kind not in FORMATS:
        raise ValueError(f"unknown format '{kind}'; known are {', '.join(FORMATS)}")
    if len(grades) != 1:
        raise ValueError(f"{kind} takes one student at a time, here are {len(grades)}")
    path.write_text(json.dumps(FORMATS[kind](grades[0])), encoding="utf-8")


def gradescope_zip(path: Path, seed: str, only: list[str]) -> None:
    """The autograder to upload: `setup.sh`, `run_autograder`, the package, the seed."""
    choose(only)  # a slip in a name should show here, not at Gradescope
    files = {"setup.sh": _SETUP, "run_autograder": _RUN, "seed": seed, "only": " ".join(only)}
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
    """
    written = []
    for name in chapters:
        made = notebook(name, folder)
        for cell in made["cells"]:
            if cell["metadata"].get("tags") == ["check"]:
                source = "".join(cell["source"])
                cell["source"] = [f"feedback = {source}\n", "print(feedback)\n", "assert feedback"]
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
    parser.add_argument("kind", choices=["gradescope", "nbgrader"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--only", nargs="+", required=True, metavar="CHAPTER")
    parser.add_argument("--seed", default="")
    asked = parser.parse_args()
    if asked.kind == "nbgrader":
        print(*nbgrader(asked.path, asked.only), sep="\n")
    elif asked.seed:
        gradescope_zip(asked.path, asked.seed, asked.only)
    else:
        parser.error("gradescope needs a --seed")


if __name__ == "__main__":
    main()
