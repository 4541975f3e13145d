"""Write everything that is generated from what is stated elsewhere: `make sync`, or `--check` to only compare."""

import sys

from book.course import ROOT
from book.pages import concepts, copies, front_page, setup_cells
from optcore.grading import notebooks as exercises

# Each gives the files that are out of date, with their new text. In this order: new exercises need a set-up cell.
PARTS = [
    lambda: exercises.stale(ROOT / "exercises", ROOT),
    setup_cells.stale,
    concepts.stale,
    front_page.stale,
    copies.stale,
]


def main(check: bool) -> int:
    stale = 0
    for part in PARTS:
        for path, text in part().items():
            stale += 1
            if not check:
                path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {'out of date, run make sync' if check else 'written'}")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
