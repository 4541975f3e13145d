"""The first cell of every notebook, made from the repository's address in _config.yml.

The cell does nothing where the course is installed. On Colab and elsewhere it installs `optcore` alone: its floors are
met there, and raising a package that is already imported would ask for a restart. While the repository has no address,
the cell says what to do.
"""

from pathlib import Path

from book.course import GALLERY, ROOT, has_address, load, notebooks, repository, source, stored

CELL = """\
try:
    import optcore
except ModuleNotFoundError:  # Colab and other machines without the course
    %pip install -q --no-deps "optcore @ git+{url}@{branch}" latex2mathml"""
CELL_WITHOUT_ADDRESS = """\
try:
    import optcore
except ModuleNotFoundError:
    raise ModuleNotFoundError("Run pip install '.[notebooks]' in the course's folder, then restart.") from None"""
EXERCISE_IMPORTS = "\n\nimport numpy as np\nimport optcore as oc"


def setup_source(path: Path) -> str:
    """What the set-up cell of a notebook should hold."""
    url, branch = repository()
    cell = CELL.format(url=url, branch=branch) if has_address() else CELL_WITHOUT_ADDRESS
    return cell + (EXERCISE_IMPORTS if path.parent.name == "exercises" else "")


def is_setup(cell: dict) -> bool:
    """Whether a cell is the one that is written here."""
    return cell["cell_type"] == "code" and "setup" in cell["metadata"].get("tags", [])


def update(path: Path) -> dict | None:
    """The notebook with its set-up cell right, or None where it is right already."""
    nb, wanted = load(path), setup_source(path)
    old = [cell for cell in nb["cells"] if is_setup(cell)]
    if [source(cell) for cell in old] == [wanted]:
        return None
    metadata = {"tags": ["setup", "hide-cell"]}
    new: dict = {"cell_type": "code", "execution_count": None, "id": "setup", "metadata": metadata, "outputs": []}
    cell = {**(old[0] if old else new), "source": wanted.splitlines(keepends=True)}
    nb["cells"] = [c for c in nb["cells"] if not is_setup(c)]
    nb["cells"].insert(1, cell)  # after the title
    return nb


def stale() -> dict[Path, str]:
    """The notebooks whose set-up cell is out of date, as they should be written."""
    paths = [*notebooks(), GALLERY, *(ROOT / "exercises").glob("*.ipynb")]
    return {path: stored(nb) for path in paths if (nb := update(path))}
