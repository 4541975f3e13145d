"""Who is in the class: a CSV of names, numbers and e-mail addresses, joined with what was handed in.

Moodle's grading worksheet and list of participants, Canvas' gradebook, and any table with such columns will do.
"""

import csv
import io
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .handins import HandIn

_COLUMNS = {
    "name": ("full name", "name", "student", "student name"),
    "first": ("first name", "given name", "firstname"),
    "last": ("last name", "surname", "family name", "lastname"),
    "id": ("identifier", "id", "user id", "canvas id", "moodle id"),
    "number": ("id number", "sis user id", "student id", "student number", "number", "matriculation number"),
    "email": ("email address", "email", "e-mail", "e-mail address", "mail"),
    "login": ("sis login id", "login", "login id", "username"),
    "section": ("section",),
    "sent": ("last modified (submission)",),
    "graded": ("last modified (grade)",),
}
_TIMES = ("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%d %B %Y, %I:%M %p", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M")
_NOT_STUDENTS = ("points possible", "student, test")


@dataclass(frozen=True)
class Person:
    """One row of the roster; what it does not say is empty."""

    name: str
    id: str = ""  # the LMS'
    number: str = ""  # the university's
    email: str = ""
    login: str = ""
    section: str = ""
    sent: datetime | None = None  # when the LMS got the submission
    graded: str = ""  # when the LMS was last told a grade, in its own words


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV as spreadsheets write it: with or without a byte order mark, with `,`, `;` or tabs."""
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")  # Excel's "CSV"
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    return [
        {str(k): (v or "").strip() for k, v in row.items() if k is not None}
        for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    ]


def read_roster(path: Path) -> list[Person]:
    """The people in a file. Raises ValueError if it has no column of names."""
    people = []
    for row in read_table(path):
        by_kind = {kind: "" for kind in _COLUMNS}
        for column, value in row.items():
            kind = next((kind for kind, names in _COLUMNS.items() if column.strip().casefold() in names), None)
            if kind and not by_kind[kind]:
                by_kind[kind] = value
        name = by_kind["name"] or " ".join(filter(None, (by_kind["first"], by_kind["last"])))
        if name.casefold() in _NOT_STUDENTS:
            continue
        if ", " in name:  # "Lee, Anna"
            name = " ".join(reversed(name.split(", ", 1)))
        if not name:
            if not any(row.values()):
                continue
            raise ValueError(
                f"{path}: no name in {row}; it needs a column 'Full name', or 'First name' and 'Last name'."
            )
        found = {kind: by_kind[kind] for kind in ("number", "email", "login", "section", "graded")}
        people.append(Person(name, re.sub(r"\D", "", by_kind["id"]), **found, sent=_time(by_kind["sent"], path)))
    if not people:
        raise ValueError(f"{path} holds nobody.")
    return people


def _time(text: str, path: Path) -> datetime | None:
    if text in ("", "-"):
        return None
    for form in _TIMES:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(f"{path}: cannot read the time '{text}'; write it as 2026-11-30 23:59:00.")


def join(handins: list[HandIn], people: list[Person]) -> list[HandIn]:
    """One for each person and for each hand-in of nobody on the roster, by name.

    A hand-in is a person's if the LMS' number, else the e-mail address, number, login or name says so, and of nobody
    else.
    """
    whose: dict[int, Person] = {}
    for key_of_handin, key_of_person in _KEYS:
        by_key = defaultdict(list)
        for person in people:
            if key := key_of_person(person):
                by_key[key].append(person)
        for handin in handins:
            found = by_key.get(key_of_handin(handin), [])
            if len(found) == 1 and id(handin) not in whose:
                whose[id(handin)] = found[0]
    theirs = defaultdict(list)
    for handin in handins:
        if (known := whose.get(id(handin))) is None:
            handin.notes.append("not on the roster")
            continue
        theirs[known].append(handin)
        handin.name, handin.person, handin.sent = known.name, known, known.sent
        handin.id = handin.id or known.id
    for several in theirs.values():
        for handin in several if len(several) > 1 else ():
            others = ", ".join(other.student for other in several if other is not handin)
            handin.notes.append(f"the same person also handed in as {others}")
    absent = [
        HandIn(person.name, person.id, name=person.name, person=person, notes=["nothing was handed in"])
        for person in people
        if person not in theirs
    ]
    return sorted([*handins, *absent], key=lambda handin: (handin.label, handin.id))


def _plain(text: str) -> str:
    """A name without accents, case and more than one space.

    >>> _plain(" Zoë  Müller")
    'zoe muller'
    """
    apart = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).casefold().split())


def _letters(text: str) -> str:
    return "".join(c for c in _plain(text) if c.isalnum())


def _surname_first(person: Person) -> str:
    first, _, last = person.name.rpartition(" ")
    return _letters(last + first)


_KEYS: list[tuple[Callable[[HandIn], str], Callable[[Person], str]]] = [
    (lambda handin: handin.id, lambda person: person.id),
    (lambda handin: handin.student.casefold(), lambda person: person.email.casefold()),
    (lambda handin: handin.student, lambda person: person.number),
    (lambda handin: handin.student.casefold(), lambda person: person.login.casefold()),
    (lambda handin: _plain(handin.student), lambda person: _plain(person.name)),
    (lambda handin: _letters(handin.student), _surname_first),
    (lambda handin: _letters(handin.student), lambda person: _letters(person.name)),
]
