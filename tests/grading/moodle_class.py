"""A class in the shape of what Moodle gives: a zip of submissions, a grading worksheet, and the marks that are right.

Most students hand in a notebook with solutions, slips and stubs in it; `odd` ones hand in right work in odd clothes,
`hostile` ones attack the grader, some hand in nothing.
"""

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from optcore.grading.catalogue import find
from optcore.grading.notebooks import notebook
from optcore.grading.slips import slips
from tests.grading.adversaries import ADVERSARIES
from tests.grading.slipping import EQUAL
from tests.grading.test_cells import RIGHT

CHAPTER = "gradient-descent"
EXERCISES = [f"{CHAPTER}/{name}" for name in ("gd", "contraction", "nesterov", "clip-by-global-norm")]
FIRST_NUMBER = 5000


@dataclass
class MoodleClass:
    """The files, and by Moodle's number the points that each student deserves; nothing for who handed in nothing."""

    zip: Path
    worksheet: Path
    points: dict[int, int] = field(default_factory=dict)
    absent: set[int] = field(default_factory=set)


def write(folder: Path, students: int, odd: int, hostile: int, absent: int, seed: int = 0) -> MoodleClass:
    """Write `download.zip` and `worksheet.csv` into `folder`."""
    folder.mkdir(parents=True)
    made = MoodleClass(folder / "download.zip", folder / "worksheet.csv")
    rng = np.random.default_rng(seed)
    ordinary = students - odd - hostile - absent
    clothes, attacks = list(RIGHT.items()), list(ADVERSARIES.items())
    hand_ins = [_ordinary(rng) for _ in range(ordinary)]
    hand_ins += [_odd(*clothes[i % len(clothes)], i >= len(clothes)) for i in range(odd)]
    hand_ins += [({f"{name}.py": source.encode("utf-8", "surrogateescape")}, points)
                 for name, (source, points) in attacks[:hostile]]  # fmt: skip
    order = rng.permutation(students)
    rows = ["Identifier,Full name,Email address,Status,Grade,Last modified (submission),Last modified (grade)"]
    with zipfile.ZipFile(made.zip, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._download", b"\0")
        for place, which in enumerate(order):
            number, name = FIRST_NUMBER + place, f"Zoë Müller-{'ABCDEFG'[which % 7]} {which // 7}"
            if which >= len(hand_ins):
                made.absent.add(number)
            else:
                files, made.points[number] = hand_ins[which]
                for file, content in files.items():
                    archive.writestr(f"{name}_{number}_assignsubmission_file/{file}", content)
            sent = "-" if number in made.absent else "Monday, 30 November 2026, 11:52 PM"
            rows.append(f'Participant {number},{name},s{number}@uni.example,Submitted,,"{sent}",-')
    made.worksheet.write_text("\ufeff" + "\n".join(rows) + "\n", encoding="utf-8")
    return made


def _ordinary(rng: np.random.Generator) -> tuple[dict[str, bytes], int]:
    """A notebook of the whole chapter: each answer right, with a slip in it, or left as it was."""
    right: set[str] = set()

    def code(exercise):
        kind = rng.choice(["right", "slip", "stub"], p=[0.6, 0.25, 0.15])
        if kind == "right" or exercise.id not in EXERCISES:
            right.add(exercise.id)
            return exercise.solution
        return exercise.stub if kind == "stub" else rng.choice(_slips(exercise.id))

    content = json.dumps(notebook(CHAPTER, Path(), code)).encode()
    return {"3-gradient-descent.ipynb": content, "notes.pdf": b"%PDF"}, len(right & set(EXERCISES))


def _slips(id: str) -> list[str]:
    return [slip.source for slip in slips(find(id).solution) if slip.clause and str(slip) not in EQUAL.get(id, {})]


def _odd(name: str, content: bytes, packed: bool) -> tuple[dict[str, bytes], int]:
    """Right work on two exercises; in a zip within the zip on the second round."""
    if not packed:
        return {name: content, f"__MACOSX/._{name}": b"\0"}, 2
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(f"my work/{name}", content)
        archive.writestr(f"my work/._{name}", b"\0")
    return {"work.zip": inner.getvalue()}, 2
