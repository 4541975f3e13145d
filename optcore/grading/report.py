"""What a run of the class grader leaves behind: a row and a page for each student, and pages for the teacher."""

import csv
import html
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from .classroom import Grade
from .points import number

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
details { border-top: 1px solid #8888; padding: .4rem 0; } summary { cursor: pointer; }
.warn { font-weight: bold; } .notes { color: #b3382c; } .oc-feedback { margin: .4rem 0; }
.bar { background: #8883; width: 12rem; } .bar > div { background: #4a6fa5; height: 1rem; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } .notes { color: #ff9d90; } }
"""


def page(title: str, body: str) -> str:
    """A page of its own, which needs no other file."""
    return f"""<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{text(title)}</title>
<style>{_STYLE}</style>
<body><main>{body}
</main></body></html>
"""


def text(words: object) -> str:
    """Text for a page: what a student wrote can be no markup and turns no line round."""
    return html.escape(printable(str(words)))


def printable(text: str) -> str:
    """Text without characters that move the cursor, turn the writing round or cannot be encoded.

    >>> printable("a\\nb\\u202e"), printable("Zoë")
    ('a\\\\x0ab\\\\u202e', 'Zoë')
    """
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula, whatever it thinks separates columns.

    >>> cell("=1+1"), cell("a;=1+1"), cell("anna")
    ("'=1+1", "a;'=1+1", 'anna')
    """
    return re.sub(r"(^|;)(\s*)(?=[=+\-@])", r"\1\2'", printable(text))


def write_table(path: Path, rows: Iterable[Iterable[object]], delimiter: str = ",") -> None:
    """A CSV: texts that are no formulas, and a byte order mark where it holds more than ASCII, which Excel needs."""
    safe = [[cell(one) if isinstance(one, str) else one for one in row] for row in rows]
    beyond = any(not one.isascii() for row in safe for one in row if isinstance(one, str))
    with path.open("w", newline="", encoding="utf-8-sig" if beyond else "utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(safe)


def write_csv(path: Path, grades: list[Grade], delimiter: str = ",") -> None:
    """One row per student: who, points, points that there are, points of each exercise, notes.

    Numbers and e-mail addresses have columns if anybody has one.
    """
    ids = list(grades[0].feedback) if grades else []
    known = {
        "id": lambda grade: grade.handin.id,
        "number": lambda grade: grade.handin.person.number if grade.handin.person else "",
        "email": lambda grade: grade.email,
    }
    known = {name: get for name, get in known.items() if any(map(get, grades))}
    rows: list[list[object]] = [["student", *known, "points", "of", *ids, "notes"]]
    for grade in grades:
        marks = [grade.marks.get(id, int(bool(said))) for id, said in grade.feedback.items()]
        rows.append(
            [
                grade.student,
                *(get(grade) for get in known.values()),
                "" if grade.broken else number(grade.points),
                number(grade.of),
                *("" if grade.broken else number(mark) for mark in marks),
                "; ".join([*grade.remarks, *grade.notes]),
            ]
        )
    write_table(path, rows, delimiter)


# --- pages ------------------------------------------------------------------------------------------------------------


def write_html(path: Path, grades: list[Grade], isolation: str) -> None:
    """The page for the teacher: how it was isolated, each exercise's share, each student's feedback."""
    total = len(grades)
    ids = list(grades[0].feedback) if grades else []
    shares = "".join(
        f"<tr><td>{text(id)}</td><td>{solved} of {total}</td></tr>"
        for id in ids
        for solved in [sum(bool(grade.feedback[id]) for grade in grades)]
    )
    warn = ' class="warn"' if "WEAK" in isolation else ""
    students = "".join(
        f"<details><summary>{text(grade.student)}: {_points(grade)}</summary>{_feedback(grade)}</details>\n"
        for grade in grades
    )
    body = f"""<p{warn}>{text(isolation)}</p>
<h1>Grades</h1>
<table><thead><tr><th scope="col">exercise</th><th scope="col">solved</th></tr></thead><tbody>{shares}</tbody></table>
<h2>Students</h2>
{students}"""
    path.write_text(page("Grades", body), encoding="utf-8")


def _points(grade: Grade) -> str:
    return "not graded" if grade.broken else f"{number(grade.points)} of {number(grade.of)}"


def _feedback(grade: Grade) -> str:
    """What a student should read: how the points came about, what went wrong, and the feedback on each exercise."""
    remarks = "".join(f"<li>{text(one)}</li>" for one in grade.remarks)
    notes = "".join(f"<li>{text(one)}</li>" for one in grade.notes)
    said = "".join(f"<h3>{text(id)}{_worth(grade, id)}</h3>{one._repr_html_()}" for id, one in grade.feedback.items())
    listed = (f"<ul>{remarks}</ul>" if remarks else "") + (f'<ul class="notes">{notes}</ul>' if notes else "")
    return listed + said


def _worth(grade: Grade, id: str) -> str:
    plain = grade.worth.get(id, 1) == 1 and grade.marks.get(id, 0) in (0, 1)
    return "" if plain else f": {number(grade.marks[id])} of {number(grade.worth[id])}"


def write_feedback(folder: Path, grades: list[Grade]) -> Path:
    """A page for each student, and all of them in a zip beside the folder, whose path it returns.

    They are named so that Moodle's "upload multiple feedback files in a zip" and Canvas' "upload submissions" take the
    zip of a class that came from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packed = folder.with_name(f"{folder.name}.zip")
    names: set[str] = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for grade in grades:
            name = _place(grade)
            number = 1
            while name.casefold() in names:
                number += 1
                name = re.sub(r"(?=[_/]feedback\.html$)", f"-{number}", _place(grade))
            names.add(name.casefold())
            body = f"<h1>{text(grade.student)}: {_points(grade)}</h1>{_feedback(grade)}"
            made = page(f"{grade.student}: feedback", body)
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(made, encoding="utf-8")
            archive.writestr(name, made)
    return packed


def _place(grade: Grade) -> str:
    handin = grade.handin
    name = re.sub(r"[^\w .@,+-]", "-", handin.folder or printable(grade.student))[:100].strip(". ") or "student"
    return f"{name}_feedback.html" if handin.lms == "canvas" and handin.folder else f"{name}/feedback.html"


# --- what the class misunderstood -------------------------------------------------------------------------------------


def write_mistakes(path: Path, grades: list[Grade]) -> None:
    """Per exercise how many solved it and how often each known mistake was met, the worst first."""
    handed_in = [grade for grade in grades if not grade.broken]
    ids = list(grades[0].feedback) if grades else []
    parts = []
    for id in sorted(ids, key=lambda id: sum(bool(grade.feedback[id]) for grade in handed_in)):
        tried = [grade for grade in handed_in if grade.feedback[id].voice != "Still missing"]
        solved = sum(bool(grade.feedback[id]) for grade in tried)
        met: dict[str, int] = {}
        for grade in tried:
            if id in grade.mistakes:
                met[grade.mistakes[id]] = met.get(grade.mistakes[id], 0) + 1
        rows = [("solved", solved), *sorted(met.items(), key=lambda item: -item[1])]
        other = len(tried) - solved - sum(met.values())
        rows += [("wrong in a way of its own", other)] if other else []
        rows += [("not tried", len(handed_in) - len(tried))] if len(tried) < len(handed_in) else []
        parts.append(f"<h2>{text(id)}</h2><table>{''.join(_bar(what, n, len(handed_in)) for what, n in rows)}</table>")
    body = f"<h1>What the class misunderstood</h1><p>{len(handed_in)} students; the hardest exercise first.</p>"
    path.write_text(page("What the class misunderstood", body + "".join(parts)), encoding="utf-8")


def _bar(what: str, count: int, total: int) -> str:
    share = count / total if total else 0.0
    said = re.sub(r"`([^`]+)`", r"<code>\1</code>", text(what))
    bar = f'<div class="bar"><div style="width:{share:.1%}"></div></div>'
    return f'<tr><td>{count}</td><td>{share:.0%}</td><td>{bar}</td><th scope="row">{said}</th></tr>'
