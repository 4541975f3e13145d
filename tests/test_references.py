"""The bibliography: one style of key, complete entries, no source twice, and every citation has its entry."""

import re
from collections import Counter

from pybtex.database import parse_file

from book.course import ROOT, load, notebooks, source

ENTRIES = parse_file(ROOT / "references.bib").entries
CITATION = re.compile(r"\]\((?:\.\./)*bibliography\.md#([^)\s]+)\)")


def texts():
    """The Markdown of every page."""
    yield from (path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("*.md")))
    for path in notebooks():
        yield from (source(cell) for cell in load(path)["cells"] if cell["cell_type"] == "markdown")


def test_keys_are_author_year_word():
    assert len(ENTRIES) > 130
    for key, entry in ENTRIES.items():
        style = re.fullmatch(r"[a-z]+(\d{4})[a-z][a-z0-9]*", key)
        assert style and style[1] == entry.fields["year"], key


def test_entries_are_complete():
    venue = {"article": "journal", "inproceedings": "booktitle", "incollection": "booktitle", "book": "publisher"}
    for key, entry in ENTRIES.items():
        assert entry.persons["author"] and entry.fields["title"], key
        assert venue.get(entry.type, "title") in entry.fields, key


def test_no_source_stands_twice():
    for name in ("eprint", "doi"):
        found = Counter(entry.fields[name].lower() for entry in ENTRIES.values() if name in entry.fields)
        assert found and max(found.values()) == 1, found.most_common(1)


def test_every_citation_has_an_entry():
    # CONTRIBUTING.md shows how to cite; its example is an entry as well.
    cited = {key for text in texts() for key in CITATION.findall(text)}
    assert len(cited) > 100 and not cited - ENTRIES.keys()


def test_every_entry_is_cited():
    cited = {key for text in texts() for key in CITATION.findall(text)}
    assert not ENTRIES.keys() - cited
