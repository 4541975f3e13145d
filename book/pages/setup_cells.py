"""The first cell of every notebook, made from the repository's address in _config.yml.

The cell does nothing where the course is installed. On Colab and elsewhere it installs `optcore` alone: its floors are
met there, and raising a package that is already imported would ask for a restart.
"""

from pathlib import Path

import nbformat

from book.course import GALLERY, ROOT, notebooks, repository

CELL = """\
try:
    import optcore
except ModuleNotFoundError:  # Colab and other machines without the course
    %pip install -q --no-deps "optcore @ git+{url}@{branch}" latex2mathml"""
EXERCISE_IMPORTS = "\n\nimport numpy as np\nimport optcore as oc"


def setup_source(path: Path) -> str:
    """What the set-up cell of a notebook should hold."""
    url, branch = repository()
    return CELL.format(url=url, branch=branch) + (EXERCISE_IMPORTS if path.parent.name == "exercises" else "")


def is_setup(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell is the one that is written here."""
    return cell.cell_type == "code" and "setup" in cell.metadata.get("tags", [])


def update(path: Path) -> nbformat.NotebookNode | None:
    """The notebook with its set-up cell right, or None where it is right already."""
    nb, source = nbformat.read(path, as_version=4), setup_source(path)
    old = [cell for cell in nb.cells if is_setup(cell)]
    if len(old) == 1 and old[0].source == source:
        return None
    cell = nbformat.v4.new_code_cell(source, id="setup", metadata={"tags": ["setup", "hide-cell"]})
    nb.cells = [c for c in nb.cells if not is_setup(c)]
    nb.cells.insert(1, cell)  # after the title
    return nb


def stale() -> dict[Path, str]:
    """The notebooks whose set-up cell is out of date, as they should be written."""
    paths = [*notebooks(), GALLERY, *(ROOT / "exercises").glob("*.ipynb")]
    return {path: f"{nbformat.writes(nb)}\n" for path in paths if (nb := update(path))}
