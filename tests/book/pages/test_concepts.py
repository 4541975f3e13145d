"""The concept index: every concept of a finished chapter is taught, under a heading that exists."""

import json

import nbformat
import pytest

from book.course import notebooks, number
from book.pages import concepts

MAP = "chapters/3-descent/concepts.json"
PROMISED = [
    {"id": "S1", "concept": "step size", "notebook": "3.1"},
    {"id": "S2", "concept": "Adam", "notebook": "3.1", "also": ["3.2"]},
    {"id": "S3", "concept": "step size", "notebook": "3.2"},
]


@pytest.fixture
def course(tmp_path):
    """A course of one chapter: `course(places, notebooks)` writes it and reads its index."""

    def write(places=None, notebooks=None):
        folder = tmp_path / "chapters/3-descent"
        folder.mkdir(parents=True, exist_ok=True)
        (tmp_path / "chapters/concepts.json").write_text(json.dumps(PROMISED))
        for name, text in (notebooks or {"1-first": "# First\n\n## The step $\\eta$"}).items():
            cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("# not a heading")]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
        if places is not None:
            (folder / "concepts.json").write_text(json.dumps(places))
        return concepts.read(tmp_path)

    return write


def at(heading, notebook="3.1"):
    return {"notebook": notebook, "heading": heading}


def test_the_promise_is_complete():
    promised = concepts.read().concepts
    assert [concept.id for concept in promised] == [f"S{i}" for i in range(1, len(promised) + 1)] and len(
        promised
    ) > 100
    assert {one for concept in promised for one in concept.notebooks} == {number(path) for path in notebooks()}
    assert all(concept.name == concept.name.strip() != "" for concept in promised)


def test_names_differ_in_more_than_capitals():
    names = {concept.name for concept in concepts.read().concepts}
    assert len(names) == len({name.casefold() for name in names}) > 100


def test_finished_chapters_teach_what_they_promise():
    assert concepts.read().problems == []


def test_a_missing_concept_is_named(course):
    assert course({}).problems == [f"{MAP}: S1 (step size) is not mapped to a heading of 3.1"]


def test_a_chapter_without_a_map_is_noticed(course):
    assert len(course(None).problems) == 1


def test_a_concept_is_due_when_all_its_notebooks_of_the_chapter_exist(course):
    both = {"1-first": "# First", "2-second": "# Second"}
    problems = course({"S1": at("First"), "S3": at("Second", "3.2")}, both).problems
    assert problems == [f"{MAP}: S2 (Adam) is not mapped to a heading of 3.1 or 3.2"]


@pytest.mark.parametrize(
    "place, said",
    [
        ({"S1": at("The step")}, "S1 (step size): 3.1 has no heading 'The step'"),
        ({"S1": at("not a heading")}, "S1 (step size): 3.1 has no heading 'not a heading'"),
        ({"S1": at("First", "3.2")}, "S1 (step size) belongs to 3.1, not to 3.2"),
        ({"S1": at("First"), "S9": at("First")}, "S9 is not in chapters/concepts.json"),
    ],
)
def test_wrong_places_are_named(course, place, said):
    assert course(place).problems == [f"{MAP}: {said}"]


def test_headings_have_the_anchors_of_the_book(course, tmp_path):
    text = "# A *b* `c`, d\n\n```python\n# no\n```\n\n## Twice\n\n## Twice\n\nUnder\n---"
    course(notebooks={"1-first": text})
    assert concepts.headings(tmp_path / "chapters/3-descent/1-first.ipynb") == {
        "A *b* `c`, d": "a-b-c-d",
        "Twice": "twice",
        "Under": "under",
    }


def test_the_page_sorts_concepts_and_joins_their_places(course):
    notebooks = {"1-first": "# First\n\n## The step $\\eta$", "2-second": "# Second"}
    index = course({"S1": at("The step $\\eta$"), "S2": at("First"), "S3": at("Second", "3.2")}, notebooks)
    assert index.problems == []
    folder = "chapters/3-descent"
    assert concepts.render(index).removeprefix(concepts.INTRODUCTION).splitlines() == [
        "",
        "## A",
        "",
        f"- **Adam**: 3.1 [First]({folder}/1-first.ipynb#first)",
        "",
        "## S",
        "",
        f"- **step size**: 3.1 [The step $\\eta$]({folder}/1-first.ipynb#the-step-); "
        f"3.2 [Second]({folder}/2-second.ipynb#second)",
    ]
