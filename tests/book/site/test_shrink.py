"""What every page loads is small, and nothing that it needs is lost."""

import gzip
import html
import re

import pytest
from fontTools.ttLib import TTFont

from book.browser import opened
from book.course import ROOT, pages, widgets_on
from book.site import shrink
from optcore.widgets.base import HERE, page_source

WIDGETS = sorted(HERE.glob("*.js"))
SCRIPTS = 21  # that 75 kB are the limit of
CHAPTER = "chapters/4-adaptive-methods/2-adam"


def test_all_widget_code_is_small(built_book):
    built = (built_book[0] / "_static/oc").glob("*.js")
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in built}
    assert set(sizes) == {file.name for file in WIDGETS} and len(sizes) > 15
    room = 5_000 * max(0, len(sizes) - SCRIPTS)  # a new widget brings its own
    assert sum(sizes.values()) <= 75_000 + room
    assert sum(sizes.values()) + len(gzip.compress(page_source("oc.css").encode(), 9)) <= 76_150 + room
    shared = sizes.pop("common.js") + len(gzip.compress(page_source("oc.css").encode(), 9))
    assert shared <= 16_500
    whole = sizes["classifier.js"]  # a network and its training, beside what it draws
    assert max(size for size in sizes.values() if size != whole) <= 5_000 and whole <= 9_000, sizes
    loads = {name: shared + sum(sizes[f"{kind}.js"] for kind in set(widgets_on(name))) for name in pages()}
    heavy = {
        name: size
        for name, size in loads.items()
        if size > 28_000 + whole * ("classifier" in widgets_on(name)) and name != "gallery"
    }
    assert loads["gallery"] > 28_000 and not heavy


def test_a_script_made_small_computes_and_says_the_same():
    """Functions of Math, numbers that are no part of a sum, and words: all of them are still there."""
    files = [*WIDGETS, *(file for folder in ("book/assets", "book/live") for file in (ROOT / folder).glob("*.js"))]
    assert len(files) > 35
    functions = 0
    for file in files:
        code = page_source(file.name) if file in WIDGETS else file.read_text(encoding="utf-8")
        small = shrink.minified(code)
        assert len(small) < 0.95 * len(code), file
        called = lambda text: sorted(set(re.findall(r"\bMath\.(?!pow)\w+", text)))
        assert called(small) == called(code)
        functions += len(called(code))
        code = re.sub(r"/\*.*?\*/|(?m:(?:^| )// .*$)", "", code, flags=re.DOTALL)
        words = re.findall(r'"([A-Z][a-z]+ [a-z ]+)"', code)
        assert [word for word in words if word not in small] == []
    assert functions > 100


def test_scripts_lose_their_comments_and_no_line_of_code():
    files = [file for folder in ("book/assets", "book/live") for file in (ROOT / folder).glob("*.js")]
    assert len(files) >= 12
    for file in files:
        code = file.read_text(encoding="utf-8")
        without = shrink.without_comments(code)
        heads = re.sub(r"^ */\*.*?\*/$", "", code, flags=re.DOTALL | re.MULTILINE)
        lines = [re.sub(r" */[/*] .*", "", line).rstrip() for line in heads.splitlines()]
        kept = [line for line in lines if line and not line.lstrip().startswith("//")]
        assert [line for line in without.splitlines() if line] == kept and len(kept) < len(code.splitlines())


def test_what_is_no_script_is_refused():
    with pytest.raises(ValueError, match="no JavaScript: 'let a = '"):
        shrink.minified("let a = ")


def test_a_page_asks_for_one_style_sheet_before_it_shows(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, record):
        sheets = [url for url in record.requests if ".css" in url]
        blocking = page.eval_on_selector_all("script[src]:not([defer])", "all => all.map(script => script.src)")
    assert [url.rsplit("/", 1)[1] for url in sheets] == ["site.css"] and not blocking


def test_the_style_sheet_names_only_what_is_there(built_book):
    folder = built_book[0] / "_static"
    css = (folder / "site.css").read_text(encoding="utf-8")
    asked = [url for url in re.findall(r"url\(['\"]?([^'\")]+)", css) if not url.startswith(("data:", "#"))]
    assert len(asked) > 10
    assert not [url for url in asked if not (folder / url).is_file()]
    assert all(name in re.search(r"/\*!.*\*/", css, re.DOTALL)[0] for name in ("Bootstrap", "Font Awesome"))  # licences
    assert ".oc-widget" in css and ".katex" in css and ".fa-download" in css and ".btn-outline-warning" not in css


def test_every_sign_of_a_formula_is_in_a_font(built_book):
    def signs(text):
        return set(map(ord, html.unescape(re.sub("<[^>]*>", "", text)))) - set(map(ord, " \u200b\u2061\xa0"))

    fonts = {path.stem: set(TTFont(path).getBestCmap()) for path in (built_book[0] / "_static").rglob("KaTeX_*.woff2")}
    pages = [path.read_text(encoding="utf-8") for path in built_book[0].rglob("*.html")]
    found = [formula for page in pages for formula in shrink.formulas(page)]
    assert len(found) > 2000 and sum(page.count('class="katex-html"') for page in pages) == len(found)
    assert signs("".join(found)) <= set().union(*fonts.values())
    for kind, font in (("mathnormal", "Math-Italic"), ("mathbb", "AMS-Regular"), ("mathcal", "Caligraphic-Regular")):
        shown = signs("".join(re.findall(rf'class="[^"]*\b{kind}\b[^"]*"[^>]*>([^<]*)', "".join(found))))
        assert shown and shown <= fonts[f"KaTeX_{font}"], kind
