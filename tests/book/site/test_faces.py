"""The site's faces are its own, small, and shift nothing when they arrive."""

import re
from collections import defaultdict

import pytest
from bs4 import BeautifulSoup

from book.browser import opened
from book.commands.faces import BUDGET, CUTS, FACES
from book.course import pages

CHAPTER = "chapters/3-gradient-descent/3-momentum-and-nesterov"
FACE = re.compile(
    r'font-family: "(Course \w+)";\s+font-style: (\w+);.*?url\(faces/([\w-]+)\.woff2\).*?range:\s+([^;]+);', re.S
)

LOADED = (
    "[...document.fonts].filter(face => face.status === 'loaded' && /^.?Course/.test(face.family)).map(f => f.family)"
)


def declared() -> dict[str, set[int]]:
    """The signs of each upright family, as the style sheet declares them."""
    signs: dict[str, set[int]] = defaultdict(set)
    for family, style, _, ranges in FACE.findall((FACES.parent / "faces.css").read_text(encoding="utf-8")):
        for part in re.split(r",\s+", ranges) if style == "normal" else ():
            low, _, high = part.removeprefix("U+").partition("-")
            signs[family] |= set(range(int(low, 16), int(high or low, 16) + 1))
    return signs


def test_the_faces_are_small_and_free():
    files = {path.stem: path for path in FACES.glob("*.woff2")}
    assert set(files) == {cut.file for cut in CUTS} and len(files) == 7
    assert all(path.read_bytes()[:4] == b"wOF2" for path in files.values())
    assert 40_000 < sum(path.stat().st_size for path in files.values()) <= BUDGET == 70_000
    licences = {path.name: path.read_text(encoding="utf-8") for path in FACES.glob("*-OFL.txt")}
    assert set(licences) == {f"{cut.package}-OFL.txt" for cut in CUTS}
    assert all(text.startswith("©") and "SIL OPEN FONT LICENSE" in text for text in licences.values())


def test_the_faces_have_the_letters_that_pages_show(built_book):
    """Plain letters and Greek; a rare accent in a name, or a sign, is drawn by the system's face."""
    used: dict[str, set[str]] = defaultdict(set)
    for name in pages():
        page = BeautifulSoup((built_book[0] / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for formula in page.select(".katex, script, style, noscript"):
            formula.decompose()
        for code in page.select("pre, code"):
            used["Course Code"] |= set(code.get_text())
            code.decompose()
        used["Course Serif"] |= set(page.article.get_text())
        used["Course Sans"] |= set(page.get_text())
    assert all(len({c for c in seen if c.isascii() and c.isalpha()}) == 52 for seen in used.values())
    needed = {
        family: {c for c in seen if c.isalpha() and (c.isascii() or "Ͱ" < c < "Ͽ")} for family, seen in used.items()
    }
    assert not {family: lost for family in needed if (lost := needed[family] - set(map(chr, declared()[family])))}


PLACES = """[...document.querySelectorAll("h1, h1 ~ p, section section h2")].slice(0, 6)
    .map(element => element.getBoundingClientRect().top)"""
SHIFT = """() => new Promise(done => new PerformanceObserver(list => done(
    list.getEntries().reduce((sum, { value }) => sum + value, 0))).observe({ type: "layout-shift", buffered: true }))"""


@pytest.mark.parametrize("width", [375, 1280])
def test_little_moves_when_the_faces_arrive(width, site, browser):
    """They are held back until the page stands in its stand-ins."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    page, held = context.new_page(), []
    page.route("**/faces/*.woff2", lambda route: held.append(route))
    page.goto(f"{site}/{CHAPTER}.html", wait_until="domcontentloaded")
    page.wait_for_function("document.fonts.status === 'loading'")
    page.wait_for_timeout(300)
    before, waiting = page.evaluate(PLACES), len(held)
    assert len(before) == 6 and waiting >= 2 and page.evaluate(LOADED) == []
    for route in held:
        route.continue_()
    page.unroute("**/faces/*.woff2")
    page.wait_for_function(f"({LOADED}).length >= 3")
    page.wait_for_timeout(300)
    after = page.evaluate(PLACES)
    shift = page.evaluate(SHIFT) if before != after else 0
    context.close()
    moved = max(abs(a - b) for a, b in zip(before, after, strict=True))
    assert moved <= 40 and shift < 0.05, (moved, shift)


def test_a_page_shows_the_faces(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, record):
        page.evaluate("document.fonts.ready")
        loaded = page.evaluate(LOADED)
        faces = {
            name: page.eval_on_selector(name, "e => getComputedStyle(e).fontFamily") for name in ("h1", "p", "pre")
        }
        size = page.eval_on_selector("h1 ~ p", "e => parseFloat(getComputedStyle(e).fontSize)")
        assert not record.errors
    assert {"Course Serif", "Course Sans", "Course Code"} <= {family.strip('"') for family in loaded}
    assert "Course Sans" in faces["h1"] and "Course Code" in faces["pre"] and 17.5 < size < 18.5
