"""Stable addresses, previews, the sitemap, the root page and 404.html."""

import html
import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from book.browser import axe, opened, search_results, served
from book.course import pages, repository
from book.pages.copies import ADDRESSES
from tests.copies import Copy

CHAPTER = "chapters/4-adaptive-methods/2-adam"
REPOSITORY = repository()[0]
OWNER, NAME = REPOSITORY.split("/")[-2:]
BASE = f"https://{OWNER.lower()}.github.io/{NAME}/"


def test_no_address_disappears(built_book):
    lines = ADDRESSES.read_text(encoding="utf-8").splitlines()
    addresses = [line for line in lines if not line.startswith("#")]
    gone = [name for name in addresses if not (built_book[0] / name).is_file()]
    assert len(addresses) > 45
    assert not gone, f"{gone}: others may link there. Keep a page at the old address that links to the new one."


@pytest.mark.parametrize("owner, there", [("OWNER", False), ("someone", True)])
def test_buttons_lead_to_the_repository_once_it_has_an_address(owner, there, tmp_path):
    copy, url = Copy(tmp_path / "copy"), f"https://github.com/{owner}/elsewhere"
    copy.replace("_config.yml", f"  url: {REPOSITORY}\n", f"  url: {url}\n")
    copy.write(
        "_toc.yml", f"format: jb-book\nroot: notation\nparts:\n- {{caption: One, chapters: [file: {CHAPTER}]}}\n"
    )
    build = "from jupyter_book.cli.main import main; main(['build', '-q', '.'])"
    assert copy.python("-c", build).returncode == 0
    buttons = BeautifulSoup(copy.read(f"_build/html/{CHAPTER}.html"), "html.parser").select(".article-header-buttons a")
    links = [urlsplit(button["href"]) for button in buttons if button["href"].startswith("http")]
    places = {"colab.research.google.com": 1, "mybinder.org": 1, "github.com": 3}  # repository, edit, issue
    assert Counter(link.netloc for link in links) == (places if there else {})
    assert all(f"{owner}/elsewhere" in link.path for link in links)
    assert len(buttons) > len(links)  # downloads stay


def head(folder, name: str) -> str:
    """A page's head."""
    return (folder / f"{name}.html").read_text(encoding="utf-8").split("</head>")[0]


def meta(text: str, key: str) -> str:
    """The content of the one meta element of that name."""
    (content,) = re.findall(rf'<meta (?:name|property)="{re.escape(key)}" content="([^"]*)"', text)
    return html.unescape(content)


def test_every_page_introduces_itself(built_book):
    folder, described = built_book[0], {}
    for name in pages():
        text = head(folder, name)
        address = meta(text, "og:url")
        assert address == BASE if name == "intro" else address == f"{BASE}{name}.html"
        assert re.findall(r'<link rel="canonical" href="([^"]*)"', text) == [address]
        assert meta(text, "description") == meta(text, "og:description")
        assert 50 < len(meta(text, "description")) < 240 and meta(text, "og:title") in html.unescape(text)
        assert meta(text, "og:image") == f"{BASE}_static/card.png"
        described[meta(text, "description")] = name
    assert len(described) == len(pages()) > 40, "two pages describe themselves alike"


def test_the_card_has_the_size_it_claims(built_book):
    with Image.open(built_book[0] / "_static" / "card.png") as card:
        text = head(built_book[0], "intro")
        assert card.size == (int(meta(text, "og:image:width")), int(meta(text, "og:image:height")))
    assert (built_book[0] / "_static" / "card.png").stat().st_size < 100_000


def test_the_sitemap_lists_every_page(built_book):
    folder = built_book[0]
    listed = re.findall("<loc>([^<]*)</loc>", (folder / "sitemap.xml").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(BASE if name == "intro" else f"{BASE}{name}.html" for name in pages())
    assert f"Sitemap: {BASE}sitemap.xml" in (folder / "robots.txt").read_text(encoding="utf-8")


def test_the_root_is_the_front_page(site, browser):
    with opened(browser, f"{site}/") as (page, record):
        assert page.url == f"{site}/" and not record.errors
        assert page.inner_text("h1").startswith("Optimization for Deep Learning")
        pictures = page.query_selector_all(".chapter-cards .sd-card img")
        top = page.eval_on_selector("[data-oc-ready]", "el => el.getBoundingClientRect().top")
        assert len(pictures) == 8 and top < 400  # a live widget on the first screen


def test_a_lost_reader_finds_the_course_from_any_depth(built_book, browser, tmp_path):
    prefix = urlsplit(BASE).path.strip("/")
    (tmp_path / prefix).symlink_to(built_book[0])
    (tmp_path / "404.html").symlink_to(built_book[0] / "404.html")
    with served(tmp_path) as host, opened(browser, f"{host}/{prefix}/no/such/page.html") as (page, record):
        assert [line for line in record.errors if "such/page.html" not in line and "404 (Not Found)" not in line] == []
        assert page.locator(".lost-pages a").count() == len(pages()) - 1
        assert not axe(page)
        page.fill("#lost-search", "nesterov")
        page.press("#lost-search", "Enter")
        assert search_results(page)
        page.go_back()
        page.click(".lost-pages a >> nth=0")
        assert page.url == f"{host}/{prefix}/{pages()[1]}.html" and "404" not in page.title()
