"""What was handed in, by whom and when: a folder or a zip, as a teacher keeps it or as Moodle and Canvas make it.

Nothing is unpacked to disk, links are not followed, and what a student may fill the machine with is bounded.
"""

import functools
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from .cells import SUFFIXES, is_code

MOST_FILES = 10  # of one student
_MOST_ZIPS, _MOST_ENTRIES, _DEPTH, _LARGEST_ZIP = 10, 1000, 3, 20 << 20  # within one student's zip
_MOODLE = re.compile(r"(?P<name>[^_]*)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_(?P<upload>\d+)_(?P<file>.+)", re.DOTALL)
_LITTER = re.compile(r"__MACOSX|\._.*|\.DS_Store|\.ipynb_checkpoints|__pycache__|Thumbs\.db|desktop\.ini|\.git")

_UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError)


@dataclass(frozen=True)
class File:
    """One file: its place in what was handed in, when it was made, what keeps us from opening it."""

    root: Path
    parts: tuple[str, ...]  # below the root, through zips
    time: datetime | None = None
    problem: str = ""
    attempt: int = 0  # the LMS' number
    base: str = ""  # the name that all attempts share, where there are any
    member: tuple[str, ...] = ()  # the way through zips: names of entries
    is_folder: bool = False  # an empty one

    @property
    def name(self) -> str:
        return self.parts[-1]

    def read(self, most: int) -> tuple[bytes, str]:
        """The content, or what keeps us from reading it."""
        try:
            return _inside(self.root, self.member, most) if self.member else _regular(self.root, most), ""
        except _UNREADABLE as error:
            return b"", "a symbolic link" if self.root.is_symlink() else f"cannot be read: {_reason(error)}"


@dataclass
class HandIn:
    """What counts of one student's files, the oldest first."""

    student: str
    id: str = ""  # the LMS' number
    late: bool = False  # according to the LMS, where it says so
    folder: str = ""  # the LMS' name for it
    files: list[File] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lms: str = ""  # "moodle" or "canvas"
    name: str = ""  # on the roster
    person: Any = None  # their row of the roster
    sent: datetime | None = None  # when it was handed in, according to the roster

    @property
    def label(self) -> str:
        """What to call them."""
        return self.name or self.student

    @property
    def time(self) -> datetime | None:
        return max((file.time for file in self.files if file.time), default=None)


def find_handins(where: Path) -> list[HandIn]:
    """One for each student, by name.

    A student is a notebook, a script, a zip or a folder of them; in a download of Moodle or Canvas, whoever is named in
    the file names, at the top or one level down. Of several versions of a file the newest counts.
    """
    found: dict[tuple[str, str], HandIn] = {}
    for file in _walk(where):
        parts = file.parts
        if not _lms(parts[0]) and len(parts) > 1 and _lms(parts[1]):
            parts = parts[1:]
        known = _lms(parts[0])
        name = known["name"] if known else _stem(parts[0], len(parts) == 1)
        handin = found.setdefault((name, known["id"] if known else ""), HandIn(name))
        if known:
            handin.id = known["id"]
            if "upload" in known.groupdict():
                handin.lms, handin.late = "canvas", handin.late or bool(known["late"])
                handin.folder = f"{known['name']}_{known['id']}_{known['upload']}"
                file = _numbered(file, known["file"]) if len(parts) == 1 else file
            else:
                handin.lms, handin.folder = "moodle", f"{known['name']}_{known['id']}_assignsubmission_file"
        handin.files.append(file)
    for handin in found.values():
        _choose(handin)
    return sorted(found.values(), key=lambda handin: (handin.student, handin.id))


def _lms(name: str) -> re.Match | None:
    return _MOODLE.fullmatch(name) or _CANVAS.fullmatch(name)


def _stem(name: str, is_file: bool) -> str:
    """A student's name from that of a file or folder."""
    suffix = next((s for s in (*SUFFIXES, ".zip") if name.lower().endswith(s)), None)
    return name[: -len(suffix)] if suffix else PurePosixPath(name).stem if is_file else name


def _numbered(file: File, name: str) -> File:
    """Canvas numbers what is handed in again: `name.ipynb`, `name-1.ipynb`, `name-2.ipynb`."""
    number = re.search(r"-(\d{1,4})(?=\.[^.]+(\.txt)?$)", name)
    base = name.replace(number[0], "", 1) if number else name
    return replace(file, attempt=int(number[1]) if number else 0, base=base)


