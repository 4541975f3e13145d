"""Boxes, citations and glossary terms, written in plain Markdown so that a notebook reads right everywhere.

Jupyter, Colab and GitHub show the source as it is. The site makes of it:

- a quotation that begins with a title in bold (`> **Predict.** …`): a box, see BOXES;
- `<details><summary>Answer</summary>` … `</details>`, each on a line of its own between empty lines: a folded box;
- a link to `bibliography.md#KEY`: a citation. Its text is author and year, or both in round brackets; the list in
  bibliography.md: a bibliography that leads back to what cites it;
- a link to `glossary.md#term-NAME`: the glossary's term.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinxcontrib.bibtex.roles import CiteRole

from book.pages.links import terms

# Title in bold -> class of the box. The title may go on after a colon: "A common mistake: sum or mean."
BOXES = {"The question": "question", "Predict": "predict", "A common mistake": "errata"}
FOLDED = "dropdown"

_FOLD = re.compile(r"<details>\s*<summary>(.+)</summary>\s*")
_SOURCES = re.compile(r'(?:^- <a id="\w+"></a>.*\n)+', re.MULTILINE)
_log = logging.getLogger(__name__)


class PlainMarkdown(SphinxTransform):
    """Turn a page's quotations, folds and links into boxes, citations and terms."""

    default_priority = 100

    def apply(self) -> None:
        for fold in list(self.document.findall(nodes.raw)):
            self.fold(fold)
        for quote in list(self.document.findall(nodes.block_quote)):
            self.box(quote)
        for link in list(self.document.findall(pending_xref)):
            if link["reftype"] == "myst" and link.get("reftargetid"):
                {"bibliography": self.cite, "glossary": self.term}.get(link["reftarget"], lambda link: None)(link)

    def fold(self, opening: nodes.raw) -> None:
        """From `<details>` to `</details>`."""
        if not (match := _FOLD.fullmatch(opening.astext())):
            return
        siblings = opening.parent.children
        rest = siblings[siblings.index(opening) + 1 :]
        inside = []
        for node in rest:
            if isinstance(node, nodes.raw) and node.astext().strip() == "</details>":
                break
            inside.append(node)
        else:
            return _log.warning("<details> without </details> on a line of its own", location=opening)
        node.parent.remove(node)
        for part in inside:
            part.parent.remove(part)
        title = nodes.title(match[1], match[1])
        opening.replace_self(nodes.admonition("", title, *inside, classes=[FOLDED]))

    def box(self, quote: nodes.block_quote) -> None:
        """A quotation that begins with bold words."""
        first = quote.children[0] if quote.children else None
        if not isinstance(first, nodes.paragraph):
            return
        words = first.children
        if words[0] == "":  # the parser puts an empty text before bold words
            first.remove(words[0])
        if not (words and isinstance(bold := words[0], nodes.strong)):
            return
        kind = bold.astext().split(":")[0].removesuffix(".")
        if kind not in BOXES:
            return _log.warning("no box is called %r; there are: %s", kind, ", ".join(BOXES), location=first)
        first.remove(bold)
        if isinstance(last := bold.children[-1], nodes.Text):
            bold.replace(last, nodes.Text(last.removesuffix(".")))
        if words and isinstance(start := words[0], nodes.Text):
            first.replace(start, nodes.Text(start.lstrip()))
        body = quote.children if first.astext() else quote.children[1:]
        title = nodes.title(bold.rawsource, "", *bold.children)
        box = nodes.admonition(quote.rawsource, title, *body, classes=[BOXES[kind]])
        box.source, box.line = quote.source, quote.line
        quote.replace_self(box)

    def cite(self, link: pending_xref) -> None:
        """Author and year, with the source in the link's title. sphinxcontrib.bibtex names an unknown key."""
        style = "p" if link.astext().startswith("(") else "t"
        node = self.refer(link, "cite", style, link["reftargetid"], explicit=False)
        role = CiteRole()
        role.target = link["reftargetid"]
        role.result_nodes(self.document, self.env, node, is_ref=True)  # enters it into the bibliography

    def term(self, link: pending_xref) -> None:
        """The words of the link, which leads to the glossary's entry."""
        known = terms(Path(self.env.srcdir))
        if link["reftargetid"] in known:  # the parser names an unknown one
            self.refer(link, "std", "term", known[link["reftargetid"]], explicit=True)

    def refer(self, link: pending_xref, domain: str, kind: str, target: str, explicit: bool) -> pending_xref:
        """Put the reference that a role would have made in the place of a link."""
        words = nodes.inline("", "", *link.children[0].children, classes=["xref", domain, f"{domain}-{kind}"])
        node = pending_xref("", words, refdoc=self.env.docname, refwarn=True)
        node.attributes.update(refdomain=domain, reftype=kind, reftarget=target, refexplicit=explicit)
        node.source, node.line = link.source, link.line
        link.replace_self(node)
        return node


def list_sources(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the site's list of sources in the place of the plain one."""
    if docname == "bibliography":
        source[0] = _SOURCES.sub("```{bibliography}\n:all:\n:style: plain\n```\n", source[0])


def setup(app: Sphinx) -> None:
    """Called by extension.py."""
    app.connect("source-read", list_sources)
    app.add_transform(PlainMarkdown)
