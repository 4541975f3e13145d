"""The set-up cell installs the course, or says how while the repository has no address."""

import sys
from pathlib import Path

import pytest

from book import course
from book.pages import setup_cells
from tests.copies import Copy

CHAPTER, EXERCISES = Path("chapters/4-adaptive-methods/2-adam.ipynb"), Path("exercises/4-adaptive-methods.ipynb")
ADDRESSES = {"https://github.com/someone/course": True, "https://github.com/OWNER/course": False}


@pytest.fixture(params=ADDRESSES)
def address(request, monkeypatch) -> str:
    """The repository's address, in both states."""
    for module in (course, setup_cells):
        monkeypatch.setattr(module, "repository", lambda: (request.param, "main"))
    return request.param


def test_an_address_is_set_or_not(address):
    assert course.has_address() == ADDRESSES[address]


def test_the_cell_installs_from_the_address_only_if_there_is_one(address):
    source = setup_cells.setup_source(CHAPTER)
    assert (f'"optcore @ git+{address}@main"' in source) == ADDRESSES[address] == ("%pip" in source)
    assert "OWNER" not in source
    assert setup_cells.setup_source(EXERCISES) == source + setup_cells.EXERCISE_IMPORTS


def test_without_an_address_it_says_what_to_do(monkeypatch):
    cell = setup_cells.CELL_WITHOUT_ADDRESS
    exec(cell, {})  # does nothing where the course is installed
    monkeypatch.setitem(sys.modules, "optcore", None)
    with pytest.raises(ModuleNotFoundError, match=r"^Run pip install '\.\[notebooks\]' in the course's folder, "):
        exec(cell, {})


@pytest.mark.parametrize("owner, there", [("OWNER", False), ("someone", True)])
def test_syncing_an_address_writes_it_everywhere(owner, there, tmp_path):
    copy = Copy(tmp_path / "copy")
    url = f"https://github.com/{owner}/elsewhere"
    before = copy.read(str(CHAPTER)).splitlines()
    copy.replace("_config.yml", f"  url: {course.repository()[0]}\n", f"  url: {url}\n")
    assert copy.sync().returncode == 0 and copy.sync("--check").returncode == 0
    for name in (CHAPTER, EXERCISES, "gallery.ipynb"):
        assert (f"git+{url}@main" in copy.read(str(name))) == there
    assert f"git+{url}@main" in copy.read("exercises/github-classroom.yml")
    changed = set(copy.read(str(CHAPTER)).splitlines()) - set(before)
    assert len(changed) == (0 if there == course.has_address() else 2)  # lines of the cell: what was run stays so
