"""Points in the form that an LMS imports: Moodle's grading worksheet, Canvas' gradebook."""

from pathlib import Path

from .classroom import Grade
from .points import number
from .report import write_table


def moodle(path: Path, grades: list[Grade], title: str = "") -> None:  # noqa: ARG001
    """The worksheet that an assignment's "upload grading worksheet" takes: one row per student, found by the number.

    Moodle leaves out whoever got a later grade there than the worksheet says, and points beyond the assignment's
    maximum.
    """
    known = _with_number(grades, "Moodle", "its grading worksheet")
    head = ["Identifier", "Full name", "Email address", "Grade", "Maximum grade", "Last modified (grade)"]
    rows = [
        [
            f"Participant {grade.handin.id}",
            grade.student,
            grade.email,
            "" if grade.broken else number(grade.points),
            number(grade.of),
            (grade.handin.person.graded if grade.handin.person else "") or "-",
            "; ".join(grade.remarks),
        ]
        for grade in known
    ]
    write_table(path, [[*head, "Feedback comments"], *rows])


def canvas(path: Path, grades: list[Grade], title: str = "") -> None:
    """The table that the gradebook's "import" takes: `title` is the assignment's column, "Exercises 3 (98765)"."""
    known = _with_number(grades, "Canvas", "its exported gradebook")
    rows: list[list[object]] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title or path.stem]]
    rows.append(["    Points Possible", "", "", "", "", number(grades[0].of) if grades else 0])
    for grade in known:
        person = grade.handin.person
        first, _, last = grade.student.rpartition(" ")
        rows.append(
            [
                f"{last}, {first}" if first else last,
                grade.handin.id,
                *((person.number, person.login, person.section) if person else ("", "", "")),
                "" if grade.broken else number(grade.points),
            ]
        )
    write_table(path, rows)


def _with_number(grades: list[Grade], lms: str, table: str) -> list[Grade]:
    """Those whom the LMS can find. Raises ValueError if it can find nobody."""
    known = [grade for grade in grades if grade.handin.id]
    if grades and not known:
        raise ValueError(
            f"No student has a number of {lms}: grade its download as it comes, or give {table} as --roster."
        )
    return known


GRADEBOOKS = {"moodle": moodle, "canvas": canvas}
