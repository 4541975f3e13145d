"""Notebooks are plain Markdown: Jupyter shows no markup of the site's, and the site makes of it what is meant."""

import re
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbconvert.filters import markdown2html
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.course import GALLERY, ROOT, docname, load, notebooks, source
from book.pages import links
from book.site import plain

NOTEBOOKS = [*notebooks(), GALLERY, *sorted((ROOT / "exercises").glob("*.ipynb"))]
MATHS = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)
RAW = {  # in the text that a reader sees, code and maths left out
    "a fence": r":::",
    "a comment": r"^\s*%",
    "a block break": r"^\s*\+\+\+",
    "a target": r"^\s*\([\w-]+\)=",
    "a footnote": r"\[\^",
    "attributes": r"\{[.#][\w-]+",
    "bold that is not": r"\*\*",
    "a quotation that is not": r"^\s*>",
    "a link that is not": r"\]\(",
}


def cells(path: Path) -> list[str]:
    return [source(cell) for cell in load(path)["cells"] if cell["cell_type"] == "markdown"]


def rendered(text: str) -> BeautifulSoup:
    """A Markdown cell as Jupyter shows it."""
    return BeautifulSoup(markdown2html(text), "html.parser")


def faults(text: str) -> list[str]:
    """What a reader of a Markdown cell in Jupyter would see of the site's markup."""
    return raw(rendered(text))


def raw(page: BeautifulSoup) -> list[str]:
    """The same of a cell that has been rendered."""
    found = [f"a directive: {code['class']}" for code in page.select("code[class*='{'], pre[class*='{']")]
    found += [f"a role: {role}" for role in re.findall(r"\{[\w:-]+\}\s*<code", str(page))]
    for quote in page.find_all("blockquote"):
        title = quote.strong and quote.strong.get_text().split(":")[0].removesuffix(".")
        found += [] if title in plain.BOXES else [f"a quotation of no kind: {quote.get_text()[:40]!r}"]
    for code in page.find_all(["code", "pre"]):
        code.decompose()
    seen = MATHS.sub(" ", page.get_text())
    found += [f"{name} in {seen!r}" for name, pattern in RAW.items() if re.search(pattern, seen, re.MULTILINE)]
    return found + [f"a key: {word}" for word in re.findall(r"\w+", seen) if word in links.citations()]


def counted(page: BeautifulSoup) -> Counter:
    """Boxes, citations and terms of a page as Jupyter shows it."""
    boxes = (strong.get_text().split(":")[0].removesuffix(".") for strong in page.select("blockquote strong"))
    found = Counter(plain.BOXES[title] for title in boxes if title in plain.BOXES)
    found["dropdown"] = len(page.select("details > summary"))
    found["citation"] = len(page.select("a[href*='bibliography.md#']"))
    found["term"] = len(page.select("a[href*='glossary.md#']"))
    return found


def on_the_site(page: BeautifulSoup) -> Counter:
    """The same of a built page."""
    article = page.article or page
    found = Counter(
        {name: len(article.select(f"div.admonition.{name}")) for name in [*plain.BOXES.values(), plain.FOLDED]}
    )
    found["citation"] = len(article.select(".bibtex-citation a[href*='bibliography.html#']"))
    found["term"] = len(article.select("a[href*='glossary.html#term-'] > .std-term"))
    assert not article.select("blockquote")
    return found


@pytest.fixture(scope="module")
def seen() -> dict[str, Counter]:
    """What each notebook holds."""
    return {docname(path): counted(rendered("\n\n".join(cells(path)))) for path in NOTEBOOKS}


def test_jupyter_shows_no_markup_of_the_site():
    texts = [(path, text) for path in NOTEBOOKS for text in cells(path)]
    assert len(NOTEBOOKS) > 30 and len(texts) > 500, len(texts)
    assert not [f"{path.name}: {fault}" for path, text in texts for fault in faults(text)]


def test_the_site_shows_the_boxes_citations_and_terms_of_the_notebooks(seen, built_book):
    total = sum(seen.values(), Counter())
    assert total["predict"] > 80 and total["errata"] > 60 and total["dropdown"] > 0
    assert total["citation"] > 200 and total["term"] > 40, total
    pages = {page: (built_book[0] / f"{page}.html").read_text(encoding="utf-8") for page in seen}
    built = {page: on_the_site(BeautifulSoup(text, "html.parser")) for page, text in pages.items()}
    assert built == seen


def test_a_citation_leads_to_its_entry(built_book):
    chapter = (built_book[0] / "chapters/4-adaptive-methods/2-adam.html").read_text(encoding="utf-8")
    (link, *_) = BeautifulSoup(chapter, "html.parser").select("a[href$='bibliography.html#kingma2015adam']")
    assert link["title"].startswith("Diederik P. Kingma and Jimmy Ba. Adam")
    entries = BeautifulSoup((built_book[0] / "bibliography.html").read_text(encoding="utf-8"), "html.parser").article
    assert "Jimmy Ba" in entries.find(id="kingma2015adam").get_text()
    assert {entry["id"] for entry in entries.select("[role=listitem]")} == set(links.citations())


