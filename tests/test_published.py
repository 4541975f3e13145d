"""What a published site needs: light pages, stable addresses, search, previews, keyboard, print."""

import gzip
import html
import re
import sys
from io import BytesIO
from urllib.parse import quote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image
from pypdf import PdfReader

from tests.course import ROOT, pages, widgets_on
from tests.site.browser import axe, comes_to_hold, opened, search_results, served

sys.path.insert(0, str(ROOT / "book"))
import shrink  # noqa: E402
from pdf import links_of, make_pdf  # noqa: E402

from optcore.widgets.base import HERE, page_source  # noqa: E402

WIDGETS = sorted(HERE.glob("*.js"))

CHAPTER = "chapters/4-adaptive-methods/2-adam"
REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
OWNER, NAME = REPOSITORY.rstrip("/").split("/")[-2:]
BASE = f"https://{OWNER.lower()}.github.io/{NAME}/"

# ---- light --------------------------------------------------------------------------------------------------


def test_all_widget_code_is_small(built_book):
    built = (built_book[0] / "_static/oc").glob("*.js")
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in built}
    assert set(sizes) == {file.name for file in WIDGETS} and len(sizes) > 15
    shared = sizes.pop("common.js") + len(gzip.compress(page_source("oc.css").encode(), 9))
    assert shared <= 15_000
    assert max(sizes.values()) <= 5_000 and sum(sizes.values()) <= 2_900 * len(sizes), sizes
    loads = {name: shared + sum(sizes[f"{kind}.js"] for kind in set(widgets_on(name))) for name in pages()}
    heavy = {name: size for name, size in loads.items() if size > 26_000 and name != "gallery"}
    assert loads["gallery"] > 26_000 and not heavy


def test_squeezing_a_script_takes_only_spaces_and_comments():
    for file in WIDGETS:
        code = re.sub(r" *// .*", "", page_source(file.name))
        squeezed = shrink.squeezed(code)
        assert re.sub(r"\s", "", squeezed) == re.sub(r"\s", "", code) and len(squeezed) < 0.95 * len(code)
        lines = [line for line in code.splitlines() if "`" not in line]
        words = [word for line in lines for word in re.findall(r'"[^"]*"', line)]
        assert len(words) > 10 and [word for word in words if word not in squeezed] == []
    nested = "return `${a ? `b = ${ c }` : d}`;"
    assert shrink.squeezed(nested) == nested


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
    assert not [url for url in asked if not (folder / url).is_file() and "KaTeX" not in url]
    assert ".oc-widget" in css and ".katex" in css and ".fa-download" in css and ".btn-outline-warning" not in css


PARTS = {"mfrac": 2, "mroot": 2, "mover": 2, "munder": 2, "msub": 2, "msup": 2, "msubsup": 3, "munderover": 3}


