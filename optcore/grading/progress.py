"""What a reader has done so far, kept in one local file: `~/.optcore.json`, or where OPTCORE_PROGRESS says.

OPTCORE_PROGRESS=off keeps nothing. The file is small, readable JSON; deleting it starts the course afresh.
"""

import json
import os
from contextlib import suppress
from pathlib import Path


def where() -> Path | None:
    """The file, or None where nothing is kept."""
    named = os.environ.get("OPTCORE_PROGRESS", "")
    if named == "off":
        return None
    return Path(named) if named else Path.home() / ".optcore.json"


def load() -> dict[str, dict]:
    """What is kept, by exercise; a missing or broken file counts as an empty one."""
    path = where()
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_text()) if path else {}
        if isinstance(kept, dict):
            return {id: entry for id, entry in kept.items() if isinstance(entry, dict)}
    return {}


def note(exercise: str, **what) -> None:
    """Add to what is kept: numbers are added up, anything else is set. Where nothing can be written, nothing is."""
    path = where()
    if path is None:
        return
    kept = load()
    entry = kept.setdefault(exercise, {})
    for name, value in what.items():
        entry[name] = value if isinstance(value, bool) else entry.get(name, 0) + value
    with suppress(OSError):
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(kept, indent=1, sort_keys=True))
        fresh.replace(path)


class Progress:
    """How far the reader is, chapter by chapter; shown as text or as a table."""

    def __init__(self):
        from .catalogue import CHAPTERS, chapter

        kept = load()
        self.chapters = {name: [(e, kept.get(e.id, {})) for e in chapter(name)] for name in CHAPTERS if chapter(name)}

    def _rows(self) -> list[tuple[str, int, int, str]]:
        return [
            (
                name,
                sum(bool(entry.get("solved")) for _, entry in rows),
                len(rows),
                next((e.id for e, entry in rows if not entry.get("solved")), ""),
            )
            for name, rows in self.chapters.items()
        ]

    def __repr__(self) -> str:
        rows = self._rows()
        longest = max(total for _, _, total, _ in rows)
        return "\n".join(
            f"{name:18} {'#' * done + '.' * (total - done):{longest}}  {done} of {total}"
            + (f"  next: {coming}" if coming else "")
            for name, done, total, coming in rows
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{name}</th>"
            f"<td><progress max='{total}' value='{done}' aria-label='{name}'></progress></td>"
            f"<td>{done} of {total}</td><td>{coming}</td></tr>"
            for name, done, total, coming in self._rows()
        )
        head = "".join(f"<th scope='col'>{column}</th>" for column in ("chapter", "", "solved", "next"))
        return f"<table class='oc-progress'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def progress() -> Progress:
    """How far you are, chapter by chapter, from the file that `oc.check` keeps."""
    return Progress()
