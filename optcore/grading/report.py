"""What a run of the class grader leaves behind: one row per student, and a page with the feedback."""

import csv
import html
from pathlib import Path

from .classroom import Grade

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
details { border-top: 1px solid #8888; padding: .4rem 0; } summary { cursor: pointer; }
.warn { font-weight: bold; } .notes { color: #b3382c; } .oc-feedback { margin: .4rem 0; }
@media (prefers-color-scheme: dark) { body { background: #16181c; color: #e6e6e6; } .notes { color: #ff9d90; } }
"""


def printable(text: str) -> str:
    """Text without characters that move the cursor, turn the writing round or cannot be encoded.

    >>> printable("a\\nb\\u202e"), printable("Zoë")
    ('a\\\\x0ab\\\\u202e', 'Zoë')
    """
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> cell("=1+1"), cell("anna")
    ("'=1+1", 'anna')
    """
    text = printable(text)
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text


def write_csv(path: Path, grades: list[Grade]) -> None:
    """One row per student: points, points that there are, 1 or 0 for each exercise, notes."""
    ids = list(grades[0].feedback) if grades else []
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "points", "of", *ids, "notes"])
        for grade in grades:
            rows.writerow(
                [
                    cell(grade.student),
                    "" if grade.broken else grade.points,
                    len(ids),
                    *("" if grade.broken else int(bool(grade.feedback[id])) for id in ids),
                    cell("; ".join(grade.notes)),
                ]
            )


def write_html(path: Path, grades: list[Grade], isolation: str) -> None:
    """The page for the teacher: how it was isolated, each exercise's share, each student's feedback."""
    total = len(grades)
    ids = list(grades[0].feedback) if grades else []
    shares = "".join(
        f"<tr><td>{html.escape(id)}</td><td>{solved} of {total}</td></tr>"
        for id in ids
        for solved in [sum(bool(grade.feedback[id]) for grade in grades)]
    )
    warn = ' class="warn"' if "WEAK" in isolation else ""
    path.write_text(
        f"""<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Grades</title>
<style>{_STYLE}</style>
<body><main><p{warn}>{html.escape(isolation)}</p>
<h1>Grades</h1>
<table><thead><tr><th scope="col">exercise</th><th scope="col">solved</th></tr></thead><tbody>{shares}</tbody></table>
<h2>Students</h2>
{"".join(map(_student, grades))}
</main></body></html>
""",
        encoding="utf-8",
    )


def _student(grade: Grade) -> str:
    notes = "".join(f"<li>{html.escape(printable(note))}</li>" for note in grade.notes)
    said = "".join(f"<h3>{html.escape(id)}</h3>{feedback._repr_html_()}" for id, feedback in grade.feedback.items())
    name = html.escape(printable(grade.student))
    return (
        f"<details><summary>{name}: {grade.points} of {len(grade.feedback)}</summary>"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + said
        + "</details>\n"
    )
