"""bibliography.md, written from references.bib: a plain list with places that links lead to.

Jupyter and GitHub show the list; the site (book/site/plain.py) puts its own in its place.
"""

import re
from pathlib import Path

from pybtex.database import parse_file
from pybtex.plugin import find_plugin

from book.course import ROOT

PAGE = ROOT / "bibliography.md"
INTRODUCTION = """\
# Bibliography

The sources that the chapters cite, and those they recommend for further reading.

"""


def stale() -> dict[Path, str]:
    """bibliography.md, if it is out of date."""
    style, backend = find_plugin("pybtex.style.formatting", "plain")(), find_plugin("pybtex.backends", "markdown")()
    text = INTRODUCTION
    for entry in style.format_bibliography(parse_file(ROOT / "references.bib")):
        words = re.sub(r"\\([.()!-])", r"\1", entry.text.render(backend).replace("\n", " "))  # escapes without need
        text += f'- <a id="{entry.key}"></a>{words}\n'
    return {} if PAGE.read_text(encoding="utf-8") == text else {PAGE: text}
