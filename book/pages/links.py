"""The links to sources and terms on every page: citations read as references.bib says, and every link has its entry.

What the site makes of them says book/site/plain.py.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from pybtex.database import parse_file
from pybtex.richtext import Text

from book.course import GALLERY, ROOT, load, notebooks, source, stored

_LINK = re.compile(r"\[([^\][]*)\]\((?:\.\./)*(bibliography|glossary)\.md#([^)\s]*)\)")
_GLOSSARY = re.compile(r"^```\{glossary\}\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@cache
def citations() -> dict[str, tuple[str, str]]:
    """Key -> (author, year) of every source in references.bib, as the site writes them.

    >>> citations()["kingma2015adam"], citations()["cohen2021gradient"]
    (('Kingma and Ba', '2015'), ('Cohen et al.', '2021'))
    """
    found = {}
    for key, entry in parse_file(ROOT / "references.bib").entries.items():
        people = [person.prelast_names + person.last_names for person in entry.persons["author"]]
        names = [str(Text.from_latex(" ".join(parts))) for parts in people]
        few = len(names) < 3 and "others" not in names
        found[key] = (" and ".join(names) if few else f"{names[0]} et al.", entry.fields["year"])
    return found


@cache
def terms(root: Path = ROOT) -> dict[str, str]:
    """Anchor -> term of every entry in glossary.md.

    >>> terms()["term-condition-number"]
    'Condition number'
    """
    lines = "".join(_GLOSSARY.findall((root / "glossary.md").read_text(encoding="utf-8"))).splitlines()
    return {nodes.make_id(f"term-{line}"): line for line in lines if re.match(r"[^\s:]", line)}


def corrected(text: str, page: str) -> str:
    """A Markdown text with its citations written as references.bib says and its links leading up to the root.

    Bad keys raise ValueError. An author need only write the address: the text is filled in.

    >>> corrected("as [](bibliography.md#kingma2015adam) say", "chapters/4-adaptive-methods/2-adam.ipynb")
    'as [Kingma and Ba (2015)](../../bibliography.md#kingma2015adam) say'
    >>> corrected("Adam [(King, 2015)](bibliography.md#kingma2015adam)", "notation.md")
    'Adam [(Kingma and Ba, 2015)](bibliography.md#kingma2015adam)'
    """

    def link(match: re.Match) -> str:
        words, file, name = match[1], match[2], match[3]
        if name not in (citations() if file == "bibliography" else terms()):
            raise ValueError(f"{page}: {file}.md has no entry #{name}, which the link [{words}] names.")
        if file == "bibliography":
            author, year = citations()[name]
            words = f"({author}, {year})" if words.startswith("(") else f"{author} ({year})"
        return f"[{words or terms()[name]}]({'../' * page.count('/')}{file}.md#{name})"

    return _LINK.sub(link, text)


def sources() -> list[Path]:
    """Every notebook, and the pages beside them."""
    return [*notebooks(), GALLERY, *sorted((ROOT / "exercises").glob("*.ipynb")), *sorted(ROOT.glob("*.md"))]


def corrected_file(path: Path) -> str | None:
    """The text of a file with its links right, or None where they are."""
    page = path.relative_to(ROOT).as_posix()
    if path.suffix == ".md":
        before = path.read_text(encoding="utf-8")
        return after if (after := corrected(before, page)) != before else None
    nb = load(path)
    cells = [cell for cell in nb["cells"] if cell["cell_type"] == "markdown"]
    right = [corrected(source(cell), page) for cell in cells]
    if right == [source(cell) for cell in cells]:
        return None
    for cell, text in zip(cells, right, strict=True):
        cell["source"] = text.splitlines(keepends=True)
    return stored(nb)


def stale() -> dict[Path, str]:
    """The files with wrong links, as they should be written; a link that leads to no entry is refused."""
    return {path: text for path in sources() if (text := corrected_file(path)) is not None}
