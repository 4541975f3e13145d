"""Run by `make colab`: notebooks as Colab meets them, with the versions of requirements-colab.txt.

The kernel lives in an environment of its own (.venv-colab) that has never seen the course: the set-up cell installs
it, from this folder instead of from the repository's address. Then notebooks run, answers are checked, and every stored
widget is opened on a page of its own, because Colab shows each output in a frame of its own.
"""

import copy
import json
import os
import subprocess

import nbformat
import pytest
from nbclient import NotebookClient

from book.browser import opened
from book.course import GALLERY, ROOT, notebooks
from book.pages import setup_cells
from book.widgets import answer_quizzes, exercise_widgets
from optcore.grading.notebooks import file_name, notebook

PYTHON = ROOT / ".venv-colab" / "bin" / "python"
CHAPTER = "gradient-descent"
NOTEBOOKS = [GALLERY, *(path for path in notebooks() if path.name.startswith("1-"))]


def packages() -> dict[str, str]:
    """What is installed beside the kernel."""
    told = subprocess.check_output([PYTHON, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"])
    return {entry["name"].lower(): entry["version"] for entry in json.loads(told)}


@pytest.fixture(scope="session")
def execute(tmp_path_factory):
    """`execute(notebook)`: run it in a fresh kernel of the stand-in, in an empty folder; gives it back with outputs."""
    folder = tmp_path_factory.mktemp("colab")
    kernel = folder / "kernels" / "colab"
    kernel.mkdir(parents=True)
    argv = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Colab", "language": "python"}))
    (folder / "content").mkdir()

    def run(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
        nb = copy.deepcopy(nb)
        for cell in filter(setup_cells.is_setup, nb.cells):  # as it is when the repository has an address
            imports = cell.source[cell.source.find("\n\n") :] if "\n\n" in cell.source else ""
            cell.source = setup_cells.CELL.replace("git+{url}@{branch}", ROOT.as_uri()) + imports
        resources = {"metadata": {"path": str(folder / "content")}}
        NotebookClient(nb, timeout=300, kernel_name="colab", resources=resources).execute()
        return nb

    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), before]))
    yield run
    os.environ["JUPYTER_PATH"] = before or ""


@pytest.fixture(scope="session")
def solved(execute):
    """The exercises of a chapter with every solution in place, run where the course is not installed yet."""
    stored = json.loads((ROOT / "exercises" / file_name(CHAPTER)).read_text(encoding="utf-8"))
    setup = next(cell for cell in stored["cells"] if "setup" in cell["metadata"].get("tags", []))
    with_solutions = notebook(CHAPTER, ROOT, lambda exercise: exercise.solution, setup)
    subprocess.run([PYTHON, "-m", "pip", "uninstall", "-q", "-y", "optcore", "latex2mathml"], check=True)
    before = packages()
    done = execute(nbformat.reads(json.dumps(with_solutions), as_version=4))
    return done, before, packages()


def text(cell) -> str:
    """What a cell printed and returned, as text; what pip says is not the cell's."""
    if "setup" in cell.metadata.get("tags", []):
        return ""
    outputs = [o for o in cell.get("outputs", []) if o.get("name") != "stderr"]
    return "".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)


def test_the_stand_in_is_as_old_as_colab():
    assert packages()["ipython"] == "7.34.0" and packages()["ipywidgets"].startswith("7.7.")
    assert "anywidget" not in packages()


def test_the_set_up_cell_adds_the_course_and_changes_nothing_else(solved):
    _, before, after = solved
    assert "optcore" not in before and len(before) > 10
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"optcore", "latex2mathml"}


def test_answers_are_checked(solved):
    done, *_ = solved
    said = [text(cell) for cell in done.cells if "oc.check(" in cell.source and cell.cell_type == "code"]
    assert len(said) >= 4
    assert [words for words in said if "Correct" not in words] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_prints_what_is_stored_and_its_widgets_live_on_their_own(path, solved, execute, browser, tmp_path):
    stored = nbformat.read(path, as_version=4)
    done = execute(stored)
    assert [text(cell) for cell in done.cells] == [text(cell) for cell in stored.cells]
    bundles = [o.data for cell in done.cells for o in cell.get("outputs", []) if "data" in o]
    widgets = [data for data in bundles if "oc-widget" in data.get("text/html", "")]
    assert len(widgets) >= 2
    assert {name for data in widgets for name in data} == {"text/html", "text/plain"}  # no model: anywidget is missing
    for data in widgets:
        frame = tmp_path / "frame.html"
        frame.write_text(f"<!doctype html><meta charset=utf-8>{data['text/html']}", encoding="utf-8")
        with opened(browser, frame.as_uri()) as (page, record):
            found, quizzes = exercise_widgets(page), answer_quizzes(page)
            assert len(found) + len(quizzes) == 1
            assert all(widget.controls and not widget.dead for widget in found), found
            assert all(quiz["answers"] and not quiz["faults"] for quiz in quizzes), quizzes
            assert not record.errors and not record.external("file:")
