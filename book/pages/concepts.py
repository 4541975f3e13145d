"""The concept index: what the course promises to teach, where it teaches it, and a check that it does.

`chapters/concepts.json` lists every concept under a fixed id (S1, S2, …) with the notebooks that teach it.
`chapters/<chapter>/concepts.json` names the place: {"S21": {"notebook": "3.1", "heading": "The update"}}.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import nbformat
from markdown_it.renderer import RendererHTML
from markdown_it.tree import SyntaxTreeNode
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import compute_unique_slug
from myst_parser.parsers.mdit import create_md_parser

from book.course import ROOT, number

INTRODUCTION = """\
# Concept index

Where each concept is taught. The number is that of the notebook.
Short definitions stand in the [glossary](glossary.md), symbols on the [notation](notation.md) page.
"""


@dataclass(frozen=True)
class Concept:
    """One promise: `notebooks` (numbers such as "3.1") teach `name`."""

    id: str
    name: str
    notebooks: tuple[str, ...]

    def notebooks_in(self, chapter: str) -> list[str]:
        return [number for number in self.notebooks if number.startswith(chapter + ".")]


@dataclass(frozen=True)
class Place:
    """A heading in a notebook, and the link to it."""

    notebook: str
    heading: str
    link: str


@dataclass
class Index:
    """The concepts, where they are taught, and what is wrong with that."""

    concepts: list[Concept]
    places: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)


def headings(notebook: Path) -> dict[str, str]:
    """Heading text (as written) -> anchor, as the book's Markdown parser computes it.

    Of two equal headings the first is meant.
    """
    parser = create_md_parser(MdParserConfig(enable_extensions={"dollarmath", "colon_fence"}), RendererHTML)
    cells = nbformat.read(notebook, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    anchors: dict[str, str] = {}
    used: list[str] = []
    for node in SyntaxTreeNode(parser.parse(text)).walk():
        if node.type == "heading":
            used.append(compute_unique_slug(node, used))
            anchors.setdefault(node.children[0].content, used[-1])
    return anchors


def read(root: Path = ROOT) -> Index:
    """Merge the chapters' maps into one index; everything amiss becomes a sentence in `problems`."""
    rows = json.loads((root / "chapters/concepts.json").read_text(encoding="utf-8"))
    index = Index([Concept(r["id"], r["concept"], (r["notebook"], *r.get("also", ()))) for r in rows])
    files = {number(path): path for path in sorted(root.glob("chapters/[0-9]*/[0-9]*.ipynb"))}
    anchors = {number: headings(path) for number, path in files.items()}
    for folder in sorted({path.parent for path in files.values()}):
        map_file = folder / "concepts.json"
        places = json.loads(map_file.read_text(encoding="utf-8")) if map_file.exists() else {}
        chapter = folder.name.split("-")[0]
        for problem in add_chapter(index, chapter, places, files, anchors):
            index.problems.append(f"{map_file.relative_to(root)}: {problem}")
    return index


def add_chapter(index: Index, chapter: str, places: dict, files: dict, anchors: dict) -> list[str]:
    """Add one chapter's places to the index and return what is wrong with them."""
    problems = []
    for concept in index.concepts:
        promised = concept.notebooks_in(chapter)
        place = places.get(concept.id)
        label = f"{concept.id} ({concept.name})"
        if place is None:
            if promised and all(number in files for number in promised):
                problems.append(f"{label} is not mapped to a heading of {' or '.join(promised)}")
        elif place["notebook"] not in promised:
            problems.append(f"{label} belongs to {', '.join(concept.notebooks)}, not to {place['notebook']}")
        elif place["heading"] not in anchors.get(place["notebook"], {}):
            problems.append(f"{label}: {place['notebook']} has no heading {place['heading']!r}")
        else:
            number, heading = place["notebook"], place["heading"]
            path = files[number].relative_to(files[number].parents[2]).as_posix()
            index.places[concept.id].append(Place(number, heading, f"{path}#{anchors[number][heading]}"))
    unknown = sorted(places.keys() - {concept.id for concept in index.concepts})
    return problems + [f"{name} is not in chapters/concepts.json" for name in unknown]


def render(index: Index) -> str:
    """The index page: concepts from A to Z, each with links to where it is taught."""
    entries: dict[str, set[Place]] = defaultdict(set)
    for concept in index.concepts:
        entries[concept.name].update(index.places[concept.id])
    taught = sorted((name for name in entries if entries[name]), key=str.casefold)
    lines = [INTRODUCTION]
    for letter, names in groupby(taught, key=lambda name: name[0].upper()):
        lines += [f"## {letter}", ""]
        for name in names:
            places = sorted(entries[name], key=lambda place: (place.notebook, place.link))
            links = "; ".join(f"{place.notebook} [{place.heading}]({place.link})" for place in places)
            lines.append(f"- **{name}**: {links}")
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def stale() -> dict[Path, str]:
    """concepts.md, if it is out of date; an index with gaps is refused."""
    index = read()
    if index.problems:
        raise ValueError("\n".join(index.problems))
    page, text = ROOT / "concepts.md", render(index)
    return {} if page.is_file() and page.read_text(encoding="utf-8") == text else {page: text}
