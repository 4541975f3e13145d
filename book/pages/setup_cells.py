"""Write the first cell of every notebook from the repository's address in _config.yml; `--check` only compares.

The cell does nothing where the course is installed. On Colab and elsewhere it installs `optcore` alone: its floors are
met there, and raising a package that is already imported would ask for a restart.
"""

import sys
from pathlib import Path

import nbformat
import yaml

from book.course import GALLERY, ROOT, notebooks

CELL = """\
try:
    import optcore
except ModuleNotFoundError:  # Colab and other machines without the course
    %pip install -q --no-deps "optcore @ git+{url}@{branch}" latex2mathml"""
EXERCISE_IMPORTS = "\n\nimport numpy as np\nimport optcore as oc"


def setup_source(path: Path, root: Path = ROOT) -> str:
    """What the set-up cell of a notebook should hold."""
    repository = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    cell = CELL.format(url=repository["url"].rstrip("/"), branch=repository["branch"])
    return cell + (EXERCISE_IMPORTS if path.parent.name == "exercises" else "")


def is_setup(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is the one that this script writes."""
    return cell.cell_type == "code" and "setup" in cell.metadata.get("tags", [])


def update(path: Path, root: Path = ROOT) -> nbformat.NotebookNode | None:
    """The notebook with its set-up cell right, or None where it is right already."""
    nb, source = nbformat.read(path, as_version=4), setup_source(path, root)
    old = [cell for cell in nb.cells if is_setup(cell)]
    if len(old) == 1 and old[0].source == source:
        return None
    cell = nbformat.v4.new_code_cell(source, id="setup", metadata={"tags": ["setup", "hide-cell"]})
    nb.cells = [c for c in nb.cells if not is_setup(c)]
    nb.cells.insert(1, cell)  # after the title
    return nb


def main(check: bool) -> int:
    paths = [*notebooks(), GALLERY, *notebooks("exercises")]
    changed = [(path, nb) for path in paths if (nb := update(path))]
    for path, nb in changed:
        if not check:
            nbformat.write(nb, path)
        print(
            f"{path.relative_to(ROOT)}: {'out of date, run python -m book.pages.setup_cells' if check else 'written'}"
        )
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