def test_formulas_are_valid_mathml(built_book):
    """What a screen reader is given; Firefox says "invalid markup" of a wrong number of parts."""
    seen, wrong = 0, []
    for name in pages():
        soup = BeautifulSoup((built_book[0] / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for tag in soup.find_all(list(PARTS)):
            seen += 1
            if len(tag.find_all(True, recursive=False)) != PARTS[tag.name]:
                wrong.append(f"{name}: {tag}")
    assert seen > 1000 and not wrong, wrong


def test_widgets_start_when_the_reader_comes_near(site, browser):
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.goto(f"{site}/gallery.html")
    page.wait_for_selector("[data-oc-ready]")
    ready = "document.querySelectorAll('[data-oc-ready]').length"
    widgets = page.query_selector_all("[data-oc]")
    started = page.evaluate(ready)
    last = widgets[-1].get_attribute("id")
    assert 0 < started < len(widgets) / 2
    widgets[-1].scroll_into_view_if_needed()
    page.wait_for_selector(f"#{last}[data-oc-ready]")
    page.keyboard.press("Tab")
    assert page.evaluate(ready) == len(widgets)
    page.goto("about:blank")
    page.goto(f"{site}/gallery.html#{last}&x=1")
    page.wait_for_selector(f"#{last}[data-oc-ready]")
    context.close()


@pytest.mark.parametrize("haste", [True, False])
def test_a_link_within_a_page_leads_to_its_heading(haste, site, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site}/{CHAPTER}.html")
    page.wait_for_timeout(0 if haste else 1500)
    for place in ("further-reading", "the-rule", "quiz"):
        page.click(f"#pst-page-toc-nav a[href='#{place}']")
        top = f"document.getElementById('{place}').getBoundingClientRect().top"
        assert comes_to_hold(page, f"{top} > -10 && {top} < 500"), page.evaluate(top)
    before = page.evaluate("scrollY")
    page.reload()
    assert comes_to_hold(page, f"Math.abs(scrollY - {before}) < 20"), (before, page.evaluate("scrollY"))
    context.close()


def test_what_scrolls_is_reached_with_tab(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html", width=375) as (page, _):
        wide, rest = page.evaluate(
            """() => {
              const blocks = [...document.querySelectorAll("pre, div.math")];
              const scrolls = el => el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight;
              return [true, false].map(yes => blocks.filter(el => scrolls(el) === yes).map(el => el.tabIndex));
            }"""
        )
    assert set(wide) == {0} and set(rest) == {-1}


# ---- addresses ----------------------------------------------------------------------------------------------


def test_no_address_disappears(built_book):
    lines = (ROOT / "tests" / "urls.txt").read_text(encoding="utf-8").splitlines()
    addresses = [line for line in lines if not line.startswith("#")]
    gone = [name for name in addresses if not (built_book[0] / name).is_file()]
    assert len(addresses) > 45
    assert not gone, f"{gone}: others may link there. Keep a page at the old address that links to the new one."
    new = [name for name in pages() if f"{name}.html" not in addresses]
    assert not new, f"{new}: add the new addresses to tests/urls.txt."


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


# ---- search -------------------------------------------------------------------------------------------------


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


# ---- keyboard -----------------------------------------------------------------------------------------------

SHOWN = "all => all.filter(el => el.checkVisibility()).map(el => el.outerHTML.slice(0, 90))"
BLANK = "all => all.filter(el => !el.getContext('2d').getImageData(0, 0, el.width, el.height).data.some(v => v)).length"
FOCUS = """() => {
  const el = document.activeElement, style = getComputedStyle(el), box = el.getBoundingClientRect();
  const ring = e => getComputedStyle(e).outlineStyle !== "none" || getComputedStyle(e).boxShadow !== "none";
  el.dataset.visited = (Number(el.dataset.visited) || 0) + 1;
  return { tag: el.tagName, visits: el.dataset.visited, name: el.outerHTML.slice(0, 90),
           seen: box.width > 0 && (ring(el) || ring(el.parentElement)) };
}"""
REACHABLE = """() =>
  [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter(el =>
  el.checkVisibility({ visibilityProperty: true }) && !el.disabled && el.tabIndex >= 0 && !el.closest("[inert]") &&
  !(el.type === "radio" && !el.checked && el.form?.querySelector(`[name="${el.name}"]`)))
  .filter(el => !el.dataset.visited).map(el => el.outerHTML.slice(0, 90))"""


def test_tab_alone_reaches_everything_on_a_page(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        page.evaluate("scrollTo(0, 0)")
        stops = []
        for _ in range(600):
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUS)
            if stop["tag"] == "BODY" or int(stop["visits"]) > 1:
                break
            stops.append(stop)
        left = page.evaluate(REACHABLE)
    assert "Skip to main content" in stops[0]["name"] or "main-content" in stops[0]["name"]
    assert stop["tag"] == "BODY" or stop["name"] == stops[0]["name"], f"trapped at {stop['name']}"
    assert len(stops) > 80
    assert not left
    assert not [stop["name"] for stop in stops if not stop["seen"]]


# ---- paper --------------------------------------------------------------------------------------------------


def test_a_page_prints_without_what_can_only_be_clicked(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html", dark=True) as (page, _):
        reader = PdfReader(BytesIO(page.pdf(format="A4")))
        text = "".join("".join(sheet.extract_text() for sheet in reader.pages).split())  # pypdf guesses spaces
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"  # again
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        shown = page.eval_on_selector_all("button, input, select, #pst-primary-sidebar, .headerlink", SHOWN)
        cut = page.eval_on_selector_all("pre", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length")
        blank = page.eval_on_selector_all("canvas", BLANK)
    assert not shown and not cut and blank == 0
    assert "Momentumaveragesgradients" in text and "Furtherreading" in text
    assert "Copylink" not in text and "Nextquestion" not in text and "Colab" not in text
    assert "WithoutbiascorrectionAdam" in text and "loss" in text


def test_loadsprint_into_one_file(site, browser, tmp_path):
    names = ["intro", CHAPTER, "glossary"]
    make_pdf(browser, site, names, tmp_path / "course.pdf")
    reader = PdfReader(tmp_path / "course.pdf")
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    links = list(links_of(reader.pages))
    jumps = [link for link in links if link.get("/A", {}).get("/S") == "/GoTo"]
    within = [reader.get_page_number(link["/Dest"][0].get_object()) for link in links if "/Dest" in link]
    assert len(reader.pages) > 15 and "Adam" in titles and "Glossary" in titles
    assert jumps and not [a for a in links if str(a.get("/A", {}).get("/URI", "")).startswith(f"{site}/{CHAPTER}")]
    assert len(set(within)) > 10  # headings are found on their own pages
