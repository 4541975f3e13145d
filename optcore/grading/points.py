"""What answers are worth: points for each exercise, partial credit, the late policy, corrections by hand.

A teacher writes them into a file, `grading.toml`; without one an exercise is worth a point, all or nothing:

    partial = true                         # the share of the cases that agree, or the names of the exercises it is for

    [points]
    "gradient-descent/gd" = 2

    [late]
    due = 2026-11-30T23:59:00
    grace = 30                             # minutes
    per_day = 10                           # percent of the points earned, for each day that has begun
    most = 50                              # percent in all

    [[override]]
    student = "Anna Lee"                   # the name, the LMS' number or the e-mail address
    exercise = "gradient-descent/gd"       # without it, all that the student gets
    points = 2
    reason = "the text was ambiguous"
"""

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .classroom import Grade
from .handins import HandIn

_KEYS = {"partial", "points", "late", "override"}


@dataclass(frozen=True)
class Late:
    """Deductions for what comes after `due`."""

    due: datetime
    grace: float = 0.0  # minutes
    per_day: float = 0.0  # percent of the points earned, for each day that has begun
    most: float = 100.0  # percent in all

    def days(self, handin: HandIn) -> int:
        """Days that have begun since the grace ended. What Canvas' zip says of times is when it was packed, so there
        only the word LATE counts, for a day, unless the roster knows the time."""
        if handin.lms == "canvas" and handin.sent is None:
            return int(handin.late)
        time = handin.sent or handin.time
        over = time - self.due - timedelta(minutes=self.grace) if time else timedelta()
        return max(0, math.ceil(over / timedelta(days=1)))


@dataclass(frozen=True)
class Override:
    """A correction by hand."""

    student: str
    points: float
    reason: str
    exercise: str = ""


@dataclass
class Scheme:
    """What each exercise is worth, and when it is worth less."""

    points: dict[str, float] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)
    late: Late | None = None
    overrides: list[Override] = field(default_factory=list)


def read_scheme(path: Path, ids: Iterable[str]) -> Scheme:
    """The scheme in a file; `ids` are the exercises that are graded.

    Raises ValueError, with a sentence that names the place, for what it cannot mean.
    """
    ids = set(ids)
    try:
        made = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        if unknown := sorted(set(made) - _KEYS):
            raise ValueError(f"unknown entry {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}.")
        points = {_known(id, ids): _number(value, f"points for {id}") for id, value in made.get("points", {}).items()}
        partial = made.get("partial", False)
        some = set(ids if partial else ()) if isinstance(partial, bool) else {_known(id, ids) for id in partial}
        late = _late(made["late"]) if "late" in made else None
        return Scheme(points, some, late, [_override(one, ids) for one in made.get("override", [])])
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {str(error).rstrip('.')}.") from None


def _known(id: str, ids: set[str]) -> str:
    if id not in ids:
        raise ValueError(f"no exercise of this run is called '{id}'; they are {', '.join(sorted(ids))}.")
    return id


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{what}: {value!r} is not a number from 0 up.")
    return value


def _late(made: dict[str, Any]) -> Late:
    due = made.get("due")
    if not isinstance(due, datetime):
        raise ValueError("[late] needs a date and time, such as due = 2026-11-30T23:59:00.")
    if unknown := sorted(set(made) - {"due", "grace", "per_day", "most"}):
        raise ValueError(f"[late] has no entry {', '.join(unknown)}; known are due, grace, per_day, most.")
    rest = {name: _number(value, f"[late] {name}") for name, value in made.items() if name != "due"}
    return Late(due.astimezone().replace(tzinfo=None) if due.tzinfo else due, **rest)


def _override(made: dict[str, Any], ids: set[str]) -> Override:
    missing = [name for name in ("student", "points", "reason") if made.get(name) in (None, "")]
    if missing or set(made) - {"student", "points", "reason", "exercise"}:
        raise ValueError("an [[override]] has student, points and reason, and exercise if it is about one.")
    exercise = _known(made["exercise"], ids) if "exercise" in made else ""
    return Override(str(made["student"]), _number(made["points"], "[[override]] points"), str(made["reason"]), exercise)


# --- marks ------------------------------------------------------------------------------------------------------------


def mark(grades: list[Grade], scheme: Scheme) -> None:
    """Give every grade its marks, its deduction and the remarks that explain them.

    Raises ValueError for an override of a student whom there is not, or of whom there are two.
    """
    for grade in grades:
        grade.worth = {id: scheme.points.get(id, 1) for id in grade.feedback}
        for id, said in grade.feedback.items():
            share = grade.shares.get(id, 0.0) if id in scheme.partial else 0.0
            grade.marks[id] = grade.worth[id] * (1.0 if said else share)
            if not said and grade.marks[id]:
                grade.remarks.append(f"{id}: {share:.0%} of the cases agree")
    for one in scheme.overrides:
        grade = _whose(one.student, grades)
        if one.exercise:
            grade.marks[one.exercise] = one.points
        else:
            grade.total = one.points
        what = one.exercise or "all together"
        grade.remarks.append(f"{what}: {number(one.points)} points by hand, {one.reason}")
        grade.broken = "" if not one.exercise else grade.broken
    for grade in grades:
        days = scheme.late.days(grade.handin) if scheme.late and grade.handin.files else 0
        if scheme.late and days and grade.total is None:
            percent = min(scheme.late.most, days * scheme.late.per_day)
            grade.deduction = sum(grade.marks.values()) * percent / 100
            off = f"{percent:g} % of the points earned, {number(grade.deduction)}, is off"
            grade.remarks.append(f"{days} day{'s' * (days > 1)} late: {off}")


def _whose(name: str, grades: list[Grade]) -> Grade:
    found = [grade for grade in grades if name in (grade.student, grade.handin.student, grade.handin.id, grade.email)]
    if len(found) != 1:
        raise ValueError(
            f"Override of '{name}': there {'is no such student' if not found else f'are {len(found)} of that name'}"
            + ("; give the LMS' number or the e-mail address." if found else ".")
        )
    return found[0]


def number(points: float) -> int | float:
    """Points, at most two digits after the point, without them where they are whole.

    >>> number(2.0), number(1/3)
    (2, 0.33)
    """
    rounded = round(points, 2)
    return int(rounded) if rounded == int(rounded) else rounded
