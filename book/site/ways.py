"""Ways through the book: numbers wherever a page is named, a trail above it, its concepts below it, its terms in it.

- "3.3 Momentum and Nesterov" in the sidebar, in links to the next page and in the search;
- above the page its chapter and number, which lead to the front page's map;
- below it the concepts that it teaches, each with a link to its place, from the list of chapters/concepts.json;
- the first use of each term of the glossary leads to its entry (terms that a page links itself are left alone).
"""

import html
import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref, toctree
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms import SphinxTransform

from book.course import ROOT, number
from book.pages import concepts
from book.pages.links import terms

_CARD = re.compile(r'<div class="(sd-card-title[^"]*)">\s*((\d) · [^<]*?)\s*</div>')
# No links in what is a link, code, a formula or a heading.
_CLOSED = (nodes.title, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.reference, pending_xref)
# Words that are mostly meant plainly.
_UNSAID = set(
    "Cost Depth Example Gain Gradient Input Label Layer Lion Model Parameter Parameters Plateau Point".split()
)
_UNSAID |= set("Seed Target Unit Variance Weight Weights Width".split())


def number_of(docname: str) -> str:
    """The number of a notebook's page, or nothing.

    >>> number_of("chapters/3-gradient-descent/3-momentum-and-nesterov"), number_of("glossary")
    ('3.3', '')
    """
    return number(Path(docname)) if docname.startswith("chapters/") else ""


# ---- numbers and trail ------------------------------------------------------------------------------------------


def number_title(app: Sphinx, _doctree: nodes.document) -> None:
    """The page's title where others name it; its own heading stays as it is."""
    docname = app.env.docname
    if which := number_of(docname):
        title = app.env.titles[docname]
        app.env.titles[docname] = nodes.title("", "", nodes.Text(f"{which} "), *(c.deepcopy() for c in title.children))
        next(app.env.tocs[docname].findall(nodes.reference)).insert(0, nodes.Text(f"{which} "))  # in the sidebar


def add_trail(_app: Sphinx, config: Config) -> None:
    """The trail stands beside the button of the sidebar."""
    config.html_theme_options["article_header_start"] = ["toggle-primary-sidebar.html", "trail.html"]


@cache
def captions(app: Sphinx) -> dict[str, str]:
    """Page -> caption of its part of the book."""
    trees = app.env.get_doctree(app.config.root_doc).findall(toctree)
    return {name: tree["caption"] for tree in trees for _, name in tree["entries"]}


def set_trail(app: Sphinx, docname: str, _template: str, context: dict, _doctree: nodes.document | None) -> None:
    """The part of the book that a page belongs to, its number, and where the front page shows that part."""
    caption = captions(app).get(docname, "")
    chapter = caption.split(" · ")[0]
    place = f"chapter-{chapter}" if chapter.isdigit() else ""
    context["trail"] = {"caption": caption, "number": number_of(docname), "place": place}


def number_cards(body: str) -> str:
    """The front page's cards as the places that trails lead to, with room for what the reader has done.

    >>> number_cards('<div class="sd-card-title x">\\n3 · Descent</div>')
    '<div class="sd-card-title x" id="chapter-3">3 · Descent <span class="oc-chapter"></span></div>'
    """
    return _CARD.sub(r'<div class="\1" id="chapter-\3">\2 <span class="oc-chapter"></span></div>', body)


# ---- concepts -----------------------------------------------------------------------------------------------------


@cache
def concepts_of() -> dict[str, dict[str, str]]:
    """Page's number -> {concept: anchor on the page}, in the order of the page's list."""
    index = concepts.read(ROOT)
    found: dict[str, dict[str, str]] = {}
    for concept in index.concepts:
        for place in index.places[concept.id]:
            found.setdefault(place.notebook, {})[concept.name] = place.link.split("#")[1]
    return found


def concept_list(app: Sphinx, docname: str) -> str:
    """What stands below a page: the concepts that it teaches."""
    taught = concepts_of().get(number_of(docname), {})
    if not taught:
        return ""
    links = "".join(f'<li><a href="#{anchor}">{html.escape(name)}</a></li>' for name, anchor in sorted(taught.items()))
    index = app.builder.get_relative_uri(docname, "concepts")
    return (
        '<nav class="page-concepts" aria-labelledby="page-concepts"><p id="page-concepts">Concepts on this page '
        f'(<a href="{index}">all concepts</a>)</p><ul>{links}</ul></nav>'
    )


# ---- terms ----------------------------------------------------------------------------------------------------------


@cache
def _patterns(root: Path) -> tuple[re.Pattern, dict[str, str]]:
    """One pattern for all terms, the longest first, and the entry of each spelling."""
    entries = {}
    for term in terms(root).values():
        if "(" in term or "," in term or term in _UNSAID:
            continue
        lower = term[0].lower() + term[1:] if not re.match(r"[A-Z][A-Z\d]|\w+[A-Z]", term) else term
        for spelling in {term, lower}:
            entries[spelling] = entries[f"{spelling}s"] = term
    words = "|".join(map(re.escape, sorted(entries, key=len, reverse=True)))
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])"), entries


class FirstUse(SphinxTransform):
    """Link the first use of each term on a page of a chapter."""

    default_priority = 120  # after plain.py, which makes the page's own links

    def apply(self) -> None:
        if not number_of(self.env.docname):
            return
        pattern, entries = _patterns(Path(self.env.srcdir))
        own = {link["reftarget"] for link in self.document.findall(pending_xref) if link.get("reftype") == "term"}
        seen = set(own)
        for text in list(self.document.findall(nodes.Text)):
            above = text.parent
            while above is not None and not isinstance(above, _CLOSED):
                above = above.parent
            if above is not None or not isinstance(text.parent, nodes.paragraph):
                continue
            parts: list[nodes.Node] = []
            start = 0
            for found in pattern.finditer(text):
                term = entries[found[0]]
                if term in seen:
                    continue
                seen.add(term)
                parts += [nodes.Text(text[start : found.start()]), self.link(found[0], term)]
                start = found.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[start:])])

    def link(self, words: str, term: str) -> pending_xref:
        inline = nodes.inline("", words, classes=["first-use"])
        node = pending_xref("", inline, refdoc=self.env.docname, refwarn=True)
        node.attributes.update(refdomain="std", reftype="term", reftarget=term, refexplicit=True)
        return node


def setup(app: Sphinx) -> None:
    """Called by extension.py."""
    app.connect("config-inited", add_trail)
    app.connect("doctree-read", number_title, priority=600)  # after Sphinx has taken the titles
    app.connect("html-page-context", set_trail, priority=100)  # the theme drops empty templates
    app.add_transform(FirstUse)
