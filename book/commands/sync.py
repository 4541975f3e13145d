"""Write everything that is generated from what is stated elsewhere: `make sync`.

`--check` only compares; `--before-run` leaves out what is written from the outputs of a run (`make run` begins so).
"""

import sys

from book.course import ROOT
from book.pages import bibliography, comparisons, concepts, copies, front_page, links, minutes, setup_cells, signatures
from optcore.grading import notebooks as exercises

# Each gives the files that are out of date, with their new text; a ValueError says why it cannot.
# In this order: new exercises need a set-up cell.
PARTS = [
    lambda: exercises.stale(ROOT / "exercises", ROOT),
    setup_cells.stale,
    front_page.stale,
    copies.stale,
    links.stale,
    bibliography.stale,
    concepts.stale,
    minutes.stale,
    signatures.stale,
]
FROM_OUTPUTS = [comparisons.stale]


def main(check: bool = False, before_run: bool = False) -> int:
    faults = 0
    for part in PARTS if before_run else [*PARTS, *FROM_OUTPUTS]:
        try:
            stale = part()
        except ValueError as problem:
            print(problem, file=sys.stderr)
            faults += 1
            continue
        faults += check * len(stale)
        for path, text in stale.items():
            if not check:
                path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {'out of date, run make sync' if check else 'written'}")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:], "--before-run" in sys.argv[1:]))
