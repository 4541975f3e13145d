"""The journal of a run: what each hand-in gave, written down at once, so that an interrupted run goes on from there.

The first line says whose cases and which exercises these are, each further one holds a hand-in. Only the journal's
owner may read it.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .feedback import CORRECT, HINT, MISSING, WORKING

_VERSION = 2
_VOICES = (CORRECT, HINT, MISSING, WORKING)
Place = tuple[str, str, str]  # a student, the LMS' number for them, and the digest of what they handed in


class Journal:
    """`entries[place]`: notes, and for each exercise the voice, text, case, share of cases that agree and file."""

    def __init__(self, path: Path, seed: str, exercises: Iterable[str]):
        """Open the journal or start it.

        Raises ValueError if it belongs to another seed or other exercises, or if another run is writing it.
        """
        salted = hashlib.scrypt(seed.encode(), salt=b"optcore", n=1 << 12, r=8, p=1).hex()
        head = json.dumps({"version": _VERSION, "seed": salted, "exercises": sorted(exercises)})
        self.entries: dict[Place, dict[str, Any]] = {}
        self.damaged: list[int] = []  # numbers of lines that could not be read
        self.file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.file.close()
            raise ValueError(f"Another run is writing {path}; wait for it, or give another -o.") from None
        lines = self.file.read().splitlines(keepends=True)
        if lines and lines[0].decode(errors="replace").rstrip() != head:
            self.file.close()
            raise ValueError(f"{path} belongs to another seed or to other exercises; give another -o, or --fresh.")
        torn = lines[-1:] if lines and not lines[-1].endswith(b"\n") else []
        for number, line in enumerate(lines[1:], 2):
            if (entry := _entry(line)) is not None and line.endswith(b"\n"):
                self.entries[_place(entry)] = entry
            elif line not in torn:
                self.damaged.append(number)
        kept = [json.dumps(entry).encode() + b"\n" for entry in self.entries.values()]
        if not lines or self.damaged or torn or len(kept) < len(lines) - 1:
            self._rewrite(path, [head.encode() + b"\n", *kept])

    def _rewrite(self, path: Path, lines: list[bytes]) -> None:
        """Replace the file as a whole, so that an interruption leaves the old one or the new one."""
        fresh = path.with_name(f"{path.name}.new")
        file = open(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
        fresh.replace(path)
        self.file.close()
        self.file = file

    def add(self, place: Place, notes: list[str], feedback: dict[str, dict[str, Any]]) -> None:
        """Write down what a hand-in gave."""
        self.entries[place] = {"at": list(place), "notes": notes, "feedback": feedback}
        self.file.write(json.dumps(self.entries[place]).encode() + b"\n")
        self.file.flush()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: Any) -> None:
        self.file.close()


def _place(entry: dict[str, Any]) -> Place:
    student, number, digest = entry["at"]
    return student, number, digest


def _entry(line: bytes) -> dict[str, Any] | None:
    """What a line holds, or nothing if it is not one that `add` wrote."""
    try:
        entry = json.loads(line)
        whole = (
            all(isinstance(part, str) for part in _place(entry) + tuple(entry["notes"]))
            and all(said["voice"] in _VOICES for said in entry["feedback"].values())
            and all(isinstance(said[name], str) for said in entry["feedback"].values() for name in _TEXTS)
            and all(0 <= said["share"] <= 1 for said in entry["feedback"].values())
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return entry if whole else None


_TEXTS = ("text", "case", "mistake", "file")