def _choose(handin: HandIn) -> None:
    """Leave the files that count, and say which they are."""
    code = [file for file in handin.files if is_code(file.name) and not file.problem]
    broken = [file for file in handin.files if file.problem]
    versions: dict[str, File] = {}
    for file in sorted(code, key=_age):
        versions[file.base or "/".join(file.parts)] = file
    counted = sorted(versions.values(), key=_age)[-MOST_FILES:]
    if len(code) > 1:
        *_, older, newest = sorted(code, key=_age)
        by = next((what for what in ("attempt", "time") if getattr(older, what) != getattr(newest, what)), "name")
        some = f"; {len(counted)} of them count" if len(counted) < len(code) else ""
        handin.notes.append(f"{len(code)} files, the newest by {by} is {newest.name}{some}")
    if not code and not broken:
        alone = len(handin.files[0].parts) == 1 and not handin.files[0].is_folder
        others = "" if alone else "".join(f", but {file.name}" for file in handin.files[:1] if not file.is_folder)
        handin.notes.append("neither a notebook nor a script" if alone else f"no notebook in the folder{others}")
    handin.notes += [file.problem if len(handin.files) == 1 else f"{file.name}: {file.problem}" for file in broken[:3]]
    handin.files = counted


def _age(file: File) -> tuple:
    return file.attempt, file.time or datetime.min, _natural(file.name)


def _natural(name: str) -> list:
    """A key under which `hw-10` comes after `hw-9`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d{1,18}|\D+|\d+", name)]


# --- folders and zips -------------------------------------------------------------------------------------------------


def _walk(where: Path) -> Iterator[File]:
    if where.is_file():
        if not zipfile.is_zipfile(where):
            raise ValueError(f"{where} is neither a folder nor a zip.")
        yield from _walk_zip(where, (), ())
        return
    for folder, folders, names in os.walk(where, onerror=_complain):
        folders[:] = sorted(name for name in folders if not _LITTER.fullmatch(name))
        at = Path(folder)
        inside = at.relative_to(where).parts
        for name in [name for name in folders if (at / name).is_symlink()]:
            folders.remove(name)
            yield File(at / name, (*inside, name), problem="a symbolic link")
        if inside and not folders and not names:
            yield File(at, inside, is_folder=True)
        for name in sorted(names):
            path = at / name
            if _LITTER.fullmatch(name) or (name.startswith(".") and not is_code(name)):
                continue
            if path.is_symlink():
                yield File(path, (*inside, name), problem="a symbolic link")
            elif name.lower().endswith(".zip"):
                yield from _walk_zip(path, (*inside, name), ())
            else:
                yield File(path, (*inside, name), datetime.fromtimestamp(int(path.lstat().st_mtime)))


def _complain(error: OSError) -> None:
    raise error


def _walk_zip(root: Path, parts: tuple[str, ...], member: tuple[str, ...]) -> Iterator[File]:
    """The files of a zip; `member` is the way to it within others."""
    try:
        archive = _opened(root, member)
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _UNREADABLE as error:
        yield File(root, parts or (root.name,), problem=f"a zip that cannot be read: {_reason(error)}")
        return
    students_own = bool(parts)
    if students_own and len(entries) > _MOST_ENTRIES and not _lms(PurePosixPath(entries[0].filename).parts[0]):
        yield File(root, parts, problem=f"a zip of more than {_MOST_ENTRIES} files")
        return
    zips = 0
    for entry in sorted(entries, key=lambda entry: entry.filename):
        names = tuple(part for part in re.split(r"[/\\]", entry.filename) if part not in ("", ".", ".."))
        if not names or any(_LITTER.fullmatch(name) for name in names):
            continue
        if names[-1].lower().endswith(".zip"):
            zips += 1
            if len(member) + 1 >= _DEPTH or (member and zips > _MOST_ZIPS):
                yield File(root, parts + names, problem="too many zips within zips")
            else:
                yield from _walk_zip(root, parts + names, (*member, entry.filename))
        elif not names[-1].startswith(".") or is_code(names[-1]):
            yield File(root, parts + names, _time(entry), member=(*member, entry.filename))


def _time(entry: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*entry.date_time)
    except ValueError:
        return None


@functools.lru_cache(maxsize=4)
def _archive(path: Path, _changed: float) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _opened(root: Path, member: tuple[str, ...]) -> zipfile.ZipFile:
    if not member:
        return _archive(root, root.stat().st_mtime)
    return zipfile.ZipFile(io.BytesIO(_inside(root, member, _LARGEST_ZIP)))


def _inside(root: Path, member: tuple[str, ...], most: int) -> bytes:
    """The content of a zip's entry."""
    with _opened(root, member[:-1]).open(member[-1]) as entry:
        return _at_most(most, entry.read(most + 1))


def _regular(path: Path, most: int) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("not a file")
        return _at_most(most, file.read(most + 1))


def _at_most(most: int, content: bytes) -> bytes:
    if len(content) > most:
        raise ValueError(f"larger than {most >> 20} MB")
    return content


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
