"""Run by `make labs`: a notebook of each chapter in a real JupyterLab, with the newest anywidget and with an old one,
and the gallery in Notebook 7.

Old and Notebook 7 live in an environment of their own (.venv-labs). What is looked at is what `tests/test_lab.py` looks
at: still when opened, drawn when run, moved with mouse and keys, heard by Python and told by it, dark and light, opened
again. And each of these notebooks as a page that `jupyter nbconvert --to html` writes: as it is stored, and as Jupyter
has saved it.
"""

import shutil
import sys
from contextlib import ExitStack
from functools import cache
from importlib.metadata import version

import pytest

from book.course import GALLERY, ROOT, docname, notebooks, widgets_on
from tests.lab import converted
from tests.lab.faults import faults
from tests.lab.notebook import read
from tests.lab.server import jupyter

HERE, OLD = sys.executable, ROOT / ".venv-labs" / "bin" / "python"
ANYWIDGET = {HERE: version("anywidget"), OLD: "0.9.18"}


def kinds(path) -> list[str]:
    """The widgets that a notebook stores."""
    return widgets_on(docname(path))


def richest() -> list:
    """Of each chapter the notebook with the most widgets."""
    chapters = {path.parent: None for path in notebooks()}
    return [max(notebooks(f"chapters/{chapter.name}"), key=lambda path: len(kinds(path))) for chapter in chapters]


RICHEST = richest()
RUNS = [("lab", HERE, path) for path in RICHEST] + [("lab", OLD, path) for path in RICHEST]
RUNS += [("notebook", OLD, GALLERY)]


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """`place(app, python)`: one server for all notebooks, and the folder that it shows."""
    with ExitStack() as servers:

        @cache
        def serve(app, python):
            folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
            return servers.enter_context(jupyter(app, folder, home, python))

        yield serve


def test_there_is_a_notebook_of_each_chapter_and_two_versions_of_anywidget():
    assert len(RICHEST) == 8 and len({kind for path in RICHEST for kind in kinds(path)}) > 8
    assert ANYWIDGET[HERE] != ANYWIDGET[OLD]


@pytest.mark.parametrize(
    "app, python, path",
    RUNS,
    ids=[f"{app}-{ANYWIDGET[python]}-{path.parent.name}-{path.stem}" for app, python, path in RUNS],
)
def test_every_widget_lives_in_jupyter(app, python, path, place, browser, tmp_path):
    server, name = place(app, python), f"{path.parent.name}-{path.name}"
    shutil.copy(path, server.folder / name)
    with read(browser, server, name) as (notebook, complaints):
        found = faults(notebook, kinds(path))
        assert notebook.python("__import__('anywidget').__version__") == ANYWIDGET[python]
        notebook.shut_down()
    found += [f"as a page: {line}" for line in converted.faults(browser, server.folder / name, kinds(path), tmp_path)]
    assert not found + complaints, "\n".join(found + complaints)
    print(", ".join(kinds(path)))


@pytest.mark.parametrize("path", RICHEST, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_stored_notebook_lives_on_after_nbconvert(path, browser, tmp_path):
    assert converted.faults(browser, path, kinds(path), tmp_path) == []
