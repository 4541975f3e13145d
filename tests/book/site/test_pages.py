"""The built site in a real browser, with the network blocked."""

import re

import pytest

from book.browser import axe, comes_to_hold, opened, sent, show_in, weight
from book.course import ROOT, notebooks, pages, widgets_on
from book.widgets import QUIZZES, WIDGETS, answer_quizzes, exercise_widgets
from optcore import widgets

WITH_WIDGETS = [page for page in pages() if widgets_on(page)]
CHAPTERS = [page for page in WITH_WIDGETS if page.startswith("chapters/")]
ARRIVES, HEAVIEST = 300, 300  # kB, gzipped: page, style, scripts, fonts, pictures; before scrolling, and all of it
ALTS = "images => images.map(image => [image.src, image.alt])"


def is_real(alt: str) -> bool:
    """Words, not the file name that Sphinx falls back to."""
    return bool(re.search("[A-Za-z]{3}", alt)) and not re.search(r"[0-9a-f]{16}|\.png", alt)


def test_the_book_builds_without_warnings(built_book):
    folder, build = built_book
    assert build.returncode == 0, build.stdout[-4000:]
    missing = [page for page in pages() if not (folder / f"{page}.html").is_file()]
    assert pages() and not missing


def test_no_style_of_a_widget_is_lost(built_book):
    classes = lambda css: set(re.findall(r"\.(oc-[\w-]+|right|wrong)", css))
    own = classes((ROOT / "optcore/widgets/oc.css").read_text(encoding="utf-8"))
    kept = classes((built_book[0] / "_static/site.css").read_text(encoding="utf-8"))
    assert len(own) > 20 and own <= kept, own - kept


def test_no_colour_of_a_widget_is_lost(built_book):
    named = lambda css: set(re.findall(r"(--oc-[\w-]+)\s*:", css))
    own = named((ROOT / "optcore/widgets/oc.css").read_text(encoding="utf-8"))
    kept = named((built_book[0] / "_static/site.css").read_text(encoding="utf-8"))
    assert len(own) > 10 and own <= kept, own - kept


def widget_faults(page, page_name: str) -> list[str]:
    """Every control of every widget moves the words and the drawing."""
    widgets, stored = exercise_widgets(page), [kind for kind in widgets_on(page_name) if kind != "quiz"]
    lost = [f"{len(widgets)} of {len(stored)} widgets are there"] if len(widgets) != len(stored) else []
    return lost + [f"{w.id} {fault}" for w in widgets for fault in (w.dead if w.controls else ["has no controls"])]


def quiz_faults(page, page_name: str) -> list[str]:
    """Every answer of every quiz is explained."""
    quizzes, stored = answer_quizzes(page), widgets_on(page_name).count("quiz")
    lost = [f"{len(quizzes)} of {stored} quizzes are there"] if len(quizzes) != stored else []
    return lost + [line for quiz in quizzes for line in quiz["faults"] + ["few answers"] * (quiz["answers"] <= 3)]


def test_colours_come_to_rest_where_code_is_folded(site, browser):
    with opened(browser, f"{site}/exercises/1-objective.html") as (page, _):
        assert page.locator("details:not([open]) .copybtn").count() > 0
        for scheme in ("dark", "light", "dark"):
            show_in(page, scheme)


@pytest.mark.parametrize("page_name", pages())
def test_page(page_name, site, built_book, browser):
    with opened(browser, f"{site}/{page_name}.html") as (page, record):
        problems = [f"light, {line}" for line in axe(page)]
        problems += [f"no text for {src}" for src, alt in page.eval_on_selector_all("img", ALTS) if not is_real(alt)]
        if page_name in WITH_WIDGETS:
            problems += widget_faults(page, page_name) + quiz_faults(page, page_name)
        show_in(page, "dark")
        problems += [f"dark, {line}" for line in axe(page, contrast_only=True)]
        page.set_viewport_size({"width": 375, "height": 800})
        if not comes_to_hold(page, "document.documentElement.scrollWidth <= 375", 150):
            problems.append(f"{page.evaluate('document.documentElement.scrollWidth')} pixels wide on a screen of 375")
        problems += [f"left the site: {url}" for url in record.external(site)] + record.errors
        kilobytes = weight(page, record, site, built_book[0]) / 1000
        problems += [f"weighs {kilobytes:.0f} kB"] if kilobytes > HEAVIEST else []
        arrives = sent(record.arrived, site, built_book[0]) / 1000
        problems += [] if 40 < arrives <= ARRIVES else [f"{arrives:.0f} kB arrive before scrolling"]
        assert len(record.requests) > 5 and kilobytes > 50
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("width", [375, 1280])
def test_a_link_to_a_heading_shows_the_heading(width, site, browser):
    """From the top of a page just loaded, past figures and widgets that are not there yet."""
    address = f"{site}/{CHAPTERS[-1]}.html"
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    for number in (2, 5):
        page.goto(address)
        place = page.locator("article section section > h2").nth(number).evaluate("h => h.parentElement.id")
        page.evaluate("id => { location.hash = id; }", place)
        top = f"document.querySelector('#{place} > h2').getBoundingClientRect().top"
        assert comes_to_hold(page, f"{top} >= 0 && {top} < 200"), page.evaluate(top)
    context.close()


