"""The search finds pages: in every spelling of a compound, as students type, those that teach first."""

from urllib.parse import quote

import pytest

from book.browser import axe, opened, search_results
from book.course import notebooks, number
from tests.book.site.queries import TERMS, TYPED

RANK = "queries => queries.map(query => Search.rank(query).map(found => Search.index.docnames[found.page]))"


@pytest.fixture(scope="module")
def rank(site, browser):
    """`rank(queries)`: the pages found for each, best first."""
    with opened(browser, f"{site}/search.html?q=momentum") as (page, _):
        search_results(page)
        yield lambda queries: page.evaluate(RANK, list(queries))


def test_sixty_queries_find_their_page(rank):
    queries = TERMS | TYPED
    assert (len(TERMS), len(TYPED)) == (30, 30) and len(queries) == 60
    names = {number(path): "/".join(path.with_suffix("").parts[-3:]) for path in notebooks()}
    wanted = [names.get(page, page) for page in queries.values()]
    places = [[*found[:3], want].index(want) for found, want in zip(rank(queries), wanted, strict=True)]
    late = {query: place + 1 for query, place in zip(queries, places, strict=True) if place}
    assert len(late) <= 5 and max(late.values(), default=1) <= 3, late


def test_words_of_a_question_count_nothing(rank):
    plain, asked, idle = rank(["learning rate", "why should I use a learning rate vs what", "how"])
    assert plain and asked == plain and isinstance(idle, list)


def test_any_word_is_enough_where_all_find_nothing(rank):
    both, one, none = rank(["momentum zzgrmbl", "momentum", "zzgrmbl"])
    assert both and both[0] == one[0] == "chapters/3-gradient-descent/3-momentum-and-nesterov" and none == []


def test_pages_that_teach_come_before_exercises_and_lists(rank):
    for found in rank(["momentum", "adam", "convex function", "dropout"]):
        lists = [at for at, page in enumerate(found) if page.startswith(("exercises/", "glossary", "notation"))]
        assert lists and found[0].startswith("chapters/") and lists[0] >= 2, found[:5]


@pytest.mark.parametrize(
    "spellings",
    [
        ("warm-up", "warmup", "Warm up"),
        ("mini-batch", "minibatch", "mini batches"),
        ("learning-rate", "learning rate"),
        ("weight-decay", "weight decay"),
        ("nesterov", "nestorov", "nesterv"),
    ],
)
def test_the_search_takes_every_spelling(spellings, rank):
    found = rank(spellings)
    assert found[0] and all(pages[0] == found[0][0] for pages in found), dict(zip(spellings, found, strict=True))


def test_the_search_page_lists_what_it_finds(site, browser):
    with opened(browser, f"{site}/search.html?q={quote('saddle point')}") as (page, record):
        assert "/chapters/2-convexity/2-non-convex-landscapes.html" in search_results(page)
        page.wait_for_selector("#search-results .context")
        first = page.locator("#search-results li").first
        assert first.locator("a").get_attribute("href").startswith("chapters/2-convexity/2-non-convex-landscapes.html")
        assert "saddle" in first.inner_text().lower()
        assert not axe(page) and not record.errors and not record.external(site)
        page.goto(f"{site}/search.html?q=zzgrmbl")
        assert search_results(page) == [] and "Nothing found" in page.inner_text("#search-results")
