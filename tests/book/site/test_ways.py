"""Numbers, trails, concepts and terms lead through the book."""

import re

import pytest
from bs4 import BeautifulSoup

from book.course import docname, notebooks, number, pages, title
from book.pages import concepts
from book.pages.links import terms

NUMBERS = {docname(path): number(path) for path in notebooks()}


@pytest.fixture(scope="module")
def built(built_book) -> dict[str, BeautifulSoup]:
    """Every page of a chapter."""
    read = lambda name: BeautifulSoup((built_book[0] / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    return {name: read(name) for name in NUMBERS}


def test_pages_carry_their_numbers(built):
    assert len(built) == len(notebooks()) >= 27
    for name, page in built.items():
        links = {a.get_text(strip=True) for a in page.select(".bd-links li.toctree-l1 > a")}
        names = {f"{number(path)} {title(path)}".replace("'", "’") for path in notebooks()}
        assert names <= links, names - links
        assert page.select_one(".trail [aria-current]").get_text(strip=True).endswith(NUMBERS[name])
        assert page.select_one(".trail a")["href"].endswith(f"intro.html#chapter-{NUMBERS[name][0]}")
        after = [p.get_text() for p in page.select(".prev-next-title")]
        assert all(re.match(r"\d\.\d |Exercises|Optimization|Gallery", words) for words in after) and after


def test_every_page_names_its_concepts_and_every_concept_has_its_page(built):
    index = concepts.read()
    taught = {name: set() for name in built}
    for concept in index.concepts:
        assert index.places[concept.id], concept
        for place in index.places[concept.id]:
            taught[place.link.split(".ipynb")[0]].add((concept.name, f"#{place.link.split('#')[1]}"))
    for name, page in built.items():
        links = {(a.get_text(), a["href"]) for a in page.select(".page-concepts li a")}
        assert links and {words for words, _ in links} == {words for words, _ in taught[name]}, name
        assert links <= taught[name] and all(page.find(id=anchor[1:]) for _, anchor in links)


def test_the_first_use_of_a_term_leads_to_the_glossary(built):
    known = {term.lower().replace("'", "’") for term in terms().values()}
    found = {name: page.select("article a:has(> .first-use)") for name, page in built.items()}
    assert all(len(links) >= 4 for links in found.values()), {name: len(links) for name, links in found.items()}
    for name, links in found.items():
        places = [link["href"] for link in links]
        assert len(set(places)) == len(places), name
        assert all("glossary.html#term-" in place for place in places)
        words = {link.get_text().lower() for link in links}
        assert {word for word in words if word not in known and word.removesuffix("s") not in known} == set()
    own = {name: {a["href"] for a in page.select("article a:has(> .std-term)")} for name, page in built.items()}
    assert sum(map(len, own.values())) > 20
    assert not [name for name, links in found.items() if own[name] & {link["href"] for link in links}]


def test_there_are_terms_in_text_only(built):
    inside = [link for page in built.values() for link in page.select(":is(h1, h2, h3, pre, code, a a) .first-use")]
    assert len(pages()) > 40 and inside == []