def test_there_are_widgets():
    kinds = {page: widgets_on(page) for page in WITH_WIDGETS}
    assert len(kinds) == len(notebooks()) + 2 > 20  # the front page and the gallery
    assert all(set(kinds[page]) - {"quiz"} for page in kinds)
    assert [page for page in kinds if "quiz" not in kinds[page]] == ["intro"]


def test_the_gallery_shows_every_widget():
    public = [getattr(widgets, name) for name in widgets.__all__]
    kinds = {kind.name for kind in public if isinstance(kind, type) and hasattr(kind, "name")}
    assert len(kinds) > 15 and kinds <= set(widgets_on("gallery")), kinds - set(widgets_on("gallery"))


def test_a_page_works_from_a_file(built_book, browser):
    with opened(browser, (built_book[0] / f"{CHAPTERS[0]}.html").as_uri()) as (page, record):
        assert not record.errors
        assert page.query_selector_all(f"{WIDGETS} input, {QUIZZES} input")


def test_without_scripts_a_figure_stands_in(site, browser):
    page_name = CHAPTERS[0]
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/{page_name}.html")
    shown = page.query_selector_all(f"{WIDGETS} noscript img, {WIDGETS} noscript p")
    assert len(shown) == sum(kind != "quiz" for kind in widgets_on(page_name))
    context.close()


# ---- the checks can fail ------------------------------------------------------------------------------------

TOY = """<!DOCTYPE html><html lang="en"><title>toy</title><main><div class="oc-widget" data-oc="toy" id="toy">
<label>on <input type="checkbox"></label>
<canvas width="20" height="20"></canvas><output role="status">off</output></div></main><script>
const [input, canvas, output] = ["input", "canvas", "output"].map(name => document.querySelector(name));
input.oninput = () => {{ {draw} {say} }};</script></html>"""
DRAW, SAY = "canvas.getContext('2d').fillRect(0, 0, 20*input.checked, 20);", "output.textContent = input.checked;"


@pytest.mark.parametrize(
    "draw, say, dead", [(DRAW, SAY, 0), (DRAW, "", 1), ("", SAY, 1), ("", "", 1), ("throw 1;", "", 1)]
)
def test_canary_a_dead_widget_is_noticed(draw, say, dead, browser, tmp_path):
    (tmp_path / "toy.html").write_text(TOY.format(draw=draw, say=say))
    with opened(browser, (tmp_path / "toy.html").as_uri()) as (page, _):
        (widget,) = exercise_widgets(page)
    assert (widget.controls, len(widget.dead)) == (1, dead)


def test_canary_a_broken_script_is_noticed(site, browser):
    context = browser.new_context()
    context.route("**/_static/oc/common.js*", lambda route: route.fulfill(body="const oc = {};"))
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(f"{site}/{CHAPTERS[0]}.html")
    assert errors and not any(widget.controls for widget in exercise_widgets(page))
    context.close()


def test_canary_what_leaves_the_site_is_noticed(browser, tmp_path):
    (tmp_path / "leak.html").write_text('<img src="https://example.org/pixel.png"><button></button>')
    with opened(browser, (tmp_path / "leak.html").as_uri()) as (page, record):
        assert record.external("http://127.0.0.1") == ["https://example.org/pixel.png"] and record.errors
        assert {"image-alt", "button-name"} <= {line.split(":")[0] for line in axe(page)}


@pytest.mark.parametrize("style, faults", [(".k { color: #ccc }", 1), (".output pre { color: #ccc }", 1), ("", 0)])
def test_canary_pale_code_is_noticed(style, faults, browser, tmp_path):
    """Of each kind of word one is measured; plain output is measured whole."""
    code = '<div class="highlight"><pre><span class="k">if</span> <span class="n">w</span></pre></div>'
    output = '<div class="output"><div class="highlight"><pre><span></span>text</pre></div></div>'
    body = f'<!DOCTYPE html><html lang="en"><title>toy</title><style>{style}</style><main>{code * 2}{output}</main>'
    (tmp_path / "pale.html").write_text(body)
    with opened(browser, (tmp_path / "pale.html").as_uri()) as (page, _):
        assert [line.split(":")[0] for line in axe(page, contrast_only=True)] == ["color-contrast"] * faults
