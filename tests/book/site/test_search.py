"""The search finds pages, in every spelling of a compound."""

from urllib.parse import quote

import pytest

from book.browser import axe, opened, search_results


@pytest.mark.parametrize(
    "spellings",
    [
        ("warm-up", "warmup", "Warm up"),
        ("mini-batch", "minibatch", "mini batches"),
        ("learning-rate", "learning rate"),
        ("weight-decay", "weight decay"),
    ],
)
def test_the_search_takes_every_spelling(spellings, site, browser):
    found = []
    for words in spellings:
        with opened(browser, f"{site}/search.html?q={quote(words)}") as (page, record):
            found.append(search_results(page))
            assert not record.errors
    assert found[0] and all(pages == found[0] for pages in found), dict(zip(spellings, found, strict=True))


def test_the_search_finds_a_page(site, browser):
    with opened(browser, f"{site}/search.html?q=momentum") as (page, record):
        assert "/notation.html" in search_results(page)
        assert not axe(page) and not record.errors and not record.external(site)
