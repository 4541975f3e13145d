"""Write the exercise notebooks from the catalogue: `python -m book.pages.exercises`, or `--check` to only compare."""

import sys
import tempfile
from pathlib import Path

from book.course import ROOT
from optcore.grading.notebooks import write


def main(check: bool) -> int:
    changed = stale(ROOT / "exercises") if check else write(ROOT / "exercises", ROOT)
    for path in changed:
        print(f"exercises/{path.name}: {'out of date, run python -m book.pages.exercises' if check else 'written'}")
    return int(check and bool(changed))


def stale(folder: Path) -> list[Path]:
    """The notebooks in a folder that the catalogue would write differently."""
    with tempfile.TemporaryDirectory() as copies:
        for path in folder.glob("*.ipynb"):
            (Path(copies) / path.name).write_bytes(path.read_bytes())
        return write(Path(copies), ROOT)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