def test_the_plain_list_has_a_place_for_every_source():
    places = re.findall(
        r'^- <a id="(\w+)"></a>\S', (ROOT / "bibliography.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(places) > 130 and sorted(places) == sorted(links.citations())


def test_every_link_reads_as_its_source_says():
    assert len(links.sources()) > len(NOTEBOOKS)
    assert not links.stale(), "make sync corrects them"


@pytest.mark.parametrize(
    "text, page, right",
    [
        ("[Kingma (2014)](bibliography.md#kingma2015adam)", "a.md", "[Kingma and Ba (2015)](bibliography.md#{})"),
        ("[](../bibliography.md#kingma2015adam)", "b/a.ipynb", "[Kingma and Ba (2015)](../bibliography.md#{})"),
        ("[()](bibliography.md#kingma2015adam)", "b/a.ipynb", "[(Kingma and Ba, 2015)](../bibliography.md#{})"),
        ("[](glossary.md#term-adam)", "c/b/a.ipynb", "[Adam](../../glossary.md#term-adam)"),
        ("[this rule](glossary.md#term-adam)", "a.md", "[this rule](glossary.md#term-adam)"),
    ],
)
def test_links_are_corrected(text, page, right):
    assert links.corrected(text, page) == right.format("kingma2015adam")


@pytest.mark.parametrize("link", ["bibliography.md#kingma2016adam", "glossary.md#term-madam"])
def test_an_unknown_entry_is_named_with_its_page(link):
    with pytest.raises(ValueError, match=rf"^chapters/x\.ipynb: .* #{link.split('#')[1]}"):
        links.corrected(f"see [that]({link})", "chapters/x.ipynb")


@pytest.fixture
def small_site(tmp_path):
    """`small_site(text)`: (the page as built, the warnings of the build)."""

    def build(text: str) -> tuple[BeautifulSoup, str]:
        (tmp_path / "index.md").write_text(f"# Page\n\n{text}\n\n```{{toctree}}\nglossary\nbibliography\n```\n")
        (tmp_path / "glossary.md").write_text("# Terms\n\n```{glossary}\nFan-in, fan-out\n  Numbers.\n```\n")
        (tmp_path / "bibliography.md").write_text('# Sources\n\n- <a id="ba2016a"></a>J. Ba. T. 2016.\n')
        (tmp_path / "references.bib").write_text("@misc{ba2016a, author={Ba, J.}, title={T}, year={2016}}")
        config = {
            "extensions": ["myst_parser", "sphinxcontrib.bibtex", "book.site.plain"],
            "bibtex_bibfiles": ["references.bib"],
        }
        config |= {"myst_enable_extensions": ["dollarmath"], "html_theme": "basic"}
        said = StringIO()
        out = tmp_path / "out"
        with docutils_namespace():
            Sphinx(tmp_path, None, out, out, "html", confoverrides=config, status=None, warning=said).build()
        return BeautifulSoup((out / "index.html").read_text(encoding="utf-8"), "html.parser"), said.getvalue()

    return build


def test_what_stands_in_a_box_survives(small_site):
    text = """\
    > **A common mistake: $a$ and `b`.** First words.
    > More of them.
    >
    > 1. one, $c$
    > 2. two
    >
    > ```python
    > d = 1
    > ```
    >
    > $$e = f$$
    >
    > > **Predict.**
    > >
    > > - inner

    <details><summary>Answers</summary>

    > **Predict.** folded [fan-in](glossary.md#term-fan-in-fan-out) and [Ba (2016)](bibliography.md#ba2016a)

    </details>"""
    page, said = small_site("\n".join(line.strip() for line in text.splitlines()))
    assert not said
    outer, inner, fold, folded = page.select("div.admonition")
    assert [box["class"][0] for box in (outer, inner, fold, folded)] == ["errata", "predict", "dropdown", "predict"]
    titles = [box.find(class_="admonition-title").get_text() for box in (outer, inner, fold, folded)]
    assert re.fullmatch(r"A common mistake: \\\(a\\\) and b", titles[0])
    assert titles[1:] == ["Predict", "Answers", "Predict"]
    assert outer.find_all("p")[1].get_text() == "First words.\nMore of them."
    assert len(outer.select("ol > li")) == 2 and outer.select(".highlight") and outer.select("div.math")
    assert inner in outer.descendants and inner.select("ul > li") and len(inner.find_all("p")) == 2
    assert folded in fold.descendants and folded.select(".std-term") and folded.select(".bibtex-citation")
    assert page.select("a[href='glossary.html#term-Fan-in-fan-out']")


@pytest.mark.parametrize(
    "text, said",
    [
        ("see [Ba (2017)](bibliography.md#ba2017a)", 'could not find bibtex key "ba2017a"'),
        ("a [term](glossary.md#term-none)", "local id not found in doc 'glossary': 'term-none'"),
        ("> **Predcit.** How many?", "no box is called 'Predcit'"),
        ("<details><summary>Answer</summary>\n\nNever closed.", "<details> without </details>"),
    ],
)
def test_the_build_names_the_page_and_what_is_wrong(text, said, small_site):
    warnings = small_site(text)[1]
    assert re.search(rf"index\.md:\d+: WARNING: {re.escape(said)}", warnings), warnings
    assert warnings.count("WARNING") == 1


# ---- the check can fail -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, fault",
    [
        (":::{admonition} Predict\n:class: predict\n\nHow many?\n:::", "a fence"),
        ("```{note}\nwords\n```", "a directive"),
        ("as {cite:t}`kingma2015adam` say", "a role"),
        ("as kingma2015adam say", "a key"),
        ("words\n\n% a comment", "a comment"),
        ("(label)=\n## Heading", "a target"),
        ("words[^1]\n\nwords", "a footnote"),
        ("> How many?", "a quotation of no kind"),
        ("**Predict. ** How many?", "bold that is not"),
        ("[Ba](<a b", "a link that is not"),
    ],
)
def test_canary_markup_is_noticed(text, fault):
    assert [found for found in faults(text) if found.startswith(fault)], faults(text)


def test_canary_what_is_plain_is_left_alone():
    text = "> **Predict.** $x^{2}$ with 50 % of `{cite:t}` in [Ba (2016)](../../bibliography.md#ba2016layer).\n>\n> - a"
    assert faults(text) == []
    assert counted(rendered(text)) == {"predict": 1, "citation": 1, "term": 0, "dropdown": 0}
